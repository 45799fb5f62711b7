//! Messages out of a stream.

use plugboard_sip::{Frame, FrameError, StreamFramer};

/// Pieces that a stream is cut into, before the same bytes come whole.
const PIECES_MAX: usize = 4_096;

/// The first byte says how long the pieces are, the others are the stream.
///
/// # Panics
/// When the same bytes give other messages or another end for being cut in pieces.
pub fn stream(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first() else { return };
    let length = (usize::from(*length) + 1).max(rest.len() / PIECES_MAX);
    let whole = frames(std::iter::once(rest));
    let pieces = frames(rest.chunks(length));
    assert_eq!(whole, pieces, "in pieces of {length}: {}", rest.escape_ascii());
}

/// Messages and faults, and how the stream ended. Keep-alives are left out: one in two reads is told as two.
fn frames<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Frame>, Option<FrameError>) {
    let (mut framer, mut found) = (StreamFramer::new(), Vec::new());
    for piece in pieces {
        framer.push(piece);
        loop {
            match framer.next_frame() {
                Ok(Some(Frame::Ping | Frame::Pong)) => {}
                Ok(Some(frame)) => {
                    if let Frame::Bad(error) = &frame {
                        let _ = error.answer().map(|answer| answer.to_bytes());
                    }
                    found.push(frame);
                }
                Ok(None) => break,
                Err(error) => {
                    let _ = error.0.answer().map(|answer| answer.to_bytes());
                    return (found, Some(error));
                }
            }
        }
    }
    (found, None)
}
