//! What can be heard: sound files and words read aloud, made ready to be played.
//!
//! [`file::read`] takes what people record and buy (WAV, MP3, FLAC, Ogg with Vorbis or Opus) and gives what calls play: mono at the
//! telephone's rate, all of one loudness. [`espeak::Espeak`] reads words aloud. Both take their time and belong on threads that carry no
//! calls. Only the server wires this crate.

mod cache;
pub mod espeak;
pub mod file;
mod level;
mod library;
mod rate;

pub use cache::Cache;
pub use library::{LoadError, load_file, load_folder};
