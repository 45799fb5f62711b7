//! The pixels of a page, strip by strip.

use spandsp::t4::T4Compression;
use spandsp::t4_rx::T4T6Decoder;
use std::cell::RefCell;
use std::rc::Rc;

use super::DocumentFault;
use super::tiff::{File, Packing, Picture};

/// What ends a page of ITU-T T.4: six ends of a line, the first bit of each byte lowest. Writers of TIFF leave it out, and without it the
/// last row is not known to be whole.
const LAST_LINES: [u8; 9] = [0x00, 0x08, 0x80, 0x00, 0x08, 0x80, 0x00, 0x08, 0x80];

/// Rows of bits, eight in a byte, the leftmost in the highest; 1 is black.
pub(super) fn unpack(file: &File<'_>, picture: &Picture, page: usize) -> Result<Vec<Vec<u8>>, DocumentFault> {
    let bytes = usize::try_from(picture.width.div_ceil(8)).unwrap_or(usize::MAX);
    let height = usize::try_from(picture.height).unwrap_or(usize::MAX);
    let mut rows: Vec<Vec<u8>> = Vec::new();
    for (n, (at, length)) in picture.strips.iter().enumerate() {
        let strip = file.piece(*at, *length).ok_or(DocumentFault::Broken { page, what: "a strip" })?;
        let before = n * usize::try_from(picture.rows_per_strip).unwrap_or(usize::MAX);
        let wanted = height.saturating_sub(before).min(usize::try_from(picture.rows_per_strip).unwrap_or(usize::MAX));
        let mut found = match picture.packing {
            Packing::Plain => {
                let used = strip.get(..bytes.saturating_mul(wanted)).unwrap_or(strip);
                plain(&turned(used, picture.low_first, false), bytes, wanted)
            }
            Packing::Bits => {
                plain(&turned(&bits(strip, bytes.saturating_mul(wanted)), picture.low_first, false), bytes, wanted)
            }
            Packing::T4 { two } => {
                lines(strip, picture, if two { T4Compression::T4_2D } else { T4Compression::T4_1D }, wanted)
            }
            Packing::T6 => lines(strip, picture, T4Compression::T6, wanted),
        };
        if found.len() < wanted || found.iter().any(|row| row.len() < bytes) {
            return Err(DocumentFault::Broken { page, what: "a strip has fewer rows than it should" });
        }
        found.truncate(wanted);
        rows.append(&mut found);
    }
    for row in &mut rows {
        row.truncate(bytes);
        if picture.inverted {
            for byte in row.iter_mut() {
                *byte = !*byte;
            }
        }
        // What is beside the page is white.
        if let (Some(last), rest @ 1..) = (row.last_mut(), picture.width % 8) {
            *last &= 0xFF << (8 - rest);
        }
    }
    Ok(rows)
}

/// Bytes with their bits in the order that is wanted.
fn turned(strip: &[u8], is_low_first: bool, low_first: bool) -> Vec<u8> {
    if is_low_first == low_first { strip.to_vec() } else { strip.iter().map(|byte| byte.reverse_bits()).collect() }
}

fn plain(strip: &[u8], bytes: usize, wanted: usize) -> Vec<Vec<u8>> {
    strip.chunks_exact(bytes.max(1)).take(wanted).map(<[u8]>::to_vec).collect()
}

/// `PackBits`, up to so many bytes.
fn bits(mut strip: &[u8], most: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Some((head, rest)) = strip.split_first() {
        strip = rest;
        match head.cast_signed() {
            -128 => {}
            count @ 0.. => {
                let count = usize::from(count.unsigned_abs()) + 1;
                let (taken, rest) = strip.split_at(count.min(strip.len()));
                bytes.extend_from_slice(taken);
                strip = rest;
            }
            count => {
                let Some((byte, rest)) = strip.split_first() else { break };
                bytes.resize(bytes.len() + usize::from(count.unsigned_abs()) + 1, *byte);
                strip = rest;
            }
        }
        if bytes.len() >= most {
            break;
        }
    }
    bytes
}

/// Rows of ITU-T T.4 or T.6.
fn lines(strip: &[u8], picture: &Picture, packing: T4Compression, wanted: usize) -> Vec<Vec<u8>> {
    crate::headroom::install();
    let Ok(width) = i32::try_from(picture.width) else { return Vec::new() };
    let rows = Rc::new(RefCell::new(Vec::new()));
    let taken = Rc::clone(&rows);
    let decoder = T4T6Decoder::new(packing, width, move |row: &[u8]| {
        let mut rows = taken.borrow_mut();
        if !row.is_empty() && rows.len() < wanted {
            rows.push(row.to_vec());
        }
        rows.len() < wanted
    });
    let Ok(mut decoder) = decoder else { return Vec::new() };
    decoder.put(&turned(strip, picture.low_first, true));
    if packing != T4Compression::T6 {
        decoder.put(&LAST_LINES);
    }
    drop(decoder);
    rows.take()
}
