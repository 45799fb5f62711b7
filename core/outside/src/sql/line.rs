//! The way to a server: dialled here, so that the address is one that may be, and carried to the driver by a socket of this machine.
//!
//! The drivers would look names up themselves. So the server is dialled first, and what the driver is given is a socket in a folder that
//! is ours alone and takes one connection; its TLS has the server's name all the same. What the server may say at once is counted here:
//! a driver holds a whole row before anybody sees how long it is.

use std::fs::DirBuilder;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::unix::OwnedWriteHalf;
use tokio::net::{TcpStream, UnixListener, UnixStream, tcp};

use super::{NoRows, Server, reason};
use crate::dialling::Names;

/// What a server says until it lets us in.
const GREETING_MAX: u64 = 1_048_576;
/// What an answer has besides its values: names of columns, notices, TLS.
const AROUND_ROWS: u64 = 262_144;
/// A value takes no more bytes on its way than so many times those of its JSON.
const WIRE_FACTOR: u64 = 4;
/// A driver connects to its door at once.
const DOOR_OPEN: Duration = Duration::from_secs(5);
/// Doors are numbered; whoever took so many names wants us to have none.
const DOORS_TRIED: u32 = 1_000;
/// Bytes that are carried at once.
const PIECE: usize = 16_384;

/// How much a server may say.
#[derive(Debug)]
pub(super) struct Budget {
    left: AtomicU64,
    over: AtomicBool,
}

impl Budget {
    /// From now on an answer of so many bytes fits.
    pub(super) fn allow(&self, bytes_max: u32) {
        self.left.store(u64::from(bytes_max).saturating_mul(WIRE_FACTOR) + AROUND_ROWS, Ordering::Relaxed);
    }

    /// It said more, and the line was cut.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn takes(&self, len: usize) -> bool {
        let len = u64::try_from(len).unwrap_or(u64::MAX);
        let left = self.left.load(Ordering::Relaxed);
        self.left.store(left.saturating_sub(len), Ordering::Relaxed);
        if len > left {
            self.over.store(true, Ordering::Relaxed);
        }
        len <= left
    }
}

/// A connection to a server, that nobody speaks through yet.
pub(super) struct Line {
    far: TcpStream,
    budget: Arc<Budget>,
}

impl Line {
    /// Dials a server at the first address that takes the call and may be dialled.
    pub(super) async fn to(server: &Server, private: bool, names: &Names) -> Result<Self, NoRows> {
        let found = names.find(&server.host, private).await.map_err(NoRows::Unreachable)?;
        let mut why = format!("{} has no address", server.host);
        for address in found {
            match TcpStream::connect(SocketAddr::new(address, server.port)).await {
                Ok(far) => {
                    let _ = far.set_nodelay(true);
                    let budget = Budget { left: AtomicU64::new(GREETING_MAX), over: AtomicBool::new(false) };
                    return Ok(Self { far, budget: Arc::new(budget) });
                }
                Err(error) => why = reason(&error),
            }
        }
        Err(NoRows::Unreachable(why))
    }

    /// How much the server may say.
    pub(super) fn budget(&self) -> Arc<Budget> {
        Arc::clone(&self.budget)
    }

    /// A folder with a socket of this name, through which the next one speaks to the server.
    pub(super) fn door(self, name: &str) -> Result<Folder, NoRows> {
        let told = |error: io::Error| NoRows::Unreachable(format!("no socket for the driver: {}", reason(&error)));
        let folder = Folder::create().map_err(told)?;
        let listener = UnixListener::bind(folder.path().join(name)).map_err(told)?;
        spawn(async move {
            if let Ok(Ok((near, _))) = tokio::time::timeout(DOOR_OPEN, listener.accept()).await {
                drop(listener);
                carry(near, self).await;
            }
        });
        Ok(folder)
    }

    /// The near end, for a driver that takes one.
    pub(super) fn end(self) -> Result<UnixStream, NoRows> {
        let (ours, theirs) = UnixStream::pair().map_err(|error| NoRows::Unreachable(reason(&error)))?;
        spawn(carry(ours, self));
        Ok(theirs)
    }
}

/// Carries until either end goes, or the server says too much.
async fn carry(near: UnixStream, line: Line) {
    let (mut near_in, near_out) = near.into_split();
    let (far_in, mut far_out) = line.far.into_split();
    tokio::select! {
        _ = tokio::io::copy(&mut near_in, &mut far_out) => {}
        () = back(far_in, near_out, &line.budget) => {}
    }
}

async fn back(mut far: tcp::OwnedReadHalf, mut near: OwnedWriteHalf, budget: &Budget) {
    let mut piece = vec![0; PIECE];
    while let Ok(len) = far.read(&mut piece).await {
        let said = piece.get(..len).unwrap_or_default();
        if said.is_empty() || !budget.takes(len) || near.write_all(said).await.is_err() {
            return;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "one for each connection, which are counted, and gone with it")]
fn spawn(carrying: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(carrying);
}

/// A folder that nobody else looks into; it goes with its owner.
pub(super) struct Folder(PathBuf);

impl Folder {
    fn create() -> io::Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
        for _ in 0..DOORS_TRIED {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("plugboard-{}-{number}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be taken away stays: an empty folder harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
