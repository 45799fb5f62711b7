//! What the standard library does not ask sockets: how large their queues may be, and what was lost of them.
//!
//! Everything unsafe of this crate is here, and each call is a single one with arguments made beside it.
#![expect(unsafe_code, reason = "SO_RCVBUFFORCE and SO_MEMINFO have no safe form in the standard library")]

use std::net::UdpSocket;
use std::os::fd::{AsRawFd, RawFd};

/// Words of `SO_MEMINFO`, in the order of `linux/sock_diag.h`; the last one is what this asks for.
const MEMINFO_WORDS: usize = 9;

/// Gives a socket's receive queue this many bytes whatever `net.core.rmem_max` says, if the process may
/// (`CAP_NET_ADMIN`).
pub(super) fn force_receive_buffer(socket: &socket2::Socket, bytes: usize) -> bool {
    let Ok(value) = libc::c_int::try_from(bytes) else { return false };
    let length = libc::socklen_t::try_from(size_of_val(&value)).unwrap_or(0);
    let (fd, name): (RawFd, _) = (socket.as_raw_fd(), libc::SO_RCVBUFFORCE);
    // SAFETY: the descriptor is open, the value lives through the call and has the length that is given.
    unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, name, (&raw const value).cast(), length) == 0 }
}

/// Datagrams that the kernel dropped because the socket's queue was full, since it was opened. Wraps.
pub(super) fn dropped(socket: &UdpSocket) -> Option<u32> {
    let mut words = [0_u32; MEMINFO_WORDS];
    let mut length = libc::socklen_t::try_from(size_of_val(&words)).unwrap_or(0);
    let (fd, to) = (socket.as_raw_fd(), words.as_mut_ptr().cast());
    // SAFETY: the descriptor is open, the words live through the call, which writes no more than the length given.
    let done = unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_MEMINFO, to, &raw mut length) };
    words.last().copied().filter(|_| done == 0 && usize::try_from(length) == Ok(size_of_val(&words)))
}
