//! Audio files.

use plugboard_media::{g711::Law, wav as format};

/// Longer files say the same and take a second each.
const BYTES_MAX: usize = 64 * 1024;

/// The bytes are a WAV file.
///
/// # Panics
/// When a file that was read is not read again as it was written.
pub fn wav(bytes: &[u8]) {
    if bytes.len() > BYTES_MAX {
        return;
    }
    let Ok(audio) = format::read(bytes) else { return };
    let written = format::write(&audio, Law::A);
    let again = format::read(&written).map(|audio| audio.bytes(Law::A).to_vec());
    assert_eq!(again.ok().as_deref(), Some(audio.bytes(Law::A)));
}
