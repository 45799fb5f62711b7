//! Documents that people want to be sent, made ready for a fax machine: pages of black and white at 204 pixels to the inch, packed as
//! ITU-T T.6. A page that is as machines send it stays as it is, pixel by pixel; any other is scaled to the width of a fax.
//!
//! What comes is believed in nothing: every place, length and count is looked at before it is used, libtiff sees what is written here
//! alone, and the packed rows that spandsp unpacks are unpacked where they can overrun nothing (`headroom.rs`).

mod scale;
mod strips;
mod tiff;

use crate::page::Page;
use spandsp::t4::T4Compression;
use spandsp::t4_tx::T4T6Encoder;

use tiff::{File, Picture};

/// Bytes of a document that is read.
pub const DOCUMENT_MAX: usize = 12 << 20;

/// Pages of a document.
pub const PAGES_MAX: usize = 200;

/// Pixels of a page of a fax, across (ITU-T T.4 section 2.1).
const WIDTH: u32 = 1_728;

/// Rows to the inch of a usual page, and of a fine one.
const ROWS: [u32; 2] = [98, 196];

/// Rows of a page that is sent: half a metre and more. Machines cut longer ones off.
const ROWS_MAX: u32 = 4_500;

/// Pixels of a page as it comes: A3 at 1,200 to the inch is less.
const PIXELS_MAX: u64 = 300_000_000;

/// ... and of all pages: what takes longer than seconds to unpack is no letter.
const PIXELS_ALL_MAX: u64 = 2_000_000_000;

/// Bytes of a document that is ready: three hours at the fastest rate, and less than is kept of one.
const PREPARED_MAX: usize = 20 << 20;

/// A document that a machine can send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// TIFF with a strip of ITU-T T.6 for each page.
    pub tiff: Vec<u8>,
    /// How many there are.
    pub pages: u32,
}

/// Why a document cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentFault {
    /// It is no TIFF file but this.
    #[error("it is {0} and no TIFF file")]
    Other(&'static str),
    /// It is empty, or too much.
    #[error("it has {0} bytes; 1 to {DOCUMENT_MAX} are read")]
    Length(usize),
    /// It ends where something should be, or names what is not there.
    #[error("page {page}: it is no whole TIFF file: {what}")]
    Broken {
        /// From 1.
        page: usize,
        /// What is missing.
        what: &'static str,
    },
    /// A kind of TIFF that is not read.
    #[error("page {page}: {what}")]
    Strange {
        /// From 1.
        page: usize,
        /// What it is.
        what: String,
    },
    /// Too large.
    #[error("page {page}: {what}")]
    TooLarge {
        /// From 1.
        page: usize,
        /// What is too large.
        what: &'static str,
    },
    /// Too many pages, or none.
    #[error("it has no page, or more than {PAGES_MAX}")]
    Pages,
}

impl DocumentFault {
    /// What its author can do.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Other(_) => {
                "send a TIFF: `gs -q -sDEVICE=tiffg4 -r204x196 -o fax.tif fax.pdf` makes one of a PDF, \
                 `convert picture.png -monochrome -compress Group4 fax.tif` of a picture"
            }
            Self::Strange { .. } => "write it in black and white, packed as Group 4: `tiffcp -c g4 from.tif fax.tif`",
            Self::Broken { .. } => "write the file anew: `tiffcp -c g4 from.tif fax.tif`",
            Self::Length(_) | Self::TooLarge { .. } | Self::Pages => "send less at once, in black and white",
        }
    }
}

/// Makes a document ready.
///
/// Read are TIFF files of one bit a pixel: as they are, packed bits, ITU-T T.4 of one and two dimensions, T.6; in strips. Takes up to seconds:
/// not for a thread that others wait for.
///
/// # Errors
/// [`DocumentFault`].
///
/// Source: TIFF 6.0 sections 2 to 11, RFC 3949 section 3.
pub fn prepare(document: &[u8]) -> Result<Prepared, DocumentFault> {
    if document.is_empty() || document.len() > DOCUMENT_MAX {
        return Err(DocumentFault::Length(document.len()));
    }
    if let Some(kind) = other(document) {
        return Err(DocumentFault::Other(kind));
    }
    let file = File::new(document);
    let (mut at, mut writer) = (file.first(), Writer::default());
    let (mut pixels, mut packed, mut page) = (0, 0, 0);
    while at != 0 {
        page += 1;
        if page > PAGES_MAX {
            return Err(DocumentFault::Pages);
        }
        let (picture, next) = file.picture(at, page)?;
        pixels += picture.pixels();
        packed += picture.strips.iter().map(|(_, length)| u64::from(*length)).sum::<u64>();
        if packed > u64::try_from(document.len()).unwrap_or(0) {
            return Err(DocumentFault::Broken { page, what: "its strips are longer than the file" });
        }
        if picture.pixels() > PIXELS_MAX || pixels > PIXELS_ALL_MAX {
            return Err(DocumentFault::TooLarge { page, what: "it has too many pixels" });
        }
        let rows = strips::unpack(&file, &picture, page)?;
        writer.add(&as_fax(&picture, rows, page)?);
        if writer.file.len() > PREPARED_MAX {
            return Err(DocumentFault::TooLarge { page, what: "it and those before it are too much to send" });
        }
        at = next;
    }
    if writer.pages == 0 {
        return Err(DocumentFault::Pages);
    }
    Ok(Prepared { pages: writer.pages, tiff: writer.file })
}

