//! Words read aloud by espeak-ng, where the machine has it.
//!
//! A process an utterance, two at a time, each within ten seconds; what was said lately is kept.

use plugboard_media::Audio;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::file;

/// Utterances that are made at once. Reading aloud is fifty times as fast as listening.
const AT_ONCE: usize = 2;

/// Utterances that wait; more callers than these are told at once that nothing is read to them.
const WAITING_MAX: usize = 64;

/// What a machine needs for two minutes of speech is a second or two.
const PATIENCE: Duration = Duration::from_secs(10);

/// Two minutes and more of 22 kHz: what is longer was not asked for.
const SOUND_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Room for what was said lately: an hour and more, as calls play it.
const KEPT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// What a voice's name has at the most; it is an argument of a program.
const VOICE_BYTES_MAX: usize = 35;

/// What the program is called where nothing else is configured.
pub const PROGRAM: &str = "espeak-ng";

/// Why words were not read aloud.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SpeechError {
    /// There is no such program.
    #[error("{0} cannot be run ({1}); install espeak-ng, or name another program in `[speech]`")]
    NoProgram(PathBuf, String),
    /// It has no voice for the language, or refused the words.
    #[error("the speech engine says: {0}")]
    Refused(String),
    /// It took too long.
    #[error("the speech engine took longer than ten seconds")]
    Slow,
    /// Too many wait already.
    #[error("too many words wait for the speech engine")]
    Busy,
    /// What it made is not playable.
    #[error("the speech engine made no sound: {0}")]
    NoSound(#[from] file::FileError),
}

/// Called once with what became of the words.
pub type Reply = Box<dyn FnOnce(Result<Audio, SpeechError>) + Send>;

struct Job {
    words: Words,
    reply: Reply,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Words {
    voice: String,
    text: String,
}

/// Reads words aloud on threads of its own.
#[derive(Debug)]
pub struct Espeak {
    jobs: SyncSender<Job>,
    kept: Arc<Mutex<Kept>>,
}

impl Espeak {
    /// By this program, found as the system finds programs.
    ///
    /// # Errors
    /// A thread could not be started.
    pub fn start(program: &Path) -> std::io::Result<Self> {
        let (jobs, waiting) = sync_channel(WAITING_MAX);
        let (waiting, kept) = (Arc::new(Mutex::new(waiting)), Arc::new(Mutex::new(Kept::default())));
        for number in 0..AT_ONCE {
            let (waiting, kept, program) = (Arc::clone(&waiting), Arc::clone(&kept), program.to_owned());
            thread::Builder::new().name(format!("speech-{number}")).spawn(move || work(&program, &waiting, &kept))?;
        }
        Ok(Self { jobs, kept })
    }

    /// Asks for words in a language (BCP 47). Never waits; `reply` is called once, from this or another thread.
    pub fn speak(&self, text: &str, language: &str, reply: Reply) {
        let words = Words { voice: language.to_ascii_lowercase(), text: text.to_owned() };
        if let Some(audio) = lock(&self.kept).get(&words) {
            return reply(Ok(audio));
        }
        match self.jobs.try_send(Job { words, reply }) {
            Ok(()) => {}
            Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => (job.reply)(Err(SpeechError::Busy)),
        }
    }
}

fn work(program: &Path, waiting: &Mutex<Receiver<Job>>, kept: &Mutex<Kept>) {
    loop {
        // The lock is held while nothing is to be done, too: whoever has it takes the next one.
        let next = lock(waiting).recv();
        let Ok(Job { words, reply }) = next else { return };
        let found = lock(kept).get(&words);
        let made = found.map_or_else(|| spoken(program, &words), Ok);
        if let Ok(audio) = &made {
            lock(kept).put(words, audio.clone());
        }
        reply(made);
    }
}

fn lock<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// In the voice of the language as it was given, or of its first part: `de-at`, then `de`.
fn spoken(program: &Path, words: &Words) -> Result<Audio, SpeechError> {
    let said = run(program, &words.voice, &words.text);
    match (said, words.voice.split_once('-')) {
        (Err(SpeechError::Refused(_)), Some((short, _))) => run(program, short, &words.text),
        (said, _) => said,
    }
}

fn run(program: &Path, voice: &str, text: &str) -> Result<Audio, SpeechError> {
    let is_name = voice.len() <= VOICE_BYTES_MAX && voice.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !is_name || !voice.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(SpeechError::Refused(format!("{voice:?} is no language")));
    }
    // The words go in by the standard input: they are neither arguments nor a file.
    let mut child = Command::new(program)
        .args(["--stdin", "--stdout", "-b", "1", "-v", voice])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|fault| SpeechError::NoProgram(program.to_owned(), fault.to_string()))?;
    let finished = read_within(&mut child, text, PATIENCE);
    // One that is through already is not hurt; one that is not, or does not end when it has said all, must not stay.
    let _ended = child.kill().and_then(|()| child.wait());
    let (sound, complaint) = finished.ok_or(SpeechError::Slow)?;
    if let (true, Some(complaint)) = (sound.is_empty(), String::from_utf8_lossy(&complaint).lines().next()) {
        return Err(SpeechError::Refused(complaint.chars().take(200).collect()));
    }
    Ok(Audio::from_linear(&file::read(with_length(sound), Some("wav"))?))
}

