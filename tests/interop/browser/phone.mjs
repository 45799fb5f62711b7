// JsSIP in a browser without a window: a phone that is told what to do, a line at a time.
//
// node phone.mjs MODULES CHROMIUM URL CERTIFICATE USER PASSWORD [TONE.wav]
//
// It uses the TURN server that it is told when it registers, and with RELAY=1 in its environment nothing else.
// With a file for a microphone it has media; without one it only registers. It answers whoever calls.
// It is told: `dial NUMBER`, `hang up`, `codecs`, `hold`, `resume`, `press KEYS`, `restart ice`, `keep FILE` (the last two
// seconds that it heard, as a WAV file), `forget` (what it heard), `reload` (the page), `take back`, `leave`.
// It prints a line for each thing that happens: `registered`, `failed CAUSE`, `left`, `rings`, `talks`, `ended CAUSE`, ...

import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [modules, chromium, url, certificate, user, password, tone] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const { chromium: browsers } = require('playwright-core');
const { buildSync } = require('esbuild');

// The browser is to trust this certificate and no other that nobody signed.
const key = new X509Certificate(readFileSync(certificate)).publicKey.export({ type: 'spki', format: 'der' });
const trusted = createHash('sha256').update(key).digest('base64');

const browser = await browsers.launch({
  executablePath: chromium,
  args: [
    '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', '--no-first-run',
    `--ignore-certificate-errors-spki-list=${trusted}`, '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required',
    ...(tone ? [`--use-file-for-fake-audio-capture=${tone}`] : []),
  ],
});

const bundle = buildSync({
  entryPoints: [require.resolve('jssip')], bundle: true, write: false, format: 'iife', globalName: 'JsSIP', logLevel: 'error',
});
// A page of this machine may use a microphone; one that comes from nowhere may not.
const server = createServer((_, response) => {
  response.setHeader('Content-Type', 'text/html');
  response.end('<!doctype html><title>phone</title>');
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));

const page = await browser.newPage();
page.on('pageerror', (error) => console.log(`page: ${error}`));
page.on('console', (message) => console.log(`console: ${message.text()}`));
await page.exposeFunction('tell', (line) => console.log(line));

