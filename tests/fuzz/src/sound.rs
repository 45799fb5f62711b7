//! Sound files.

use plugboard_sound::file;

/// Longer files say the same and take a second each.
const BYTES_MAX: usize = 64 * 1024;

/// Ten minutes, and what a filter adds.
const SAMPLES_MAX: usize = 601 * 8_000;

/// The bytes are a sound file.
///
/// # Panics
/// When more comes out than may be kept.
pub fn sound(bytes: &[u8]) {
    if bytes.len() > BYTES_MAX {
        return;
    }
    if let Ok(samples) = file::read(bytes.to_vec(), None) {
        assert!(!samples.is_empty() && samples.len() <= SAMPLES_MAX, "{}", samples.len());
    }
}