/// What else people send.
fn other(document: &[u8]) -> Option<&'static str> {
    let kinds: [(&[u8], &str); 6] = [
        (b"%PDF", "a PDF file"),
        (b"\x89PNG", "a PNG picture"),
        (b"\xFF\xD8\xFF", "a JPEG picture"),
        (b"PK\x03\x04", "an office document or archive"),
        (b"GIF8", "a GIF picture"),
        (b"%!PS", "PostScript"),
    ];
    let known = kinds.iter().find(|(start, _)| document.starts_with(start)).map(|(_, kind)| *kind);
    let is_tiff = document.starts_with(b"II\x2A\0") || document.starts_with(b"MM\0\x2A");
    known.or((!is_tiff).then_some("something else"))
}

/// A page, and how many rows it has to the inch.
struct Sheet {
    page: Page,
    rows_to_the_inch: u32,
}

/// As it is where it is a fax's, else scaled.
fn as_fax(picture: &Picture, rows: Vec<Vec<u8>>, page: usize) -> Result<Sheet, DocumentFault> {
    let too_long = DocumentFault::TooLarge { page, what: "it is longer than a fax can be" };
    let near = |is: f64, meant: u32| (is - f64::from(meant)).abs() <= f64::from(meant) * 0.05;
    let (across, down) = picture.resolution.unwrap_or((f64::from(204), f64::from(196)));
    let rows_to_the_inch = ROWS.into_iter().find(|rows| near(down, *rows));
    if let (WIDTH, Some(rows_to_the_inch), true) = (picture.width, rows_to_the_inch, near(across, 204)) {
        if picture.height > ROWS_MAX {
            return Err(too_long);
        }
        return Ok(Sheet { page: Page { width: WIDTH, rows }, rows_to_the_inch });
    }
    let [_, fine] = ROWS;
    let higher = f64::from(WIDTH) / f64::from(picture.width) * across / down * f64::from(fine) / 204.0;
    let height = (f64::from(picture.height) * higher).round().max(1.0);
    if !height.is_finite() || height > f64::from(ROWS_MAX) {
        return Err(too_long);
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is 1 to ROWS_MAX")]
    let height = height as u32;
    let rows = scale::scaled((picture.width, &rows), (WIDTH, height));
    Ok(Sheet { page: Page { width: WIDTH, rows }, rows_to_the_inch: fine })
}

/// Writes what a machine sends.
struct Writer {
    file: Vec<u8>,
    /// Where the place of the next directory is to be written.
    link: usize,
    pages: u32,
}

impl Default for Writer {
    fn default() -> Self {
        Self { file: b"II\x2A\0\0\0\0\0".to_vec(), link: 4, pages: 0 }
    }
}

impl Writer {
    fn add(&mut self, sheet: &Sheet) {
        let packed = packed(&sheet.page);
        let at = length(&self.file);
        self.file.extend_from_slice(&packed);
        self.file.resize(self.file.len().next_multiple_of(2), 0);
        let resolution = length(&self.file);
        for number in [204, 1, sheet.rows_to_the_inch, 1] {
            self.file.extend_from_slice(&number.to_le_bytes());
        }
        let directory = length(&self.file);
        if let Some(place) = self.file.get_mut(self.link..self.link + 4) {
            place.copy_from_slice(&directory.to_le_bytes());
        }
        let rows = length(&sheet.page.rows);
        // Tag, type (3: short, 4: long, 5: two longs elsewhere), value; in the order of tags (TIFF 6.0 section 2).
        let entries: [(u16, u16, u32); 15] = [
            (254, 4, 2),
            (256, 4, sheet.page.width),
            (257, 4, rows),
            (258, 3, 1),
            (259, 3, 4),
            (262, 3, 0),
            (266, 3, 2),
            (273, 4, at),
            (277, 3, 1),
            (278, 4, rows),
            (279, 4, length(&packed)),
            (282, 5, resolution),
            (283, 5, resolution + 8),
            (293, 4, 0),
            (296, 3, 2),
        ];
        self.file.extend_from_slice(&15_u16.to_le_bytes());
        for (tag, kind, value) in entries {
            self.file.extend_from_slice(&tag.to_le_bytes());
            self.file.extend_from_slice(&kind.to_le_bytes());
            self.file.extend_from_slice(&1_u32.to_le_bytes());
            self.file.extend_from_slice(&value.to_le_bytes());
        }
        self.link = self.file.len();
        self.file.extend_from_slice(&[0; 4]);
        self.pages += 1;
    }
}

/// A page as ITU-T T.6, the first bit of each byte lowest.
fn packed(page: &Page) -> Vec<u8> {
    let (width, height) = (i32::try_from(page.width), i32::try_from(page.rows.len()));
    let (Ok(width), Ok(height)) = (width, height) else { return Vec::new() };
    let mut rows = page.rows.clone().into_iter();
    let encoder = T4T6Encoder::new(T4Compression::T6, width, height, move |place: &mut [u8]| {
        let Some(row) = rows.next() else { return 0 };
        let count = row.len().min(place.len());
        for (to, from) in place.iter_mut().zip(&row) {
            *to = *from;
        }
        count
    });
    let Ok(mut encoder) = encoder else { return Vec::new() };
    let (mut packed, mut piece) = (Vec::new(), [0; 4_096]);
    loop {
        let count = encoder.get(&mut piece);
        packed.extend_from_slice(piece.get(..count).unwrap_or_default());
        if count < piece.len() {
            return packed;
        }
    }
}

/// Documents are far smaller than what TIFF can count.
fn length<T>(all: &[T]) -> u32 {
    u32::try_from(all.len()).unwrap_or(u32::MAX)
}
