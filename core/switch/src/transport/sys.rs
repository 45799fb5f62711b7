//! What the standard library does not ask sockets: how large their queues may be, what was lost of them, and what was not taken.
//!
//! Everything unsafe of this crate is here, and each call is a single one with arguments made beside it.
#![expect(
    unsafe_code,
    reason = "SO_RCVBUFFORCE, SO_MEMINFO, IP_RECVERR and IP_MTU_DISCOVER have no safe form in the standard library"
)]

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

/// Words of `SO_MEMINFO`, in the order of `linux/sock_diag.h`; the last one is what this asks for.
const MEMINFO_WORDS: usize = 9;

/// Gives a socket's receive queue this many bytes whatever `net.core.rmem_max` says, if the process may
/// (`CAP_NET_ADMIN`).
pub(super) fn force_receive_buffer(socket: &socket2::Socket, bytes: usize) -> bool {
    let Ok(value) = libc::c_int::try_from(bytes) else { return false };
    set_option(socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, value)
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

/// Has the kernel keep what hosts say of the datagrams that are sent to them (ICMP), for [`undelivered`].
pub(super) fn tell_undelivered(socket: &socket2::Socket, v6: bool) -> bool {
    let (level, name) =
        if v6 { (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) } else { (libc::IPPROTO_IP, libc::IP_RECVERR) };
    set_option(socket, level, name, 1)
}

/// Lets a datagram be cut on its way where it is too long for it. Nothing that is said of an IPv4 one to be too long is told to
/// the socket then; of IPv6 it still is.
pub(super) fn may_be_cut(socket: &socket2::Socket, v6: bool) -> bool {
    let (level, name, never) = if v6 {
        (libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, libc::IPV6_PMTUDISC_DONT)
    } else {
        (libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_DONT)
    };
    set_option(socket, level, name, never)
}

fn set_option(socket: &socket2::Socket, level: libc::c_int, name: libc::c_int, value: libc::c_int) -> bool {
    let length = libc::socklen_t::try_from(size_of_val(&value)).unwrap_or(0);
    // SAFETY: the descriptor is open, the value lives through the call and has the length that is given.
    unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const value).cast(), length) == 0 }
}

/// The next that was said so: to whom the datagram went, if he cannot be reached, and how much of it was quoted into `buffer`.
///
/// # Errors
/// `WouldBlock` when nothing was.
pub(super) fn undelivered(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<(Option<SocketAddr>, usize)> {
    let (mut to, mut control) = (socket2::SockAddrStorage::zeroed(), Control([0; CONTROL_BYTES]));
    let mut part = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: a `msghdr` is numbers and pointers, of which zero is a value: that of a message without anything.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    (message.msg_name, message.msg_namelen) = ((&raw mut to).cast(), to.size_of());
    (message.msg_iov, message.msg_iovlen) = (&raw mut part, 1);
    (message.msg_control, message.msg_controllen) = (control.0.as_mut_ptr().cast(), CONTROL_BYTES);
    let fd = socket.as_raw_fd();
    // SAFETY: the descriptor is open; address, buffer and control live through the call, which writes no more than their lengths.
    let read = unsafe { libc::recvmsg(fd, &raw mut message, libc::MSG_ERRQUEUE) };
    let len = usize::try_from(read).map_err(|_| io::Error::last_os_error())?;
    // SAFETY: the call has written an address of this length.
    let to = unsafe { socket2::SockAddr::new(to, message.msg_namelen) };
    Ok((to.as_socket().filter(|_| is_unreachable(&control.0)), len))
}

/// Room for one extended error with the address of who said so.
const CONTROL_BYTES: usize = 512;

/// As a header of control data is aligned.
#[repr(align(8))]
struct Control([u8; CONTROL_BYTES]);

/// Destination unreachable, in ICMP of both families; and the code of the former that says that it is only too long.
const UNREACHABLE: u8 = 3;
const UNREACHABLE_V6: u8 = 1;
const TOO_LONG: u8 = 4;

/// Whether an error that was read says that the peer cannot be reached. That it took too many hops or was too long says nothing of him
/// (RFC 3261 section 18.4).
///
/// The layout is that of a `cmsghdr` (length, level, type) with a `sock_extended_err` in it (errno, origin, type, code), `ip(7)`.
fn is_unreachable(control: &[u8]) -> bool {
    let Some((header, error)) = control.split_at_checked(size_of::<libc::cmsghdr>()) else { return false };
    let word = |at: usize| Some(libc::c_int::from_ne_bytes(header.get(at..at + 4)?.try_into().ok()?));
    let (level, kind) = (word(size_of::<libc::size_t>()), word(size_of::<libc::size_t>() + 4));
    match (level, kind, error) {
        (Some(libc::IPPROTO_IP), Some(libc::IP_RECVERR), [_, _, _, _, libc::SO_EE_ORIGIN_ICMP, kind, code, ..]) => {
            *kind == UNREACHABLE && *code != TOO_LONG
        }
        (Some(libc::IPPROTO_IPV6), Some(libc::IPV6_RECVERR), [_, _, _, _, libc::SO_EE_ORIGIN_ICMP6, kind, ..]) => {
            *kind == UNREACHABLE_V6
        }
        _ => false,
    }
}
