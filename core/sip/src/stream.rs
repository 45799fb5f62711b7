//! Messages out of a byte stream.

use crate::lexer::{Head, parse_whole};
use crate::limits::STREAM_BYTES_MAX;
use crate::message::Message;
use crate::rejection::{Fault, ParseError};

/// What came out of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every frame is a message; a box would cost each an allocation")]
pub enum Frame {
    /// A message.
    Message(Message),
    /// A keep-alive of the peer, to be answered with [`PONG`].
    ///
    /// One whose halves come in two reads is told as `Pong` and then `Ping`: either shows that the peer lives.
    Ping,
    /// The peer's answer to a keep-alive of ours.
    Pong,
    /// A message that is whole but faulty. The stream goes on.
    Bad(ParseError),
}

/// Why a stream cannot be read any further: answer if there is something to answer, then close it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stream cannot be framed any more: {0}")]
pub struct FrameError(#[from] pub ParseError);

/// The keep-alive that a client sends on a stream (RFC 5626 section 3.5.1).
pub const PING: &[u8] = b"\r\n\r\n";
/// Its answer.
pub const PONG: &[u8] = b"\r\n";

/// Reads the one message of a WebSocket's frame, which its peer ends as a datagram ends, or a keep-alive.
///
/// Source: RFC 7118 sections 5 and 6; RFC 5626 section 4.4.1.
pub fn read_websocket(bytes: &[u8]) -> Frame {
    match bytes {
        PING => Frame::Ping,
        [] | PONG => Frame::Pong,
        [_, ..] => parse_whole(bytes, STREAM_BYTES_MAX).map_or_else(Frame::Bad, Frame::Message),
    }
}

/// What an idle connection keeps: one usual message, so that the next one needs no new memory.
const IDLE_BUFFER_BYTES: usize = 1024;

/// Cuts one connection's bytes into messages by Content-Length, and tells keep-alives.
///
/// Feed it with [`StreamFramer::push`], then take frames until there is none. It never holds more than
/// [`STREAM_BYTES_MAX`] plus what was pushed last.
///
/// Source: RFC 3261 sections 7.5 and 18.3, RFC 5626 sections 3.5.1 and 4.4.1.
#[derive(Debug, Default)]
pub struct StreamFramer {
    buffer: Vec<u8>,
    /// Bytes of the buffer that were given out.
    used: usize,
    state: State,
}

#[derive(Debug, Default)]
enum State {
    /// Between messages.
    #[default]
    Idle,
    /// After a single CRLF that was the last of what had come: another one makes it a ping.
    HalfPing,
    /// Within start line and headers; so many bytes are known to hold no empty line.
    Head { scanned: usize },
    /// Within a body.
    Body { head: Box<Head>, length: usize },
    /// After a fault that hides where the next message starts.
    Dead,
}

impl StreamFramer {
    /// For a new connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes as the connection gave them. After a [`FrameError`] they are dropped.
    pub fn push(&mut self, bytes: &[u8]) {
        if matches!(self.state, State::Dead) {
            return;
        }
        self.buffer.drain(..self.used);
        self.used = 0;
        self.buffer.extend_from_slice(bytes);
    }

    /// The next frame, `None` until more bytes come.
    ///
    /// # Errors
    /// When the message's end cannot be told: too large, or its Content-Length missing or malformed.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FrameError> {
        loop {
            match std::mem::replace(&mut self.state, State::Dead) {
                State::Dead => return Ok(None),
                State::Idle => match self.rest() {
                    [b'\r', b'\n', b'\r', b'\n', ..] => return Ok(Some(self.keep_alive(Frame::Ping, 4))),
                    [] | [b'\r'] | [b'\r', b'\n', b'\r'] => return Ok(self.wait(State::Idle)),
                    [b'\r', b'\n'] => {
                        self.used += 2;
                        self.state = State::HalfPing;
                        return Ok(Some(Frame::Pong));
                    }
                    [b'\r', b'\n', ..] => return Ok(Some(self.keep_alive(Frame::Pong, 2))),
                    [b'\n', ..] => {
                        self.used += 1;
                        self.state = State::Idle;
                    }
                    [_, ..] => self.state = State::Head { scanned: 0 },
                },
                State::HalfPing => match self.rest() {
                    [b'\r', b'\n', ..] => return Ok(Some(self.keep_alive(Frame::Ping, 2))),
                    [] | [b'\r'] => return Ok(self.wait(State::HalfPing)),
                    [_, ..] => self.state = State::Idle,
                },
                State::Head { scanned } => {
                    let Some(end) = head_end(self.rest(), scanned) else {
                        let scanned = self.rest().len();
                        if scanned > STREAM_BYTES_MAX {
                            return Err(FrameError(ParseError::Drop(Fault::TooLarge)));
                        }
                        return Ok(self.wait(State::Head { scanned }));
                    };
                    self.begin_body(end)?;
                }
                State::Body { head, length } => {
                    let Some(body) = self.buffer.get(self.used..self.used + length) else {
                        return Ok(self.wait(State::Body { head, length }));
                    };
                    let frame = head.finish(body).map_or_else(Frame::Bad, Frame::Message);
                    self.used += length;
                    self.state = State::Idle;
                    return Ok(Some(frame));
                }
            }
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.used..).unwrap_or_default()
    }

    /// No frame until more bytes come.
    fn wait(&mut self, state: State) -> Option<Frame> {
        self.state = state;
        // Thousands of phones keep an idle connection each: what a burst took is given back.
        if self.used == self.buffer.len() {
            self.used = 0;
            self.buffer.clear();
            self.buffer.shrink_to(IDLE_BUFFER_BYTES);
        }
        None
    }

    fn keep_alive(&mut self, frame: Frame, bytes: usize) -> Frame {
        self.used += bytes;
        self.state = State::Idle;
        frame
    }

    /// Reads the head that ends at `end` and goes on to its body.
    fn begin_body(&mut self, end: usize) -> Result<(), FrameError> {
        let (mut head, _) = Head::read(self.rest().get(..end).unwrap_or_default());
        self.used += end;
        let fault = match (head.fault, head.content_length) {
            (Some(fault @ (Fault::ContentLength | Fault::NotSip | Fault::TooManyHeaders)), _) => Some(fault),
            (_, None) => Some(Fault::NoContentLength),
            (_, Some(length)) if end.saturating_add(length) > STREAM_BYTES_MAX => Some(Fault::TooLarge),
            (_, Some(_)) => None,
        };
        if let Some(fault) = fault {
            head.fault = Some(fault);
            return match head.finish(&[]) {
                Err(error) => Err(FrameError(error)),
                Ok(_) => unreachable!("a head with a fault never becomes a message"),
            };
        }
        let length = head.content_length.unwrap_or_default();
        self.state = State::Body { head: Box::new(head), length };
        Ok(())
    }
}

