//! A page from one fax machine to another, as its pixels are.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use plugboard_codec::Library;
use plugboard_codec::page::Page;
use plugboard_media::g711::{self, Law};
use plugboard_media::udptl::{Receiver, Sender};
use plugboard_media::{Codecs as _, FAX_FRAME, FaxDocument, FaxEnd, FaxMachine, FaxOrder, FaxReport};
use plugboard_recorder::{pdf, sheets};

/// Lines, boxes and a gradient of dots: each row differs from the one before it.
fn page(seed: u32) -> Page {
    Page::drawn(1_728, 1_100, |x, y| {
        let frame = x.abs_diff(y + seed) % 97 < 3 || (y / 40 + x / 64) % 7 == seed % 7;
        frame || (x * 31 + y * 17 + seed).is_multiple_of(211)
    })
}

fn sender(pages: &[Page]) -> Box<dyn FaxMachine> {
    let sends = Some(FaxDocument::whole(&Page::tiff(pages)));
    let order = FaxOrder { ident: "+49 30 1234".into(), sends, pages_max: 100, bytes_max: usize::MAX };
    Library.fax(&order).unwrap()
}

fn receiver(pages_max: u32, bytes_max: usize) -> Box<dyn FaxMachine> {
    let order = FaxOrder { ident: "+49 30 99".into(), sends: None, pages_max, bytes_max };
    Library.fax(&order).unwrap()
}

/// Lets them talk over G.711 until both are over or so many frames of 20 ms are through; when the other one was over.
fn talk(one: &mut dyn FaxMachine, other: &mut dyn FaxMachine, frames: usize) -> usize {
    let mut over = frames;
    let (mut to_one, mut to_other) = ([0; FAX_FRAME], [0; FAX_FRAME]);
    let law = |samples: &mut [i16; FAX_FRAME]| {
        for sample in samples {
            *sample = g711::decode(Law::Mu, g711::encode(Law::Mu, *sample));
        }
    };
    for frame in 0..frames {
        let (mut by_one, mut by_other) = ([0; FAX_FRAME], [0; FAX_FRAME]);
        one.exchange(&to_one, &mut by_one);
        other.exchange(&to_other, &mut by_other);
        law(&mut by_one);
        law(&mut by_other);
        (to_one, to_other) = (by_other, by_one);
        if other.is_over() {
            over = over.min(frame);
        }
        if one.is_over() && other.is_over() {
            break;
        }
    }
    over
}

fn unpacked(report: &FaxReport) -> Vec<Page> {
    let sheets = sheets(&report.document).unwrap();
    let lowest_first = |packed: &[u8]| packed.iter().map(|byte| byte.reverse_bits()).collect::<Vec<_>>();
    sheets.iter().map(|sheet| Page::unpacked(sheet.width, &lowest_first(&sheet.packed)).unwrap()).collect()
}

#[test]
fn r73_pages_come_over_g711_as_they_were_sent_pixel_by_pixel() {
    let pages = [page(1), page(2)];
    let (mut from, mut to) = (sender(&pages), receiver(100, usize::MAX));
    talk(&mut *from, &mut *to, 50 * 120);
    let (sent, came) = (from.finish(), to.finish());
    assert_eq!((&sent.end, sent.pages), (&FaxEnd::Done, 2));
    assert_eq!((&came.end, came.pages, came.cut, came.bad_rows), (&FaxEnd::Done, 2, false, 0));
    assert_eq!((came.far_ident.as_str(), sent.far_ident.as_str()), ("+49 30 1234", "+49 30 99"));
    assert!(came.corrected && came.bit_rate == 14_400, "{came:?}");
    let unpacked = unpacked(&came);
    assert_eq!(unpacked.len(), 2);
    for (unpacked, page) in unpacked.iter().zip(&pages) {
        assert_eq!(unpacked.rows.len(), page.rows.len());
        assert!(unpacked == page, "a pixel differs");
    }
    let made = pdf(&sheets(&came.document).unwrap());
    assert!(made.starts_with(b"%PDF-") && made.len() > came.document.len() / 2);
}

