//! Documents that people send: what a machine makes of them, and that nothing in them is believed.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use plugboard_codec::document::{DOCUMENT_MAX, DocumentFault, PAGES_MAX, prepare};
use plugboard_codec::page::Page;
use spandsp::t4::T4Compression;
use spandsp::t4_tx::T4T6Encoder;

fn page(width: u32, height: u32) -> Page {
    Page::drawn(width, height, |x, y| {
        x < width
            && (x.abs_diff(2 * y) % 97 < 3
                || (y / 40 + x / 64).is_multiple_of(7)
                || (x * 31 + y * 17).is_multiple_of(211))
    })
}

/// A TIFF file of one page, as other programs write it.
struct Written {
    big: bool,
    compression: u16,
    options: u32,
    photometric: u16,
    fill_order: u16,
    rows_per_strip: u32,
    resolution: (u32, u32),
    more: Vec<(u16, u16, u32)>,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            big: false,
            compression: 1,
            options: 0,
            photometric: 0,
            fill_order: 1,
            rows_per_strip: 100,
            resolution: (204, 196),
            more: Vec::new(),
        }
    }
}

impl Written {
    fn short(&self, number: u16) -> [u8; 2] {
        if self.big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn long(&self, number: u32) -> [u8; 4] {
        if self.big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn strip(&self, rows: &[Vec<u8>], width: u32) -> Vec<u8> {
        let rows: Vec<Vec<u8>> = match self.photometric {
            0 => rows.to_vec(),
            _ => rows.iter().map(|row| row.iter().map(|byte| !byte).collect()).collect(),
        };
        let turn = |bytes: Vec<u8>, low_first: bool| -> Vec<u8> {
            let wanted = self.fill_order == 2;
            if low_first == wanted { bytes } else { bytes.iter().map(|byte| byte.reverse_bits()).collect() }
        };
        let how = match (self.compression, self.options & 1) {
            (1, _) => return turn(rows.concat(), false),
            // A run of two of what comes twice, the rest in stretches as it is.
            (32_773, _) => {
                let bytes = rows.concat();
                let pieces = bytes.chunks(2).map(|pair| match *pair {
                    [one, other] if one == other => vec![0xFF, one],
                    [one, other] => vec![1, one, other],
                    [one] => vec![0, one],
                    _ => vec![0x80],
                });
                return pieces.collect::<Vec<_>>().concat();
            }
            (3, 0) => T4Compression::T4_1D,
            (3, _) => T4Compression::T4_2D,
            _ => T4Compression::T6,
        };
        let count = i32::try_from(rows.len()).unwrap();
        let mut rows = rows.into_iter();
        let mut encoder = T4T6Encoder::new(how, i32::try_from(width).unwrap(), count, move |place| {
            let Some(row) = rows.next() else { return 0 };
            place[..row.len()].copy_from_slice(&row);
            row.len()
        })
        .unwrap();
        let mut packed = vec![0; 4 << 20];
        let length = encoder.get(&mut packed);
        packed.truncate(length);
        turn(packed, true)
    }

    fn tiff(&self, page: &Page) -> Vec<u8> {
        let mut file = if self.big { b"MM\0\x2A".to_vec() } else { b"II\x2A\0".to_vec() };
        file.extend([0; 4]);
        let per_strip = usize::try_from(self.rows_per_strip).unwrap();
        let mut strips = Vec::new();
        for rows in page.rows.chunks(per_strip) {
            let strip = self.strip(rows, page.width);
            strips.push((u32::try_from(file.len()).unwrap(), u32::try_from(strip.len()).unwrap()));
            file.extend(strip);
            file.resize(file.len().next_multiple_of(2), 0);
        }
        let many = u32::try_from(strips.len()).unwrap();
        let place = |file: &mut Vec<u8>, numbers: &[u32]| {
            let at = u32::try_from(file.len()).unwrap();
            for number in numbers {
                file.extend(self.long(*number));
            }
            at
        };
        let (starts, lengths): (Vec<u32>, Vec<u32>) = strips.into_iter().unzip();
        let one = |file: &mut Vec<u8>, numbers: &[u32]| if many == 1 { numbers[0] } else { place(file, numbers) };
        let (starts, lengths) = (one(&mut file, &starts), one(&mut file, &lengths));
        let across = place(&mut file, &[self.resolution.0, 1]);
        let down = place(&mut file, &[self.resolution.1, 1]);
        let directory = self.long(u32::try_from(file.len()).unwrap());
        file[4..8].copy_from_slice(&directory);
        let mut entries: Vec<(u16, u16, u32, u32)> = vec![
            (256, 4, 1, page.width),
            (257, 4, 1, u32::try_from(page.rows.len()).unwrap()),
            (259, 3, 1, u32::from(self.compression)),
            (262, 3, 1, u32::from(self.photometric)),
            (266, 3, 1, u32::from(self.fill_order)),
            (273, 4, many, starts),
            (278, 4, 1, self.rows_per_strip),
            (279, 4, many, lengths),
            (282, 5, 1, across),
            (283, 5, 1, down),
            (292, 4, 1, self.options),
            (296, 3, 1, 2),
        ];
        entries.extend(self.more.iter().map(|(tag, kind, value)| (*tag, *kind, 1, *value)));
        file.extend(self.short(u16::try_from(entries.len()).unwrap()));
        for (tag, kind, many, value) in entries {
            file.extend(self.short(tag));
            file.extend(self.short(kind));
            file.extend(self.long(many));
            // A short stands at the beginning of its place.
            let short = kind == 3 && many == 1;
            file.extend(if short {
                [self.short(u16::try_from(value).unwrap()), [0; 2]].concat()
            } else {
                self.long(value).to_vec()
            });
        }
        file.extend([0; 4]);
        file
    }
}

/// The pages of what was made ready: T.6 with its lowest bit first.
fn pages(tiff: &[u8]) -> Vec<Page> {
    let long = |at: usize| u32::from_le_bytes(tiff[at..at + 4].try_into().unwrap());
    let (mut at, mut pages) = (long(4), Vec::new());
    while at != 0 {
        let from = usize::try_from(at).unwrap();
        let count = usize::from(u16::from_le_bytes(tiff[from..from + 2].try_into().unwrap()));
        let value = |tag: u16| {
            let entry =
                (0..count).map(|n| from + 2 + 12 * n).find(|place| tiff[*place..*place + 2] == tag.to_le_bytes());
            long(entry.unwrap() + 8)
        };
        let strip = usize::try_from(value(273)).unwrap();
        let packed = &tiff[strip..strip + usize::try_from(value(279)).unwrap()];
        pages.push(Page::unpacked(value(256), packed).unwrap());
        at = long(from + 2 + 12 * count);
    }
    pages
}

#[test]
fn a_page_as_machines_send_it_stays_as_it_is_however_it_is_packed() {
    let sent = page(1_728, 250);
    for (compression, options) in [(1, 0), (3, 0), (3, 1), (4, 0), (32_773, 0)] {
        for photometric in [0, 1] {
            for (fill_order, big, rows_per_strip) in [(1, false, 100), (2, false, 250), (1, true, 7)] {
                if compression == 32_773 && fill_order == 2 {
                    continue;
                }
                let written = Written {
                    big,
                    compression,
                    options,
                    photometric,
                    fill_order,
                    rows_per_strip,
                    ..Written::default()
                };
                let made = prepare(&written.tiff(&sent)).unwrap();
                assert_eq!(made.pages, 1);
                let what = format!(
                    "compression {compression} {options}, photometric {photometric}, order {fill_order}, big {big}"
                );
                assert!(pages(&made.tiff) == [sent.clone()], "a pixel differs: {what}");
                assert_eq!(prepare(&made.tiff).unwrap(), made, "what is ready stays so: {what}");
            }
        }
    }
}

#[test]
fn several_pages_stay_in_their_order() {
    let sent = [page(1_728, 90), page(1_728, 120), page(1_728, 60)];
    let made = prepare(&Page::tiff(&sent)).unwrap();
    assert_eq!(made.pages, 3);
    assert!(pages(&made.tiff) == sent, "a pixel differs");
}

#[test]
fn a_page_of_another_size_is_scaled_to_the_width_of_a_fax() {
    // A4 at 300 to the inch with a frame of three pixels.
    let frame = |x: u32, y: u32| x < 3 || y < 3 || (2_477..2_480).contains(&x) || (3_505..3_508).contains(&y);
    let letter = Page::drawn(2_480, 3_508, frame);
    let written = Written { resolution: (300, 300), rows_per_strip: 3_508, ..Written::default() };
    let made = pages(&prepare(&written.tiff(&letter)).unwrap().tiff);
    assert_eq!((made[0].width, made[0].rows.len()), (1_728, 2_348));
    let black = |x: usize, y: usize| made[0].rows[y][x / 8] >> (7 - x % 8) & 1 == 1;
    assert!(black(0, 1_000) && black(1_727, 1_000) && black(800, 0) && black(800, 2_347), "the frame is there");
    assert!(!black(800, 1_000));
    // A small one of 72 to the inch is made larger; half as many rows are a usual page.
    let small = Written { resolution: (72, 72), ..Written::default() };
    let made = pages(&prepare(&small.tiff(&page(600, 300))).unwrap().tiff);
    assert_eq!((made[0].width, made[0].rows.len()), (1_728, 830));
    let usual = Written { resolution: (204, 98), ..Written::default() };
    let made = pages(&prepare(&usual.tiff(&page(1_728, 300))).unwrap().tiff);
    assert_eq!(made[0].rows.len(), 300, "a usual page stays one");
}

#[test]
fn what_is_no_bilevel_tiff_is_refused_with_what_to_do() {
    for (start, kind) in
        [(&b"%PDF-1.7"[..], "a PDF file"), (b"\x89PNG\r\n", "a PNG picture"), (b"hello", "something else")]
    {
        let fault = prepare(start).unwrap_err();
        assert_eq!(fault, DocumentFault::Other(kind));
        assert!(fault.remedy().contains("gs -q -sDEVICE=tiffg4"), "{}", fault.remedy());
    }
    assert_eq!(prepare(b""), Err(DocumentFault::Length(0)));
    assert_eq!(prepare(&vec![b'I'; DOCUMENT_MAX + 1]), Err(DocumentFault::Length(DOCUMENT_MAX + 1)));
    let sent = page(1_728, 100);
    for (more, told) in [((258, 3, 8), "8 bits a pixel"), ((277, 3, 3), "3 colours"), ((322, 4, 64), "tiles")] {
        let fault = prepare(&Written { more: vec![more], ..Written::default() }.tiff(&sent)).unwrap_err();
        assert!(fault.to_string().contains(told), "{fault}");
    }
    for (wrong, told) in [
        (Written { compression: 5, ..Written::default() }, "compression 5"),
        (Written { photometric: 2, ..Written::default() }, "photometric 2"),
    ] {
        let mut tiff = Written::default().tiff(&sent);
        let (from, to) = (Written::default(), wrong);
        let directory = usize::try_from(u32::from_le_bytes(tiff[4..8].try_into().unwrap())).unwrap();
        for (tag, before, after) in
            [(259_u16, from.compression, to.compression), (262, from.photometric, to.photometric)]
        {
            let place =
                (0..12).map(|n| directory + 2 + 12 * n).find(|at| tiff[*at..*at + 2] == tag.to_le_bytes()).unwrap();
            assert_eq!(tiff[place + 8..place + 10], before.to_le_bytes());
            tiff[place + 8..place + 10].copy_from_slice(&after.to_le_bytes());
        }
        let fault = prepare(&tiff).unwrap_err();
        assert!(fault.to_string().contains(told), "{fault}");
    }
    let long = Written { resolution: (204, 196), rows_per_strip: 5_000, ..Written::default() };
    assert!(matches!(prepare(&long.tiff(&page(1_728, 5_000))), Err(DocumentFault::TooLarge { page: 1, .. })));
}

#[test]
fn a_file_that_goes_round_in_circles_or_ends_early_is_refused() {
    let whole = Page::tiff(&[page(1_728, 8), page(1_728, 8)]);
    for length in 0..whole.len() {
        assert!(prepare(&whole[..length]).is_err(), "{length}");
    }
    // The last directory leads to the first one.
    let mut round = whole.clone();
    let (first, end) = (whole[4..8].to_vec(), whole.len());
    round[end - 4..].copy_from_slice(&first);
    assert!(matches!(prepare(&round), Err(DocumentFault::Broken { page: 3, .. })), "{:?}", prepare(&round));
    let many: Vec<Page> = (0..=PAGES_MAX).map(|_| page(1_728, 1)).collect();
    assert_eq!(prepare(&Page::tiff(&many)), Err(DocumentFault::Pages));
}

#[test]
fn whatever_a_byte_is_changed_to_nothing_panics_and_nothing_takes_long() {
    for compression in [3, 4, 32_773] {
        let whole = Written { compression, rows_per_strip: 1, ..Written::default() }.tiff(&page(1_728, 2));
        for place in 0..whole.len() {
            for value in [0x00, 0x80, 0xFF] {
                let mut changed = whole.clone();
                changed[place] = value;
                let _whatever = prepare(&changed);
            }
        }
    }
}

/// A TIFF file whose only strip holds these bytes.
fn raw(width: u32, height: u32, compression: u32, strip: &[u8]) -> Vec<u8> {
    let mut file = b"II\x2A\0\x08\0\0\0".to_vec();
    let entries: [(u16, u32); 8] = [
        (256, width),
        (257, height),
        (258, 1),
        (259, compression),
        (262, 0),
        (273, 8 + 2 + 8 * 12 + 4),
        (278, height),
        (279, u32::try_from(strip.len()).unwrap()),
    ];
    file.extend_from_slice(&8_u16.to_le_bytes());
    for (tag, value) in entries {
        file.extend_from_slice(&tag.to_le_bytes());
        file.extend_from_slice(&4_u16.to_le_bytes());
        file.extend_from_slice(&1_u32.to_le_bytes());
        file.extend_from_slice(&value.to_le_bytes());
    }
    file.extend_from_slice(&[0; 4]);
    file.extend_from_slice(strip);
    file
}

/// These bits again and again, the first one in the highest.
fn repeated(bits: &str, bytes: usize) -> Vec<u8> {
    let mut ahead = bits.bytes().map(|bit| bit - b'0').cycle();
    (0..bytes).map(|_| (0..8).fold(0, |byte, _| byte << 1 | ahead.next().unwrap())).collect()
}

/// Runs without pixels make a row's list of them longer than any row, and codes that pass over runs read beyond it: whoever sends a fax, or
/// a document, would write and read in other people's memory.
#[test]
fn rows_of_runs_without_pixels_overrun_nothing() {
    const NO_PIXELS: &str = "0011010100001101110";
    let horizontal = "001001101010000110111";
    let passes = "0001";
    let length = DOCUMENT_MAX - 4_096;
    for width in [1, 1_728, 60_000] {
        for (compression, bits) in
            [(4, horizontal), (4, passes), (3, &NO_PIXELS[..18]), (4, "0010011010100001101110001")]
        {
            let document = raw(width, 10, compression, &repeated(bits, length));
            // A process whose memory is overrun does not come as far as the end of this test.
            let _read_or_refused = prepare(&document);
        }
        let turned: Vec<u8> = repeated(horizontal, length).iter().map(|byte| byte.reverse_bits()).collect();
        Page::unpacked(width, &turned).unwrap();
    }
    assert_eq!(Page::unpacked(1_728, &vec![0; (32 << 20) + 1]), None);
}

#[test]
fn strips_that_share_their_bytes_are_no_more_work_than_the_file_is_long() {
    let mut document = raw(8, 2, 1, &[0; 64]);
    prepare(&document).unwrap();
    // The strip is said to be longer than the file.
    let place = 8 + 2 + 7 * 12 + 8;
    let whole = u32::try_from(document.len()).unwrap();
    document[place..place + 4].copy_from_slice(&(whole + 1).to_le_bytes());
    assert!(matches!(prepare(&document).unwrap_err(), DocumentFault::Broken { .. }));
}

#[test]
fn a_small_file_does_not_become_a_large_one() {
    // Rows of single pixels and white ones take turns: what T.6 packs worst. Each page has the same bytes, packed well.
    let busy = Page::drawn(1_728, 4_400, |x, y| y.is_multiple_of(2) && x.is_multiple_of(2));
    let pages: Vec<Page> = (0..20).map(|_| busy.clone()).collect();
    let document = Page::tiff(&pages[..6]);
    assert!(document.len() < DOCUMENT_MAX);
    match prepare(&document) {
        Ok(prepared) => assert!(prepared.tiff.len() <= 20 << 20, "{}", prepared.tiff.len()),
        Err(fault) => assert!(matches!(fault, DocumentFault::TooLarge { .. }), "{fault}"),
    }
}
