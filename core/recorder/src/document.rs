//! A received fax as a PDF: the pages of its TIFF file with their pixels packed as they are (ITU-T T.6), so that nothing is
//! unpacked and nothing lost.

use std::fmt::Write as _;

/// Pages of a document; a fax of more was ended long before.
const SHEETS_MAX: usize = 1_000;

/// Entries of a directory: libtiff writes some thirty.
const ENTRIES_MAX: u16 = 200;

/// Points of an inch, in which PDF measures.
const POINTS: f64 = 72.0;

/// The resolution when the file says none: that of a usual page.
const RESOLUTION: (f64, f64) = (204.0, 98.0);

/// Why a file is no document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// No TIFF, or cut off.
    #[error("it is no TIFF file, or not a whole one: {0}")]
    Malformed(&'static str),
    /// TIFF of another kind than a machine here writes.
    #[error("a page is not in one strip of ITU-T T.6")]
    Strange,
    /// Too many pages.
    #[error("it has more than {SHEETS_MAX} pages")]
    TooLong,
}

/// A page as it is packed.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Pixels to the inch, across and down.
    pub resolution: (f64, f64),
    /// ITU-T T.6, the first bit of each byte highest.
    pub packed: Vec<u8>,
    /// What T.6 calls white is black here.
    pub inverted: bool,
}

/// The pages of a TIFF file.
///
/// # Errors
/// [`DocumentError`].
///
/// Source: TIFF 6.0 section 2, RFC 3949 section 3.
pub fn sheets(tiff: &[u8]) -> Result<Vec<Sheet>, DocumentError> {
    let file = File::new(tiff)?;
    let mut at = file.long(4).ok_or(DocumentError::Malformed("its head"))?;
    let mut sheets = Vec::new();
    while at != 0 {
        if sheets.len() >= SHEETS_MAX {
            return Err(DocumentError::TooLong);
        }
        let (sheet, next) = file.sheet(at)?;
        sheets.push(sheet);
        at = next;
    }
    Ok(sheets)
}

struct File<'a> {
    bytes: &'a [u8],
    little: bool,
}

/// What a directory says of a page.
#[derive(Default)]
struct Entries {
    width: Option<u32>,
    height: Option<u32>,
    compression: Option<u32>,
    photometric: u32,
    fill_order: Option<u32>,
    strip: Option<u32>,
    length: Option<u32>,
    strips: u32,
    resolution: (Option<f64>, Option<f64>),
    centimetres: bool,
}

