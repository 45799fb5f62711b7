//! What the directories of a TIFF file say of its pages.

use super::DocumentFault;

/// Entries of a directory that are looked at.
const ENTRIES_MAX: u16 = 500;

/// Strips of a page: one for each row of a long one.
const STRIPS_MAX: u32 = 40_000;

/// Pixels in one direction.
const SIDE_MAX: u32 = 60_000;

/// How a page is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// Not at all.
    Plain,
    /// ITU-T T.4; of two dimensions.
    T4 { two: bool },
    /// ITU-T T.6.
    T6,
    /// `PackBits` (TIFF 6.0 section 9).
    Bits,
}

/// What is known of a page.
#[derive(Debug)]
pub(super) struct Picture {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) packing: Packing,
    /// A 1 is white.
    pub(super) inverted: bool,
    /// The first pixel of a byte is in its lowest bit.
    pub(super) low_first: bool,
    /// Pixels to the inch, across and down.
    pub(super) resolution: Option<(f64, f64)>,
    pub(super) rows_per_strip: u32,
    /// Where each strip is, and how long.
    pub(super) strips: Vec<(u32, u32)>,
}

impl Picture {
    pub(super) fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }
}

/// A TIFF file.
pub(super) struct File<'a> {
    bytes: &'a [u8],
    little: bool,
}

/// One entry of a directory.
#[derive(Debug, Clone, Copy)]
struct Entry {
    kind: u16,
    many: u32,
    /// Where the value is, or its place.
    at: u32,
}

impl<'a> File<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, little: bytes.first() == Some(&b'I') }
    }

    /// Where the first directory is; 0: nowhere.
    pub(super) fn first(&self) -> u32 {
        self.long(4).unwrap_or(0)
    }

    /// So many bytes from a place on.
    pub(super) fn piece(&self, at: u32, length: u32) -> Option<&'a [u8]> {
        let from = usize::try_from(at).ok()?;
        self.bytes.get(from..from.checked_add(usize::try_from(length).ok()?)?)
    }

    /// A page, and where the next one's directory is.
    pub(super) fn picture(&self, at: u32, page: usize) -> Result<(Picture, u32), DocumentFault> {
        let broken = |what| DocumentFault::Broken { page, what };
        let strange = |what: String| DocumentFault::Strange { page, what };
        let count = self.short(at).ok_or(broken("its directory"))?;
        if count > ENTRIES_MAX {
            return Err(broken("its directory has too many entries"));
        }
        let end = at.checked_add(2 + 12 * u32::from(count)).ok_or(broken("its directory"))?;
        let next = self.long(end).ok_or(broken("its directory"))?;
        let entry = |tag: u16| (0..u32::from(count)).find_map(|n| self.entry(at + 2 + 12 * n, tag));
        let one = |tag: u16| entry(tag).and_then(|entry| self.number(entry, 0));
        let side = |tag: u16| one(tag).filter(|side| (1..=SIDE_MAX).contains(side));
        let (Some(width), Some(height)) = (side(256), side(257)) else {
            return Err(broken("its width or height"));
        };
        for (tag, what) in [(258, "bits a pixel"), (277, "colours")] {
            match one(tag).unwrap_or(1) {
                1 => {}
                number => return Err(strange(format!("it has {number} {what}, and a fax has 1"))),
            }
        }
        if entry(322).is_some() || entry(324).is_some() {
            return Err(strange("it is in tiles, and strips are read".into()));
        }
        let packing = match one(259).unwrap_or(1) {
            1 => Packing::Plain,
            3 => Packing::T4 { two: one(292).unwrap_or(0) & 1 == 1 },
            4 => Packing::T6,
            32_773 => Packing::Bits,
            other => return Err(strange(format!("it is packed in a way that is not read (compression {other})"))),
        };
        let inverted = match one(262).unwrap_or(0) {
            0 => false,
            1 => true,
            other => return Err(strange(format!("it is not in black and white (photometric {other})"))),
        };
        let rows_per_strip = one(278).unwrap_or(height).clamp(1, height);
        let wanted = height.div_ceil(rows_per_strip);
        let (places, lengths) = (entry(273), entry(279));
        let (Some(places), Some(lengths)) = (places, lengths) else { return Err(broken("the places of its strips")) };
        if wanted > STRIPS_MAX || places.many < wanted || lengths.many < wanted {
            return Err(broken("the places of its strips"));
        }
        let strip = |n: u32| Some((self.number(places, n)?, self.number(lengths, n)?));
        let strips: Option<Vec<(u32, u32)>> = (0..wanted).map(strip).collect();
        let strips = strips.ok_or(broken("the places of its strips"))?;
        let low_first = one(266) == Some(2);
        let resolution = self.resolution(entry(282), entry(283), one(296).unwrap_or(2));
        Ok((Picture { width, height, packing, inverted, low_first, resolution, rows_per_strip, strips }, next))
    }

    /// Pixels to the inch; without a unit only how they are to each other is known, which is one to one nearly always.
    fn resolution(&self, across: Option<Entry>, down: Option<Entry>, unit: u32) -> Option<(f64, f64)> {
        let ratio = |entry: Option<Entry>| {
            let at = entry.filter(|entry| entry.kind == 5)?.at;
            let at = self.long(at)?;
            let (over, under) = (self.long(at)?, self.long(at.checked_add(4)?)?);
            (over > 0 && under > 0).then(|| f64::from(over) / f64::from(under))
        };
        let (across, down) = (ratio(across)?, ratio(down)?);
        match unit {
            2 => Some((across, down)),
            3 => Some((across * 2.54, down * 2.54)),
            _ => Some((204.0, 204.0 * down / across)),
        }
    }

    fn entry(&self, place: u32, tag: u16) -> Option<Entry> {
        if self.short(place)? != tag {
            return None;
        }
        let (kind, many) = (self.short(place.checked_add(2)?)?, self.long(place.checked_add(4)?)?);
        Some(Entry { kind, many, at: place.checked_add(8)? })
    }

    /// The number `n` of an entry.
    fn number(&self, entry: Entry, n: u32) -> Option<u32> {
        let size: u32 = match entry.kind {
            3 => 2,
            4 => 4,
            _ => return None,
        };
        if n >= entry.many {
            return None;
        }
        let within = u64::from(entry.many) * u64::from(size) <= 4;
        let base = if within { entry.at } else { self.long(entry.at)? };
        let place = base.checked_add(n.checked_mul(size)?)?;
        if size == 2 { self.short(place).map(u32::from) } else { self.long(place) }
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
}