/// A program that writes as it speaks does not know the length: it stands here once all is there.
fn with_length(mut sound: Vec<u8>) -> Vec<u8> {
    /// `RIFF`, its length, `WAVE`, and the plain format before the length of the samples.
    const HEADER_BYTES: usize = 44;
    for (at, before) in [(4, 8), (40, HEADER_BYTES)] {
        let length = u32::try_from(sound.len().saturating_sub(before)).unwrap_or(u32::MAX);
        if let Some(place) = sound.get_mut(at..at + 4).filter(|place| **place >= [0, 0xF0, 0xFF, 0x7F][..]) {
            place.copy_from_slice(&length.to_le_bytes());
        }
    }
    sound
}

/// Feeds the program and takes all that it says; `None`: it was not through in time.
fn read_within(child: &mut Child, text: &str, patience: Duration) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut input, output, errors) = (child.stdin.take()?, child.stdout.take()?, child.stderr.take()?);
    let (done, through) = channel();
    let text = text.as_bytes().to_vec();
    // Not waited for when time is over: killing the program ends what it reads and what it writes.
    thread::spawn(move || {
        // A program that does not read tells why by its complaint.
        let _written = input.write_all(&text);
        drop(input);
        let (mut sound, mut complaint) = (Vec::new(), Vec::new());
        let _read = output.take(SOUND_BYTES_MAX).read_to_end(&mut sound);
        let _read = errors.take(4_096).read_to_end(&mut complaint);
        let _heard = done.send((sound, complaint));
    });
    through.recv_timeout(patience).ok()
}

/// What was said lately; what was not asked for longest goes first.
#[derive(Debug, Default)]
struct Kept {
    said: BTreeMap<Words, (Audio, u64)>,
    bytes: usize,
    clock: u64,
}

impl Kept {
    fn get(&mut self, words: &Words) -> Option<Audio> {
        self.clock += 1;
        let (audio, asked) = self.said.get_mut(words)?;
        *asked = self.clock;
        Some(audio.clone())
    }

    fn put(&mut self, words: Words, audio: Audio) {
        self.clock += 1;
        self.bytes += size(&words, &audio);
        if let Some((old, _)) = self.said.insert(words.clone(), (audio, self.clock)) {
            self.bytes -= size(&words, &old);
        }
        while self.bytes > KEPT_BYTES_MAX {
            let oldest = self.said.iter().min_by_key(|(_, (_, asked))| *asked).map(|(words, _)| words.clone());
            let Some((words, (audio, _))) = oldest.and_then(|words| self.said.remove_entry(&words)) else { return };
            self.bytes -= size(&words, &audio);
        }
    }
}

