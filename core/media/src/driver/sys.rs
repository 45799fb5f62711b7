//! The system calls that the standard library does not have: epoll, event descriptors, the class of service, limits.
//!
//! Everything unsafe of this crate is here, and each call is a single one with arguments made beside it.
#![expect(unsafe_code, reason = "epoll and eventfd have no safe form in the standard library")]

use socket2::{Domain, Protocol, Socket, Type};
use std::fs::File;
use std::io::{Error, Read, Result, Write};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// Expedited forwarding, the class of voice (RFC 3246; RFC 4594 section 4.1), as the byte of the IP header.
const EXPEDITED_FORWARDING: u32 = 46 << 2;

/// Binds a socket that does not wait, marked as voice.
pub(super) fn bind(address: SocketAddr) -> Result<UdpSocket> {
    let kind = Type::DGRAM.nonblocking().cloexec();
    let socket = Socket::new(Domain::for_address(address), kind, Some(Protocol::UDP))?;
    socket.bind(&address.into())?;
    // A network that refuses the mark still carries the packets, so that the result does not matter.
    let _marked = match address {
        SocketAddr::V4(_) => socket.set_tos_v4(EXPEDITED_FORWARDING),
        SocketAddr::V6(_) => socket.set_tclass_v6(EXPEDITED_FORWARDING),
    };
    Ok(socket.into())
}

/// Room for what many browsers send to one socket while its thread is busy: 20 ms of 1,000 legs are 250 KB. The system may
/// allow less.
const SHARED_BUFFER_BYTES: usize = 1024 * 1024;

/// Binds the socket that browsers share.
pub(super) fn bind_shared(address: SocketAddr) -> Result<UdpSocket> {
    let socket = Socket::from(bind(address)?);
    // Less room means loss under load, no fault.
    let _larger = socket.set_recv_buffer_size(SHARED_BUFFER_BYTES);
    Ok(socket.into())
}

/// Raises the process's limit of open descriptors as far as it may, and tells it.
pub(super) fn raise_descriptor_limit() -> Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the structure lives through the call, which fills it in.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } < 0 {
        return Err(Error::last_os_error());
    }
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: the structure lives through the call, which reads it.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } < 0 {
        return Err(Error::last_os_error());
    }
    Ok(limit.rlim_cur)
}

/// Lets other threads go before this one. A system that refuses runs it all the same.
pub(super) fn give_way(niceness: i32) {
    // SAFETY: no pointer is passed; to the kernel a process of number 0 is the calling thread.
    let _done = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, niceness) };
}

/// A set of watched descriptors.
#[derive(Debug)]
pub(super) struct Epoll(OwnedFd);

impl Epoll {
    pub(super) fn new() -> Result<Self> {
        // SAFETY: no pointer is passed; the descriptor is checked before it is owned.
        owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) }).map(Self)
    }

    /// Watches for input, level-triggered; closing the descriptor ends it.
    pub(super) fn add(&self, watched: &impl AsFd, token: u64) -> Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN.cast_unsigned(), u64: token };
        let watched = watched.as_fd().as_raw_fd();
        // SAFETY: both descriptors are open, the event lives through the call, which copies it.
        let done = unsafe { libc::epoll_ctl(self.0.as_raw_fd(), libc::EPOLL_CTL_ADD, watched, &raw mut event) };
        if done < 0 { Err(Error::last_os_error()) } else { Ok(()) }
    }

    /// Waits until something is ready or `patience` is over (`None`: for ever). Rounds up to milliseconds.
    pub(super) fn wait(&self, ready: &mut Ready, patience: Option<Duration>) {
        let millis = patience
            .map_or(-1, |left| libc::c_int::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(libc::c_int::MAX));
        let room = libc::c_int::try_from(ready.events.len()).unwrap_or(libc::c_int::MAX);
        // SAFETY: the buffer holds `room` events and lives through the call.
        let count = unsafe { libc::epoll_wait(self.0.as_raw_fd(), ready.events.as_mut_ptr(), room, millis) };
        // Interrupted by a signal: nothing is ready, and the caller comes again.
        ready.count = usize::try_from(count).unwrap_or(0);
    }
}

/// What a wait found.
pub(super) struct Ready {
    events: Vec<libc::epoll_event>,
    count: usize,
}

impl Ready {
    pub(super) fn new(room: usize) -> Self {
        Self { events: vec![libc::epoll_event { events: 0, u64: 0 }; room], count: 0 }
    }

    /// The tokens of the ready descriptors.
    pub(super) fn tokens(&self) -> impl Iterator<Item = u64> {
        self.events.iter().take(self.count).map(|event| event.u64)
    }
}

/// A descriptor that wakes an [`Epoll`] from another thread.
#[derive(Debug)]
pub(super) struct EventFd(File);

impl EventFd {
    pub(super) fn new() -> Result<Self> {
        // SAFETY: no pointer is passed; the descriptor is checked before it is owned.
        let fd = owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        Ok(Self(fd.into()))
    }

    /// Wakes. Its counter being full means that it has been woken already.
    pub(super) fn signal(&self) {
        let _woken = (&self.0).write(&1_u64.to_ne_bytes());
    }

    /// Takes the wake back.
    pub(super) fn clear(&self) {
        let _count = (&self.0).read(&mut [0; 8]);
    }
}

impl AsFd for EventFd {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn owned(fd: RawFd) -> Result<OwnedFd> {
    if fd < 0 {
        return Err(Error::last_os_error());
    }
    // SAFETY: the kernel has just given this descriptor to us, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}
