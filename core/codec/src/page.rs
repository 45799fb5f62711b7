//! Pages by their pixels: to compare what was sent with what came, and to make a page to send.

use spandsp::t4::T4Compression;
use spandsp::t4_rx::T4T6Decoder;
use std::cell::RefCell;
use std::rc::Rc;

/// A page: rows of bits, eight in a byte, the leftmost in the highest; 1 is black.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// In pixels: 1,728 of a usual one.
    pub width: u32,
    /// From the top.
    pub rows: Vec<Vec<u8>>,
}

impl Page {
    /// A page whose rows a function draws: `black(x, y)`.
    pub fn drawn(width: u32, height: u32, black: impl Fn(u32, u32) -> bool) -> Self {
        let bytes = width.div_ceil(8);
        let row = |y: u32| {
            let byte = |n: u32| (0..8).fold(0, |byte, bit| byte << 1 | u8::from(black(n * 8 + bit, y)));
            (0..bytes).map(byte).collect()
        };
        Self { width, rows: (0..height).map(row).collect() }
    }

    /// Unpacks a page of ITU-T T.6 whose bytes, at most 32 MB, have their first bit lowest, as a received document has them.
    pub fn unpacked(width: u32, packed: &[u8]) -> Option<Self> {
        crate::headroom::install();
        if packed.len() > crate::headroom::FAX_BYTES_MAX {
            return None;
        }
        let rows = Rc::new(RefCell::new(Vec::new()));
        let taken = Rc::clone(&rows);
        let mut decoder = T4T6Decoder::new(T4Compression::T6, i32::try_from(width).ok()?, move |row: &[u8]| {
            if !row.is_empty() {
                taken.borrow_mut().push(row.to_vec());
            }
            true
        })
        .ok()?;
        decoder.put(packed);
        drop(decoder);
        let rows = rows.take();
        Some(Self { width, rows })
    }

    /// The pages as a TIFF file with nothing packed, in the fine resolution of fax (204 by 196 to the inch).
    pub fn tiff(pages: &[Self]) -> Vec<u8> {
        let mut file = b"II\x2A\0\0\0\0\0".to_vec();
        // Where the place of the next directory is to be written.
        let mut link = 4;
        for page in pages {
            let (at, rows) = (length(&file), length(&page.rows));
            page.rows.iter().for_each(|row| file.extend_from_slice(row));
            let bytes = length(&file) - at;
            let resolution = length(&file);
            for number in [204_u32, 1, 196, 1] {
                file.extend_from_slice(&number.to_le_bytes());
            }
            file.resize(file.len().next_multiple_of(2), 0);
            let directory = length(&file);
            if let Some(place) = file.get_mut(link..link + 4) {
                place.copy_from_slice(&directory.to_le_bytes());
            }
            // Tag, type (3: short, 4: long, 5: two longs elsewhere), value; in the order of tags (TIFF 6.0 section 2).
            let entries: [(u16, u16, u32); 13] = [
                (254, 4, 2),
                (256, 4, page.width),
                (257, 4, rows),
                (258, 3, 1),
                (259, 3, 1),
                (262, 3, 0),
                (273, 4, at),
                (277, 3, 1),
                (278, 4, rows),
                (279, 4, bytes),
                (282, 5, resolution),
                (283, 5, resolution + 8),
                (296, 3, 2),
            ];
            file.extend_from_slice(&13_u16.to_le_bytes());
            for (tag, kind, value) in entries {
                file.extend_from_slice(&tag.to_le_bytes());
                file.extend_from_slice(&kind.to_le_bytes());
                file.extend_from_slice(&1_u32.to_le_bytes());
                file.extend_from_slice(&value.to_le_bytes());
            }
            link = file.len();
            file.extend_from_slice(&[0; 4]);
        }
        file
    }
}

/// Pages are far smaller than what TIFF can count.
fn length<T>(all: &[T]) -> u32 {
    u32::try_from(all.len()).unwrap_or(u32::MAX)
}
