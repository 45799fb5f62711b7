//! Which of many sockets has something to read. The one place here that talks to the kernel without the standard library.
#![expect(unsafe_code, reason = "epoll has no safe form in the standard library")]

use std::io;
use std::net::UdpSocket;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// Events told at once.
const EVENTS: usize = 256;

/// Sockets that are watched, by their place in a list.
pub(crate) struct Epoll {
    epoll: OwnedFd,
    events: [libc::epoll_event; EVENTS],
}

impl Epoll {
    /// Watches these.
    pub(crate) fn of<'a>(sockets: impl Iterator<Item = &'a UdpSocket>) -> io::Result<Self> {
        // SAFETY: no pointers.
        let descriptor = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new, open and owned by nobody else.
        let epoll = unsafe { OwnedFd::from_raw_fd(descriptor) };
        for (place, socket) in sockets.enumerate() {
            let mut event = libc::epoll_event {
                events: libc::EPOLLIN.cast_unsigned(),
                u64: u64::try_from(place).unwrap_or(u64::MAX),
            };
            let add = libc::EPOLL_CTL_ADD;
            // SAFETY: both descriptors are open and the event lives through the call.
            if unsafe { libc::epoll_ctl(epoll.as_raw_fd(), add, socket.as_raw_fd(), &raw mut event) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(Self { epoll, events: [libc::epoll_event { events: 0, u64: 0 }; EVENTS] })
    }

    /// The places of those that have something, after at most so long.
    pub(crate) fn wait(&mut self, limit: Duration) -> impl Iterator<Item = usize> {
        let limit = i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
        let room = i32::try_from(EVENTS).unwrap_or(0);
        // SAFETY: the buffer holds as many events as it is said to.
        let count = unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), self.events.as_mut_ptr(), room, limit) };
        let count = usize::try_from(count).unwrap_or(0);
        self.events.iter().take(count).filter_map(|event| usize::try_from(event.u64).ok())
    }
}