/// How long the head is with its empty line; the first `scanned` bytes were looked at before.
fn head_end(bytes: &[u8], scanned: usize) -> Option<usize> {
    // An empty line may straddle the border, hence three bytes back.
    let mut from = scanned.saturating_sub(3);
    loop {
        let lf = from + memchr::memchr(b'\n', bytes.get(from..)?)?;
        match bytes.get(lf + 1..) {
            Some([b'\n', ..]) => return Some(lf + 2),
            Some([b'\r', b'\n', ..]) => return Some(lf + 3),
            Some(_) | None => from = lf + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &str = "OPTIONS sip:h SIP/2.0\r\nVia: SIP/2.0/TCP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n\
                           To: <sip:h>\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n";

    fn message(body: &str) -> String {
        format!("{OPTIONS}Content-Length: {}\r\n\r\n{body}", body.len())
    }

    fn drain(framer: &mut StreamFramer) -> Vec<Frame> {
        std::iter::from_fn(|| framer.next_frame().unwrap()).collect()
    }

    fn bodies(frames: &[Frame]) -> Vec<&[u8]> {
        fn body(frame: &Frame) -> Option<&[u8]> {
            match frame {
                Frame::Message(message) => Some(message.body()),
                Frame::Ping | Frame::Pong | Frame::Bad(_) => None,
            }
        }
        frames.iter().filter_map(body).collect()
    }

    #[test]
    fn messages_come_out_the_same_however_the_bytes_are_cut() {
        let bytes = format!("{}\r\n\r\n{}\r\n{}", message("abc"), message("\r\n\r\n"), message(""));
        for cut in 1..bytes.len() {
            let mut framer = StreamFramer::new();
            let mut frames = Vec::new();
            for part in bytes.as_bytes().chunks(cut) {
                framer.push(part);
                frames.extend(drain(&mut framer));
            }
            assert_eq!(bodies(&frames), [&b"abc"[..], b"\r\n\r\n", b""], "cut {cut}");
            assert_eq!(frames.iter().filter(|frame| **frame == Frame::Ping).count(), 1, "cut {cut}");
        }
    }

    #[test]
    fn double_crlf_is_a_ping_and_a_single_one_a_pong() {
        let mut framer = StreamFramer::new();
        framer.push(b"\r\n\r\n\r\n");
        assert_eq!(drain(&mut framer), [Frame::Ping, Frame::Pong]);
    }

    #[test]
    fn missing_length_is_answered_and_ends_the_stream() {
        let mut framer = StreamFramer::new();
        framer.push(format!("{OPTIONS}\r\n{}", message("")).as_bytes());
        let error = framer.next_frame().unwrap_err();
        assert_eq!(error.0.fault(), Fault::NoContentLength);
        assert_eq!(error.0.answer().unwrap().status, 400);
        assert_eq!(framer.next_frame(), Ok(None));
    }

    #[test]
    fn faulty_message_of_known_length_does_not_end_the_stream() {
        let mut framer = StreamFramer::new();
        let bad = message("xyz").replacen("SIP/2.0\r", "SIP/7.0\r", 1);
        framer.push(format!("{bad}{}", message("ok")).as_bytes());
        let frames = drain(&mut framer);
        let [Frame::Bad(error), Frame::Message(_)] = frames.as_slice() else { panic!("{frames:?}") };
        assert_eq!(error.answer().unwrap().status, 505);
    }

    #[test]
    fn a_websocket_frame_is_one_message_with_or_without_a_length() {
        let Frame::Message(with) = read_websocket(message("hello").as_bytes()) else { panic!() };
        let Frame::Message(without) = read_websocket(format!("{OPTIONS}\r\nhello").as_bytes()) else { panic!() };
        assert_eq!([with.body(), without.body()], [b"hello", b"hello"]);
        assert_eq!([PING, PONG, b""].map(read_websocket), [Frame::Ping, Frame::Pong, Frame::Pong]);
        let long = message(&"x".repeat(20_000));
        assert!(matches!(read_websocket(long.as_bytes()), Frame::Message(_)), "longer than a datagram");
        assert!(matches!(read_websocket(&vec![b'x'; STREAM_BYTES_MAX + 1]), Frame::Bad(_)));
    }

    #[test]
    fn message_past_the_limit_is_refused_before_its_body_comes() {
        let mut framer = StreamFramer::new();
        framer.push(format!("{OPTIONS}Content-Length: {STREAM_BYTES_MAX}\r\n\r\n").as_bytes());
        assert_eq!(framer.next_frame().unwrap_err().0.answer().unwrap().status, 513);
    }

    #[test]
    fn headers_without_end_are_cut_off_at_the_limit() {
        let mut framer = StreamFramer::new();
        framer.push(OPTIONS.as_bytes());
        let mut pushed = OPTIONS.len();
        while pushed <= STREAM_BYTES_MAX {
            assert_eq!(framer.next_frame(), Ok(None));
            framer.push(&[b'x'; 4096]);
            pushed += 4096;
        }
        assert_eq!(framer.next_frame().unwrap_err().0.fault(), Fault::TooLarge);
    }
}