fn size(words: &Words, audio: &Audio) -> usize {
    words.text.len() + words.voice.len() + audio.size_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(engine: &Espeak, text: &str, language: &str) -> Result<Audio, SpeechError> {
        let (tell, told) = channel();
        engine.speak(text, language, Box::new(move |made| tell.send(made).unwrap()));
        told.recv_timeout(Duration::from_secs(60)).unwrap()
    }

    /// A program of the test's own in place of the engine. Another process writes it: a child that another test starts meanwhile would
    /// inherit our descriptor, and what is open for writing cannot be started (ETXTBSY).
    fn program(folder: &Path, script: &str) -> PathBuf {
        let path = folder.join("engine");
        let write = r#"printf '#!/bin/sh\n%s\n' "$2" > "$1" && chmod 755 "$1""#;
        let wrote = Command::new("sh").args(["-c", write, "sh"]).arg(&path).arg(script).status().unwrap();
        assert!(wrote.success());
        path
    }

    #[test]
    fn words_are_read_aloud_in_the_languages_of_the_office() {
        let engine = Espeak::start(Path::new(PROGRAM)).unwrap();
        let short = said(&engine, "Yes.", "en").unwrap();
        let long = said(&engine, "You are calling outside of our hours. Please call again tomorrow.", "en").unwrap();
        assert!(long.len() > 3 * short.len() && short.len() > 1_000, "{} {}", short.len(), long.len());
        for language in ["de", "ru", "en-GB", "de-AT"] {
            assert!(said(&engine, "1 2 3", language).unwrap().len() > 4_000, "{language}");
        }
    }

    #[test]
    fn what_was_said_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let script = format!("echo run >> {}; exec {PROGRAM} \"$@\"", log.display());
        let engine = Espeak::start(&program(folder.path(), &script)).unwrap();
        let first = said(&engine, "Hello", "en").unwrap();
        assert_eq!(said(&engine, "Hello", "EN").unwrap(), first);
        assert_eq!(std::fs::read_to_string(&log).unwrap().lines().count(), 1);
        said(&engine, "Goodbye", "en").unwrap();
        assert_eq!(std::fs::read_to_string(&log).unwrap().lines().count(), 2);
    }

    #[test]
    fn a_missing_program_an_unknown_language_and_a_silent_engine_are_told() {
        let none = Espeak::start(Path::new("/nonexistent/espeak")).unwrap();
        assert!(said(&none, "Hello", "en").unwrap_err().to_string().contains("install espeak-ng"));
        let engine = Espeak::start(Path::new(PROGRAM)).unwrap();
        assert!(matches!(said(&engine, "Hello", "xx"), Err(SpeechError::Refused(_))));
        assert!(matches!(said(&engine, "Hello", "../../etc/passwd"), Err(SpeechError::Refused(_))));
        assert!(matches!(said(&engine, "Hello", "--help"), Err(SpeechError::Refused(_))));
        let folder = tempfile::tempdir().unwrap();
        let silent = Espeak::start(&program(folder.path(), "cat > /dev/null")).unwrap();
        assert!(matches!(said(&silent, "Hello", "en"), Err(SpeechError::NoSound(_))));
    }

    #[test]
    fn an_engine_that_hangs_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(program(folder.path(), "exec sleep 600"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        assert_eq!(read_within(&mut child, "Hello", Duration::from_millis(50)), None);
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success());
    }

    #[test]
    fn more_than_the_queue_takes_are_told_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Espeak::start(&program(folder.path(), "exec sleep 5")).unwrap();
        let (tell, told) = channel();
        for number in 0..=WAITING_MAX + 2 * AT_ONCE {
            let tell = tell.clone();
            engine.speak(&number.to_string(), "en", Box::new(move |made| drop(tell.send(made))));
        }
        assert_eq!(told.recv_timeout(Duration::from_secs(4)).unwrap(), Err(SpeechError::Busy));
    }

    #[test]
    fn what_was_asked_for_last_is_kept_longest() {
        let mut kept = Kept::default();
        let words = |text: &str| Words { voice: "en".into(), text: text.into() };
        let third = Audio::from_linear(&vec![0; KEPT_BYTES_MAX / 6]);
        kept.put(words("a"), third.clone());
        kept.put(words("b"), third.clone());
        assert!(kept.get(&words("a")).is_some());
        kept.put(words("c"), third);
        assert!(kept.get(&words("b")).is_none());
        assert!(kept.get(&words("a")).is_some() && kept.get(&words("c")).is_some());
        assert!(kept.bytes <= KEPT_BYTES_MAX);
    }
}