#[test]
fn who_hangs_up_amid_a_page_leaves_what_came_before() {
    let pages = [page(1), page(2)];
    let (mut from, mut to) = (sender(&pages), receiver(100, usize::MAX));
    let all = talk(&mut *sender(&pages), &mut *receiver(100, usize::MAX), 50 * 120);
    talk(&mut *from, &mut *to, all * 3 / 4);
    let came = to.finish();
    assert_eq!((&came.end, came.pages), (&FaxEnd::Failed("The call dropped prematurely".into()), 1), "{:?}", came.end);
    let unpacked = unpacked(&came);
    assert!(unpacked[0] == pages[0], "the first page is whole");
    assert_eq!(to.finish(), came, "its report stays as it is");
}

#[test]
fn who_says_nothing_of_a_fax_is_none() {
    let mut to = receiver(100, usize::MAX);
    let mut frames = 0;
    while !to.is_over() && frames < 50 * 120 {
        to.exchange(&[0; FAX_FRAME], &mut [0; FAX_FRAME]);
        frames += 1;
    }
    let came = to.finish();
    assert_eq!((came.end, came.pages, came.document.len()), (FaxEnd::NoFax, 0, 0));
    assert!(frames < 50 * 120, "it gave up by itself");
}

#[test]
fn a_machine_ends_the_call_at_its_limits() {
    let pages = [page(1), page(2), page(3)];
    let (mut from, mut to) = (sender(&pages), receiver(1, usize::MAX));
    talk(&mut *from, &mut *to, 50 * 180);
    let came = to.finish();
    assert_eq!(came.end, FaxEnd::Failed("it has more than 1 pages".into()));
    assert!(came.pages < 3 && unpacked(&came)[0] == pages[0]);
    let (mut from, mut to) = (sender(&pages), receiver(100, 100));
    talk(&mut *from, &mut *to, 50 * 180);
    assert_eq!(to.finish().end, FaxEnd::Failed("it is longer than 100 bytes".into()));
}

