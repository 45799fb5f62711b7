//! Frames of a WebSocket, as a client sends them after the upgrade.

use plugboard_sip::limits::STREAM_BYTES_MAX;
use plugboard_sip::{Frame, read_websocket};
use std::io::{self, Read, Write};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Message, WebSocket};

/// Frames of one input: a frame has two bytes at least, and those without a mask end the connection.
const FRAMES_MAX: usize = 10_000;

/// The bytes are what a client sends.
///
/// # Panics
/// When a frame is longer than the limit, or a message that was read is not written as it was.
pub fn websocket(bytes: &[u8]) {
    let mut limits = WebSocketConfig::default();
    limits.max_message_size = Some(STREAM_BYTES_MAX);
    limits.max_frame_size = Some(STREAM_BYTES_MAX);
    let mut socket = WebSocket::from_raw_socket(Client(bytes), Role::Server, Some(limits));
    for _ in 0..FRAMES_MAX {
        let frame = match socket.read() {
            Ok(Message::Text(text)) => text.as_bytes().to_vec(),
            Ok(Message::Binary(bytes)) => bytes.to_vec(),
            Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_) | Message::Close(_)) => continue,
            Err(_) => return,
        };
        assert!(frame.len() <= STREAM_BYTES_MAX, "{} bytes", frame.len());
        match read_websocket(&frame) {
            Frame::Message(message) => {
                let written = message.to_bytes();
                assert_eq!(read_websocket(&written), Frame::Message(message), "{}", written.escape_ascii());
            }
            Frame::Bad(error) => drop(error.answer().map(|answer| answer.to_bytes())),
            Frame::Ping | Frame::Pong => {}
        }
    }
}

/// Says its bytes and hangs up; what it is told goes nowhere.
struct Client<'a>(&'a [u8]);

impl Read for Client<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Client<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
