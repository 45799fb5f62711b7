//! The recorder's two threads.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use plugboard_codec::Library;
use plugboard_model::TapeWhy;
use plugboard_recorder::{Disk, Memory, Order, Recorder};
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Longer than any machine takes.
const LONG: Duration = Duration::from_secs(30);

/// A disk that takes its time to read: as long as nobody says that it may.
struct Slow {
    memory: Memory,
    created: Sender<String>,
    reads: Sender<()>,
    may_read: Arc<Mutex<Receiver<()>>>,
}

impl Disk for Slow {
    fn again(&self) -> Box<dyn Disk> {
        let (memory, may_read) = (self.memory.clone(), Arc::clone(&self.may_read));
        Box::new(Self { memory, created: self.created.clone(), reads: self.reads.clone(), may_read })
    }

    fn create(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let created = self.memory.create(path, bytes);
        self.created.send(path.to_owned()).unwrap();
        created
    }

    fn append(&mut self, path: &str, length: u64, bytes: &[u8], head: &[u8]) -> io::Result<()> {
        self.memory.append(path, length, bytes, head)
    }

    fn read(&mut self, path: &str, piece: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        self.reads.send(()).unwrap();
        self.may_read.lock().unwrap().recv_timeout(LONG).unwrap();
        self.memory.read(path, piece)
    }

    fn sync(&mut self, path: &str) -> io::Result<()> {
        self.memory.sync(path)
    }

    fn remove(&mut self, path: &str) -> io::Result<()> {
        self.memory.remove(path)
    }
}

fn order(file: &str) -> Order {
    Order { file: file.into(), stereo: true, silence: None, longest: None }
}

#[test]
fn a_long_file_that_is_summed_up_holds_up_no_other_tape() {
    let ((created, creates), (reads, is_read), (let_read, may_read)) = (channel(), channel(), channel());
    let may_read = Arc::new(Mutex::new(may_read));
    let disk = Slow { memory: Memory::default(), created, reads, may_read };
    let recorder = Recorder::start(Box::new(disk), Arc::new(Library)).unwrap();
    let (tell, told) = channel();
    let ends = tell.clone();
    let first = recorder.record(order("first.wav"), Box::new(move |end, _| ends.send(end).unwrap()));
    first.end(TapeWhy::Asked);
    is_read.recv_timeout(LONG).unwrap();
    // It is read, and goes on being read.
    let second = recorder.record(order("second.wav"), Box::new(move |end, _| tell.send(end).unwrap()));
    let begun: Vec<String> = (0..2).map(|_| creates.recv_timeout(LONG).unwrap()).collect();
    assert_eq!(begun, ["first.wav", "second.wav"]);
    second.end(TapeWhy::Asked);
    assert!(told.try_recv().is_err(), "no end is told that is not written");
    for _ in 0..2 {
        let_read.send(()).unwrap();
    }
    // Whatever is not summed up yet is when the recorder closes.
    recorder.close();
    assert_eq!(told.try_iter().filter(|end| end.why == TapeWhy::Asked && end.bytes == 58).count(), 2);
}

/// A disk on which one file is a trap.
struct Trapped(Memory);

impl Disk for Trapped {
    fn again(&self) -> Box<dyn Disk> {
        Box::new(Self(self.0.clone()))
    }

    fn create(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.0.create(path, bytes)
    }

    fn append(&mut self, path: &str, length: u64, bytes: &[u8], head: &[u8]) -> io::Result<()> {
        self.0.append(path, length, bytes, head)
    }

    fn read(&mut self, path: &str, piece: &mut dyn FnMut(&[u8])) -> io::Result<()> {
        assert!(path != "trap.wav", "somebody stepped into the trap");
        self.0.read(path, piece)
    }

    fn sync(&mut self, path: &str) -> io::Result<()> {
        self.0.sync(path)
    }

    fn remove(&mut self, path: &str) -> io::Result<()> {
        self.0.remove(path)
    }
}

#[test]
fn a_panic_over_one_file_is_told_and_the_next_file_is_worked_on() {
    let recorder = Recorder::start(Box::new(Trapped(Memory::default())), Arc::new(Library)).unwrap();
    let (tell, told) = channel();
    let ends = tell.clone();
    let trap = recorder.record(order("trap.wav"), Box::new(move |end, _| ends.send(end.why).unwrap()));
    trap.end(TapeWhy::Asked);
    let why = told.recv_timeout(LONG).unwrap();
    assert!(matches!(&why, TapeWhy::Disk(why) if why.contains("fault of the switch")), "{why:?}");
    // Whoever panics when he is told harms nobody else either.
    let careless = recorder.record(order("careless.wav"), Box::new(|_, _| panic!("who was told is careless")));
    careless.end(TapeWhy::Asked);
    let next = recorder.record(order("next.wav"), Box::new(move |end, _| tell.send(end.why).unwrap()));
    next.end(TapeWhy::Asked);
    assert_eq!(told.recv_timeout(LONG).unwrap(), TapeWhy::Asked);
    assert!(!recorder.is_broken());
    recorder.close();
    assert!(!recorder.is_broken(), "it was closed");
}

#[test]
fn too_many_files_that_wait_are_refused_at_once_and_who_listens_goes_before_sums() {
    let (recorder, inline) = Recorder::start_inline(Box::new(Memory::default()), Arc::new(Library), 100);
    let (tell, told) = channel();
    let load = |recorder: &Recorder| {
        let tell = tell.clone();
        recorder.load("none.wav".into(), Box::new(move |made| tell.send(made.unwrap_err()).unwrap()));
    };
    let ends = tell.clone();
    recorder.record(order("one.wav"), Box::new(move |end, _| ends.send(format!("{:?}", end.why)).unwrap()));
    for _ in 0..256 {
        load(&recorder);
    }
    assert!(told.try_recv().is_err());
    load(&recorder);
    let busy = told.try_recv().unwrap();
    assert!(busy.contains("busy"), "{busy}");
    inline.run();
    let all: Vec<String> = told.try_iter().collect();
    assert_eq!((all.len(), all.iter().position(|told| told == "CallOver")), (257, Some(256)), "{all:?}");
    load(&recorder);
    assert!(told.try_recv().is_err(), "there is room again");
}