/// A page of so many white rows, packed by T.6: a bit each.
fn white(rows: u32) -> Vec<u8> {
    let data = vec![0xFF; usize::try_from(rows / 8).unwrap()];
    let (at, bytes) = (24, rows / 8);
    let entries: [(u16, u16, u32); 13] = [
        (254, 4, 2),
        (256, 4, 1_728),
        (257, 4, rows),
        (258, 3, 1),
        (259, 3, 4),
        (262, 3, 0),
        (273, 4, at),
        (277, 3, 1),
        (278, 4, rows),
        (279, 4, bytes),
        (282, 5, 8),
        (283, 5, 16),
        (296, 3, 2),
    ];
    let mut file = b"II\x2A\0".to_vec();
    for number in [at + bytes, 204, 1, 196, 1] {
        file.extend(number.to_le_bytes());
    }
    file.extend(data);
    file.extend(13_u16.to_le_bytes());
    for (tag, kind, value) in entries {
        file.extend(tag.to_le_bytes());
        file.extend(kind.to_le_bytes());
        file.extend(1_u32.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    file.extend([0; 4]);
    file
}

/// With error correction a page comes in pieces of 64 KB, each of which is looked at.
#[test]
fn a_page_without_an_end_is_ended() {
    let order = FaxOrder {
        ident: String::new(),
        sends: Some(FaxDocument::whole(&white(540_000))),
        pages_max: 100,
        bytes_max: usize::MAX,
    };
    let (mut from, mut to) = (Library.fax(&order).unwrap(), receiver(100, usize::MAX));
    let frames = talk(&mut *from, &mut *to, 50 * 120);
    let came = to.finish();
    assert_eq!(came.end, FaxEnd::Failed("a page has more than 20000 rows".into()), "after {frames} frames");
}

#[test]
fn a_machine_that_is_sent_back_to_audio_goes_on_there() {
    let pages = [page(1)];
    let mut to = receiver(100, usize::MAX);
    // T.38 was agreed on, and given up before anything came.
    to.elapse(&mut Vec::new());
    let mut from = sender(&pages);
    talk(&mut *from, &mut *to, 50 * 120);
    let came = to.finish();
    assert_eq!((&came.end, came.pages), (&FaxEnd::Done, 1));
    assert!(unpacked(&came)[0] == pages[0]);
}

/// Random numbers from a seed (Numerical Recipes' quick one).
struct Dice(u32);

impl Dice {
    fn percent(&mut self, share: u32) -> bool {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 16) % 100 < share
    }
}

/// One end of T.38: a machine, and what brings its packets over the network.
struct End {
    machine: Box<dyn FaxMachine>,
    sender: Sender,
    receiver: Receiver,
}

impl End {
    fn new(machine: Box<dyn FaxMachine>) -> Self {
        Self { machine, sender: Sender::new(400), receiver: Receiver::default() }
    }

    /// 20 ms: what came, and what goes.
    fn step(&mut self, came: &[Vec<u8>]) -> Vec<Vec<u8>> {
        for datagram in came {
            for (sequence, packet) in self.receiver.take(datagram).unwrap() {
                self.machine.packet(sequence, &packet);
            }
        }
        let mut packets = Vec::new();
        self.machine.elapse(&mut packets);
        let datagrams = packets.iter().flat_map(|(packet, copies)| {
            let datagram = self.sender.pack(packet);
            vec![datagram; usize::from(*copies)]
        });
        datagrams.collect()
    }
}

/// Whether both were over after so many frames.
fn exchange_packets(one: &mut End, other: &mut End, lost: u32, frames: usize) -> bool {
    let (mut dice, mut to_one, mut to_other) = (Dice(7), Vec::new(), Vec::new());
    for _ in 0..frames {
        let (mut by_one, mut by_other) = (one.step(&to_one), other.step(&to_other));
        by_one.retain(|_| !dice.percent(lost));
        by_other.retain(|_| !dice.percent(lost));
        (to_one, to_other) = (by_other, by_one);
        if one.machine.is_over() && other.machine.is_over() {
            return true;
        }
    }
    false
}

#[test]
fn r73_pages_come_over_t38_as_they_were_sent_with_one_datagram_in_a_hundred_lost() {
    let pages = [page(1), page(2)];
    let (mut from, mut to) = (End::new(sender(&pages)), End::new(receiver(100, usize::MAX)));
    assert!(exchange_packets(&mut from, &mut to, 1, 50 * 180));
    let (sent, came) = (from.machine.finish(), to.machine.finish());
    assert_eq!((&sent.end, sent.pages), (&FaxEnd::Done, 2));
    assert_eq!((&came.end, came.pages, came.bad_rows), (&FaxEnd::Done, 2, 0));
    assert!(unpacked(&came) == pages, "a pixel differs");
    assert!(to.receiver.counts().1 > 5, "some were lost, and came back: {:?}", to.receiver.counts());
}

#[test]
fn a_machine_that_spoke_begins_anew_with_packets() {
    let pages = [page(1)];
    let (mut from, mut to) = (sender(&pages), receiver(100, usize::MAX));
    // Tones and the first words: no page yet.
    talk(&mut *from, &mut *to, 50 * 4);
    let (mut from, mut to) = (End::new(from), End::new(to));
    assert!(exchange_packets(&mut from, &mut to, 0, 50 * 120));
    let came = to.machine.finish();
    assert_eq!((&came.end, came.pages), (&FaxEnd::Done, 1));
    assert!(unpacked(&came) == pages, "a pixel differs");
}

#[test]
fn who_hangs_up_when_his_last_page_is_confirmed_has_sent_all_whether_he_said_goodbye_or_not() {
    let pages = [page(1)];
    let all = talk(&mut *sender(&pages), &mut *receiver(100, usize::MAX), 50 * 120);
    let (mut from, mut to) = (sender(&pages), receiver(100, usize::MAX));
    talk(&mut *from, &mut *to, all - 20);
    assert!(!to.is_over(), "his goodbye has not been heard");
    let came = to.finish();
    assert_eq!((&came.end, came.pages), (&FaxEnd::Done, 1));
}