impl<'a> File<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, DocumentError> {
        match bytes.first_chunk::<4>() {
            Some(b"II\x2A\0") => Ok(Self { bytes, little: true }),
            Some(b"MM\0\x2A") => Ok(Self { bytes, little: false }),
            Some(_) | None => Err(DocumentError::Malformed("its first bytes")),
        }
    }

    fn at<const N: usize>(&self, place: u32) -> Option<[u8; N]> {
        self.bytes.get(usize::try_from(place).ok()?..)?.first_chunk().copied()
    }

    fn short(&self, place: u32) -> Option<u16> {
        let bytes = self.at(place)?;
        Some(if self.little { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    fn long(&self, place: u32) -> Option<u32> {
        let bytes = self.at(place)?;
        Some(if self.little { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    fn ratio(&self, place: u32) -> Option<f64> {
        let (over, under) = (self.long(place)?, self.long(place.checked_add(4)?)?);
        (over > 0 && under > 0).then(|| f64::from(over) / f64::from(under))
    }

    /// A page, and where the next one's directory is.
    fn sheet(&self, at: u32) -> Result<(Sheet, u32), DocumentError> {
        let cut = DocumentError::Malformed("a directory");
        let (entries, next) = self.entries(at).ok_or(cut.clone())?;
        let (Some(width), Some(height)) = (entries.width, entries.height) else { return Err(cut) };
        if entries.compression != Some(4) || entries.strips != 1 || width == 0 || height == 0 {
            return Err(DocumentError::Strange);
        }
        let strip = || {
            let from = usize::try_from(entries.strip?).ok()?;
            self.bytes.get(from..from.checked_add(usize::try_from(entries.length?).ok()?)?)
        };
        let mut packed = strip().ok_or(DocumentError::Malformed("the place of a page"))?.to_vec();
        if entries.fill_order == Some(2) {
            for byte in &mut packed {
                *byte = byte.reverse_bits();
            }
        }
        let scale = if entries.centimetres { 2.54 } else { 1.0 };
        let resolution = (
            entries.resolution.0.map_or(RESOLUTION.0, |count| count * scale),
            entries.resolution.1.map_or(RESOLUTION.1, |count| count * scale),
        );
        Ok((Sheet { width, height, resolution, packed, inverted: entries.photometric == 1 }, next))
    }

    fn entries(&self, at: u32) -> Option<(Entries, u32)> {
        let count = self.short(at).filter(|count| *count <= ENTRIES_MAX)?;
        let mut entries = Entries { strips: 1, ..Entries::default() };
        for n in 0..u32::from(count) {
            let place = at.checked_add(2 + 12 * n)?;
            let (tag, kind) = (self.short(place)?, self.short(place.checked_add(2)?)?);
            let (many, value_at) = (self.long(place.checked_add(4)?)?, place.checked_add(8)?);
            let value = if kind == 3 { self.short(value_at).map(u32::from) } else { self.long(value_at) }?;
            match tag {
                256 => entries.width = Some(value),
                257 => entries.height = Some(value),
                259 => entries.compression = Some(value),
                262 => entries.photometric = value,
                266 => entries.fill_order = Some(value),
                273 => (entries.strip, entries.strips) = (Some(value), many),
                279 => entries.length = Some(value),
                282 => entries.resolution.0 = self.ratio(value),
                283 => entries.resolution.1 = self.ratio(value),
                296 => entries.centimetres = value == 3,
                _ => {}
            }
        }
        Some((entries, self.long(at.checked_add(2 + 12 * u32::from(count))?)?))
    }
}

/// A PDF of these pages, each of the size that it had on paper.
///
/// Source: ISO 32000-1 sections 7.4.6 (`CCITTFaxDecode`), 7.5 and 7.7.
pub fn pdf(sheets: &[Sheet]) -> Vec<u8> {
    let mut file = Pdf { bytes: b"%PDF-1.4\n%\xE2\xE3\xCF\xD3\n".to_vec(), places: Vec::new() };
    let page = |n: usize| 3 + 3 * n;
    let kids = (0..sheets.len()).fold(String::new(), |mut text, n| {
        // Writing into memory cannot fail.
        let _ = write!(text, "{} 0 R ", page(n));
        text
    });
    file.object("<< /Type /Catalog /Pages 2 0 R >>", None);
    file.object(&format!("<< /Type /Pages /Kids [ {kids}] /Count {} >>", sheets.len()), None);
    for (n, sheet) in sheets.iter().enumerate() {
        let (image, content) = (page(n) + 1, page(n) + 2);
        let (width, height) = (sheet.width, sheet.height);
        let across = f64::from(width) * POINTS / sheet.resolution.0;
        let down = f64::from(height) * POINTS / sheet.resolution.1;
        file.object(
            &format!(
                "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {across:.2} {down:.2}] /Contents {content} 0 R \
                 /Resources << /XObject << /P {image} 0 R >> /ProcSet [/PDF /ImageB] >> >>"
            ),
            None,
        );
        let inverted = sheet.inverted;
        file.object(
            &format!(
                "<< /Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceGray /BitsPerComponent 1 \
                 /Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns {width} /Rows {height} /BlackIs1 {inverted} >> \
                 /Length {} >>",
                sheet.packed.len()
            ),
            Some(&sheet.packed),
        );
        let drawn = format!("q {across:.2} 0 0 {down:.2} 0 0 cm /P Do Q");
        file.object(&format!("<< /Length {} >>", drawn.len()), Some(drawn.as_bytes()));
    }
    file.end()
}

struct Pdf {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl Pdf {
    /// Numbered in the order in which they are written, from 1.
    fn object(&mut self, dictionary: &str, stream: Option<&[u8]>) {
        self.places.push(self.bytes.len());
        self.bytes.extend_from_slice(format!("{} 0 obj\n{dictionary}\n", self.places.len()).as_bytes());
        if let Some(stream) = stream {
            self.bytes.extend_from_slice(b"stream\n");
            self.bytes.extend_from_slice(stream);
            self.bytes.extend_from_slice(b"\nendstream\n");
        }
        self.bytes.extend_from_slice(b"endobj\n");
    }

    fn end(mut self) -> Vec<u8> {
        let (at, count) = (self.bytes.len(), self.places.len() + 1);
        let mut table = format!("xref\n0 {count}\n0000000000 65535 f \n");
        for place in &self.places {
            // Writing into memory cannot fail.
            let _ = writeln!(table, "{place:010} 00000 n ");
        }
        let _ = writeln!(table, "trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{at}\n%%EOF");
        self.bytes.extend_from_slice(table.as_bytes());
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page of eight white rows as ITU-T T.6 has them (a V0 each, and the end), with its lowest bit first.
    fn tiff(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut file = b"II\x2A\0\x10\0\0\0\xFF\0\x08\x80\x00\0\0\0".to_vec();
        let entries: [(u16, u16, u32); 10] = [
            (256, 4, 1_728),
            (257, 4, 8),
            (259, 3, 4),
            (262, 3, 0),
            (266, 3, 2),
            (273, 4, 8),
            (279, 4, 4),
            (282, 5, 142),
            (283, 5, 150),
            (296, 3, 2),
        ];
        file.extend(10_u16.to_le_bytes());
        for (tag, kind, value) in entries {
            file.extend(tag.to_le_bytes());
            file.extend(kind.to_le_bytes());
            file.extend(1_u32.to_le_bytes());
            file.extend(value.to_le_bytes());
        }
        file.extend(0_u32.to_le_bytes());
        for number in [204_u32, 1, 196, 1] {
            file.extend(number.to_le_bytes());
        }
        change(&mut file);
        file
    }

    #[test]
    fn a_page_is_taken_as_it_is_packed_with_its_bits_turned() {
        let sheets = sheets(&tiff(|_| ())).unwrap();
        let packed = vec![0xFF, 0x00, 0x10, 0x01];
        assert_eq!(sheets, [Sheet { width: 1_728, height: 8, resolution: (204.0, 196.0), packed, inverted: false }]);
    }

    #[test]
    fn a_file_that_is_cut_off_or_strange_is_refused_and_never_read_beyond() {
        let whole = tiff(|_| ());
        for length in 0..whole.len() - 16 {
            assert!(sheets(&whole[..length]).is_err(), "{length}");
        }
        assert_eq!(sheets(&tiff(|file| file[42 + 8] = 3)), Err(DocumentError::Strange), "another compression");
        // A directory that names itself as the next.
        let round = tiff(|file| file[138] = 16);
        assert_eq!(sheets(&round), Err(DocumentError::TooLong));
    }

    #[test]
    fn each_object_of_the_pdf_is_where_its_table_says() {
        let two = [sheets(&tiff(|_| ())).unwrap(), sheets(&tiff(|_| ())).unwrap()].concat();
        let file = pdf(&two);
        let text = String::from_utf8_lossy(&file);
        assert!(text.starts_with("%PDF-1.4\n") && text.ends_with("%%EOF\n"));
        assert!(text.contains("/Count 2") && text.contains("/MediaBox [0 0 609.88 2.94]"), "{text}");
        let find = |needle: &str| file.windows(needle.len()).position(|piece| piece == needle.as_bytes());
        let table = file[find("xref\n").unwrap()..].to_vec();
        let table = String::from_utf8(table).unwrap();
        for (n, line) in table.lines().skip(3).take(8).enumerate() {
            let place: usize = line[..10].parse().unwrap();
            assert!(file[place..].starts_with(format!("{} 0 obj\n", n + 1).as_bytes()), "{line}");
        }
        let at: usize = table.lines().rev().nth(1).unwrap().parse().unwrap();
        assert!(file[at..].starts_with(b"xref\n"));
    }
}
