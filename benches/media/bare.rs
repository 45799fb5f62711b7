//! The bare relay: one epoll thread, a socket per leg, no look at the packets. What the kernel itself costs.

use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// A running bare relay; it ends when it is dropped.
pub(crate) struct Bare {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Bare {
    /// Whatever comes at one socket of a pair leaves by the other, to the phone that stands there. Its thread is `bare-0`.
    pub(crate) fn start(routes: Vec<(UdpSocket, SocketAddr)>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("bare-0".into()).spawn(move || relay(&routes, &stopped)).unwrap();
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

#[expect(unsafe_code, reason = "epoll has no safe form in the standard library")]
fn relay(routes: &[(UdpSocket, SocketAddr)], stop: &AtomicBool) {
    // SAFETY: no pointers.
    let epoll = unsafe { libc::epoll_create1(0) };
    for (index, (socket, _)) in routes.iter().enumerate() {
        let mut event = libc::epoll_event { events: libc::EPOLLIN.cast_unsigned(), u64: u64::try_from(index).unwrap() };
        // SAFETY: both descriptors are open and the event lives through the call.
        unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, socket.as_raw_fd(), &raw mut event) };
    }
    let mut events = [libc::epoll_event { events: 0, u64: 0 }; 256];
    let mut packet = [0; 2_048];
    while !stop.load(Ordering::Relaxed) {
        // SAFETY: the buffer holds 256 events.
        let count = unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), 256, 100) };
        for event in events.iter().take(usize::try_from(count).unwrap_or(0)) {
            let index = usize::try_from(event.u64).unwrap();
            let Some((socket, _)) = routes.get(index) else { continue };
            if let (Ok((length, _)), Some((other, phone))) = (socket.recv_from(&mut packet), routes.get(index ^ 1)) {
                let _sent = other.send_to(packet.get(..length).unwrap_or_default(), phone);
            }
        }
    }
    // SAFETY: the descriptor is ours and not used again.
    unsafe { libc::close(epoll) };
}