// What runs in the page. `remembered` is what a page keeps over its reload: the dialog of its call.
function phone({ url, user, password, remembered, relay }) {
  const pcConfig = { iceServers: [], iceTransportPolicy: relay ? 'relay' : 'all' };
  const media = { mediaConstraints: { audio: true, video: false }, pcConfig };
  // `<turn:...>, <turns:...>;username="...";password="..."`
  const learn = (header) => {
    const urls = [...header.matchAll(/<([^>]*)>/g)].map(([, uri]) => uri);
    const [, username] = header.match(/;username="([^"]*)"/);
    const [, credential] = header.match(/;password="([^"]*)"/);
    pcConfig.iceServers = [{ urls, username, credential }];
  };
  const ua = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(url)], uri: `sip:${user}@plugboard.test`, password, register_expires: 600,
    session_timers: false,
  });
  const heard = [];
  // One stream at a time: after a hold the same track comes again, and two would be heard in turns.
  let hush = () => {};
  const listen = (stream) => {
    hush();
    const audio = document.createElement('audio');
    audio.autoplay = true;
    audio.srcObject = stream;
    document.body.append(audio);
    const context = new AudioContext({ sampleRate: 8000 });
    const taken = context.createScriptProcessor(1024, 1, 1);
    taken.onaudioprocess = ({ inputBuffer }) => heard.push(...inputBuffer.getChannelData(0));
    context.createMediaStreamSource(stream).connect(taken);
    taken.connect(context.destination);
    hush = () => {
      taken.onaudioprocess = null;
      audio.remove();
      context.close();
    };
  };
  const follow = (session) => {
    globalThis.session = session;
    const hear = (connection) => {
      connection.addEventListener('track', ({ track }) => listen(new MediaStream([track])));
      connection.addEventListener('iceconnectionstatechange', () => tell(`ice ${connection.iceConnectionState}`));
    };
    if (session.connection) hear(session.connection);
    session.on('peerconnection', ({ peerconnection }) => hear(peerconnection));
    session.on('progress', ({ originator, response }) => {
      if (originator === 'remote') tell(`progress ${response.status_code}`);
    });
    session.on('confirmed', () => tell('talks'));
    session.on('ended', ({ cause }) => tell(`ended ${cause}`));
    session.on('failed', ({ cause }) => tell(`call failed ${cause}`));
    session.on('hold', ({ originator }) => tell(`held ${originator}`));
    session.on('unhold', ({ originator }) => tell(`resumed ${originator}`));
  };
  ua.on('registered', ({ response }) => {
    const header = response.getHeader('Plugboard-Turn');
    if (header) learn(header);
    tell('registered');
  });
  ua.on('registrationFailed', ({ cause }) => tell(`failed ${cause}`));
  ua.on('unregistered', () => tell('left'));
  ua.on('newRTCSession', ({ originator, session }) => {
    follow(session);
    if (originator === 'remote') {
      tell('rings');
      session.answer(media);
    }
  });
  globalThis.heard = heard;
  globalThis.told = {
    'dial': (number) => ua.call(`sip:${number}@plugboard.test`, media),
    'hang up': () => session.terminate(),
    'codecs': async () => {
      const stats = await session.connection.getStats();
      for (const [, { type, codecId }] of stats) {
        if (type === 'inbound-rtp') tell(`hears ${stats.get(codecId).mimeType}`);
        if (type === 'outbound-rtp') tell(`speaks ${stats.get(codecId).mimeType}`);
      }
    },
    'hold': () => session.hold(),
    'resume': () => session.unhold(),
    'press': async (keys) => {
      // A browser takes keys when the handshake of its media is over, which is after it talks.
      const takes = () => session.connection.getSenders().some((sender) => sender.dtmf?.canInsertDTMF);
      while (!takes()) {
        await new Promise((next) => setTimeout(next, 50));
      }
      session.sendDTMF(keys, { transportType: 'RFC2833', duration: 100, interToneGap: 70 });
    },
    'restart ice': () => session.renegotiate({ rtcOfferConstraints: { iceRestart: true } }, () => tell('restarted')),
    'leave': () => ua.unregister(),
    'forget': () => { heard.length = 0; },
    'take back': () => ua.call(`sip:${remembered.target}@plugboard.test`, {
      ...media, extraHeaders: [`Replaces: ${remembered.replaces}`],
    }),
  };
  ua.start();
}

const open = async (remembered) => {
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.addScriptTag({ content: bundle.outputFiles[0].text });
  await page.evaluate(phone, { url, user, password, remembered, relay: process.env.RELAY === '1' });
};

const keep = async (file) => {
  const samples = await page.evaluate(() => heard.slice(-16000));
  const wav = Buffer.alloc(44 + 2 * samples.length);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + 2 * samples.length, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(8000, 24);
  wav.writeUInt32LE(16000, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(2 * samples.length, 40);
  samples.forEach((sample, at) => {
    wav.writeInt16LE(Math.round(Math.max(-1, Math.min(1, sample)) * 32767), 44 + 2 * at);
  });
  writeFileSync(file, wav);
  console.log(`kept ${file} ${samples.length}`);
};

await open(null);
for await (const line of createInterface({ input: process.stdin })) {
  console.log(`told: ${line}`);
  const [, word, rest] = line.match(/^(dial|press|keep|hang up|restart ice|take back|\w+) ?(.*)$/);
  if (word === 'keep') {
    await keep(rest);
  } else if (word === 'reload') {
    const remembered = await page.evaluate(() => {
      const dialog = session._dialog;
      const { call_id: id, local_tag: ours, remote_tag: theirs } = dialog.id;
      return { target: session.remote_identity.uri.user, replaces: `${id};to-tag=${theirs};from-tag=${ours}` };
    });
    await open(remembered);
  } else {
    await page.evaluate(async ([word, rest]) => { await told[word](rest); }, [word, rest]);
  }
}
await browser.close();
server.close();
