// JsSIP in a browser without a window registers over secure WebSocket, and leaves when it is told to.
//
// node register.mjs MODULES CHROMIUM URL CERTIFICATE USER PASSWORD
//
// Prints a line for each thing that happens: `registered`, `failed CAUSE`, `left`. A line on standard input makes it leave.

import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [modules, chromium, url, certificate, user, password] = process.argv.slice(2);
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
    `--ignore-certificate-errors-spki-list=${trusted}`,
  ],
});
const page = await browser.newPage();
page.on('pageerror', (error) => console.log(`page: ${error}`));
page.on('console', (message) => console.log(`console: ${message.text()}`));
await page.exposeFunction('tell', (line) => console.log(line));

const bundle = buildSync({
  entryPoints: [require.resolve('jssip')], bundle: true, write: false, format: 'iife', globalName: 'JsSIP', logLevel: 'error',
});
await page.addScriptTag({ content: bundle.outputFiles[0].text });
await page.evaluate(({ url, user, password }) => {
  const ua = new JsSIP.UA({
    sockets: [new JsSIP.WebSocketInterface(url)], uri: `sip:${user}@plugboard.test`, password, register_expires: 600,
  });
  ua.on('registered', () => tell('registered'));
  ua.on('registrationFailed', ({ cause }) => tell(`failed ${cause}`));
  ua.on('unregistered', () => tell('left'));
  globalThis.ua = ua;
  ua.start();
}, { url, user, password });

for await (const line of createInterface({ input: process.stdin })) {
  console.log(`told: ${line}`);
  await page.evaluate(() => ua.unregister());
}
await browser.close();
