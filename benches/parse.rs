//! What it costs to peek at, read, judge and write a SIP message; the budget is 1.8 us to read an INVITE of 700 bytes.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use plugboard_sip::{Message, StreamFramer, check_syntax, parse_datagram, peek};

const SDP: &str = "v=0\r\no=- 3724394400 3724394405 IN IP4 192.0.2.5\r\ns=-\r\nc=IN IP4 192.0.2.5\r\nt=0 0\r\n\
                   m=audio 49170 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";

fn invite() -> Vec<u8> {
    format!(
        "INVITE sip:102@192.0.2.1:5060;transport=udp SIP/2.0\r\n\
         Via: SIP/2.0/UDP 192.0.2.5:5062;branch=z9hG4bK-524287-1---c5f2a4b1e7d9;rport\r\n\
         Max-Forwards: 70\r\n\
         Contact: <sip:101@192.0.2.5:5062;transport=UDP>\r\n\
         To: <sip:102@office.example.com>\r\n\
         From: \"Ann Example\"<sip:101@office.example.com>;tag=b3f9a1c2\r\n\
         Call-ID: 7Qx0b5Yw2rTn8Lk4@192.0.2.5\r\n\
         CSeq: 1 INVITE\r\n\
         Allow: INVITE, ACK, CANCEL, BYE, NOTIFY, REFER, MESSAGE, OPTIONS, INFO, SUBSCRIBE\r\n\
         Content-Type: application/sdp\r\n\
         Supported: replaces, norefersub\r\n\
         User-Agent: Phone 5.6.1\r\n\
         Content-Length: {}\r\n\r\n{SDP}",
        SDP.len()
    )
    .into_bytes()
}

fn parse(criterion: &mut Criterion) {
    let bytes = invite();
    let Ok(Message::Request(request)) = parse_datagram(&bytes) else { panic!("the INVITE is sound") };
    let mut group = criterion.benchmark_group("sip");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("peek", |bencher| bencher.iter(|| peek(black_box(&bytes)).map(|peek| peek.call_id.len())));
    group.bench_function("parse", |bencher| bencher.iter(|| parse_datagram(black_box(&bytes))));
    group.bench_function("check", |bencher| bencher.iter(|| check_syntax(black_box(&request))));
    group.bench_function("clone", |bencher| bencher.iter(|| black_box(&request).clone()));
    group.bench_function("write", |bencher| {
        let mut out = Vec::with_capacity(2048);
        bencher.iter(|| {
            out.clear();
            black_box(&request).write_to(&mut out);
            out.len()
        });
    });
    group.bench_function("stream", |bencher| {
        let mut framer = StreamFramer::new();
        bencher.iter(|| {
            framer.push(black_box(&bytes));
            framer.next_frame()
        });
    });
    group.finish();
}

criterion_group!(benches, parse);
criterion_main!(benches);
