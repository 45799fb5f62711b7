//! What the switch writes into its log while a story is told.

use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::DefaultGuard;
use tracing::{Dispatch, Event, Level, Metadata, Subscriber};

/// A second subscriber, to which nothing goes. Of a single one, `tracing` asks only the thread that comes by a line first
/// whether anybody wants it, and keeps the answer for all.
static ANOTHER: LazyLock<Dispatch> =
    LazyLock::new(|| Dispatch::new(Keeper { lines: Arc::default(), spans: AtomicU64::new(1) }));

/// The lines of this thread, at info and above, since this was made: as many as a default `PLUGBOARD_LOG` writes.
pub struct Log {
    lines: Arc<Mutex<Vec<String>>>,
    read: Rc<RefCell<usize>>,
    _guard: DefaultGuard,
}

impl Log {
    /// Keeps what is written from now on.
    pub fn begin() -> Self {
        LazyLock::force(&ANOTHER);
        let lines = Arc::new(Mutex::new(Vec::new()));
        let keeper = Keeper { lines: Arc::clone(&lines), spans: AtomicU64::new(1) };
        Self { lines, read: Rc::default(), _guard: tracing::subscriber::set_default(keeper) }
    }

    /// The lines since this was asked last, such as `SIP fault kind="malformed" reason="..."`.
    pub fn lines(&self) -> Vec<String> {
        let all = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut read = self.read.borrow_mut();
        let new = all.get(*read..).unwrap_or_default().to_vec();
        *read = all.len();
        new
    }
}

struct Keeper {
    lines: Arc<Mutex<Vec<String>>>,
    spans: AtomicU64,
}

impl Subscriber for Keeper {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(self.spans.fetch_add(1, Ordering::Relaxed))
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line.0);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing into a string cannot fail.
        let _ = match field.name() {
            "message" => {
                let rest = std::mem::take(&mut self.0);
                write!(self.0, "{value:?}{rest}")
            }
            name => write!(self.0, " {name}={value:?}"),
        };
    }
}
