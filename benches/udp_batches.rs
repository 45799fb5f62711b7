//! What system calls for many datagrams at once (recvmmsg, sendmmsg) would save a SIP listener, beside one call for each, as
//! `core/switch/src/transport/udp.rs` makes them. Each measure is for a whole burst of datagrams of a usual message's length.

#![expect(clippy::expect_used, reason = "a bench that cannot go on says so and stops")]
#![expect(clippy::cast_possible_truncation, reason = "small numbers, which C counts in its own types")]
#![expect(unsafe_code, reason = "recvmmsg and sendmmsg have no safe form in the standard library")]

use std::hint::black_box;
use std::io::ErrorKind;
use std::mem::{size_of, zeroed};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;

use bytes::Bytes;
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Datagrams that wait together: one at some ten calls a second, a few at 1,000, the most that a shard takes in a turn.
const BURSTS: [usize; 5] = [1, 2, 4, 8, 32];
/// The most of one call.
const BATCH: usize = 32;
/// An INVITE with its description.
const MESSAGE: [u8; 900] = [b'x'; 900];
/// As the switch reads them: one byte more than SIP may have.
const DATAGRAM_MAX: usize = plugboard_sip::limits::UDP_BYTES_MAX + 1;

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    socket.set_nonblocking(true).expect("nonblocking");
    socket
}

fn address(socket: &UdpSocket) -> SocketAddr {
    socket.local_addr().expect("its address")
}

/// What the kernel is told of a batch: places for bytes and addresses that stay where they are.
struct Batch {
    bytes: Vec<Vec<u8>>,
    names: Vec<libc::sockaddr_in>,
    parts: Vec<libc::iovec>,
    heads: Vec<libc::mmsghdr>,
}

impl Batch {
    /// Places of this length, for messages to or from this address.
    fn new(len: usize, peer: SocketAddr) -> Self {
        let mut bytes = vec![vec![b'x'; len]; BATCH];
        let name = libc::sockaddr_in {
            sin_family: libc::AF_INET as libc::sa_family_t,
            sin_port: peer.port().to_be(),
            sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(Ipv4Addr::LOCALHOST.octets()) },
            sin_zero: [0; 8],
        };
        let mut names = vec![name; BATCH];
        let mut parts: Vec<libc::iovec> = bytes
            .iter_mut()
            .map(|place| libc::iovec { iov_base: place.as_mut_ptr().cast(), iov_len: place.len() })
            .collect();
        let heads = names.iter_mut().zip(parts.iter_mut()).map(|(name, part)| {
            // SAFETY: all of its fields are numbers and pointers, for which zero is a value.
            let mut head: libc::mmsghdr = unsafe { zeroed() };
            head.msg_hdr.msg_name = std::ptr::from_mut(name).cast();
            head.msg_hdr.msg_namelen = size_of::<libc::sockaddr_in>() as libc::socklen_t;
            head.msg_hdr.msg_iov = part;
            head.msg_hdr.msg_iovlen = 1;
            head
        });
        let heads = heads.collect();
        Self { bytes, names, parts, heads }
    }

    /// How many came, all that waited if they fit.
    fn receive(&mut self, socket: &UdpSocket) -> usize {
        // SAFETY: the heads point into vectors of this struct, which are as long and are not touched meanwhile.
        let came = unsafe {
            libc::recvmmsg(socket.as_raw_fd(), self.heads.as_mut_ptr(), BATCH as u32, 0, std::ptr::null_mut())
        };
        usize::try_from(came).unwrap_or(0)
    }

    fn send(&mut self, socket: &UdpSocket, many: usize) {
        assert!(many <= self.names.len() && many <= self.parts.len());
        // SAFETY: the same.
        let went = unsafe { libc::sendmmsg(socket.as_raw_fd(), self.heads.as_mut_ptr(), many as u32, 0) };
        assert_eq!(usize::try_from(went), Ok(many));
    }
}

/// Reads all that waits, each in a call of its own, until the kernel says that there is no more.
fn one_by_one(socket: &UdpSocket, buffer: &mut [u8]) -> usize {
    let mut came = 0;
    loop {
        match socket.recv_from(buffer) {
            Ok((len, from)) => {
                black_box((Bytes::copy_from_slice(buffer.get(..len).unwrap_or_default()), from));
                came += 1;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return came,
            Err(error) => panic!("{error}"),
        }
    }
}

/// The same by batches; one that is not full was the last.
fn by_batches(socket: &UdpSocket, batch: &mut Batch) -> usize {
    let mut all = 0;
    loop {
        let came = batch.receive(socket);
        for (bytes, head) in batch.bytes.iter().zip(&batch.heads).take(came) {
            let len = usize::try_from(head.msg_len).unwrap_or_default();
            black_box(Bytes::copy_from_slice(bytes.get(..len).unwrap_or_default()));
        }
        all += came;
        if came < BATCH {
            return all;
        }
    }
}

/// Sends datagrams, each in a call of its own.
fn send_one_by_one(socket: &UdpSocket, to: SocketAddr, many: usize) {
    for _ in 0..many {
        let sent = socket.send_to(&MESSAGE, to).expect("sent");
        assert_eq!(sent, MESSAGE.len());
    }
}

fn receiving(criterion: &mut Criterion) {
    let (phone, switch) = (socket(), socket());
    let to = address(&switch);
    let mut buffer = vec![0; DATAGRAM_MAX];
    let mut batch = Batch::new(DATAGRAM_MAX, address(&phone));
    let mut group = criterion.benchmark_group("udp receive");
    for burst in BURSTS {
        let fill = || send_one_by_one(&phone, to, burst);
        group.throughput(Throughput::Elements(burst as u64));
        group.bench_function(BenchmarkId::new("recvfrom", burst), |bench| {
            bench.iter_batched(fill, |()| assert_eq!(one_by_one(&switch, &mut buffer), burst), BatchSize::PerIteration);
        });
        group.bench_function(BenchmarkId::new("recvmmsg", burst), |bench| {
            bench.iter_batched(fill, |()| assert_eq!(by_batches(&switch, &mut batch), burst), BatchSize::PerIteration);
        });
    }
    group.finish();
}

fn sending(criterion: &mut Criterion) {
    let (phone, switch) = (socket(), socket());
    let to = address(&phone);
    let mut buffer = vec![0; DATAGRAM_MAX];
    let mut batch = Batch::new(MESSAGE.len(), to);
    let mut group = criterion.benchmark_group("udp send");
    for burst in BURSTS {
        let mut empty = || {
            one_by_one(&phone, &mut buffer);
        };
        group.throughput(Throughput::Elements(burst as u64));
        group.bench_function(BenchmarkId::new("sendto", burst), |bench| {
            bench.iter_batched(&mut empty, |()| send_one_by_one(&switch, to, burst), BatchSize::PerIteration);
        });
        group.bench_function(BenchmarkId::new("sendmmsg", burst), |bench| {
            bench.iter_batched(&mut empty, |()| batch.send(&switch, burst), BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, receiving, sending);
criterion_main!(benches);
