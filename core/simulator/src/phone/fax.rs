//! A fax machine behind a phone: it speaks and hears in the phone's place.

use plugboard_codec::Library;
use plugboard_media::g711::{self, Law};
use plugboard_media::udptl::{Receiver, Sender};
use plugboard_media::{Codecs as _, FAX_FRAME, FaxMachine, FaxOrder, FaxReport};
use std::collections::VecDeque;
use std::fmt;

/// What is heard waits so long, so that packets that come a little late leave no gap: three packets.
const DELAY: usize = 3 * FAX_FRAME;

/// More than this does not wait: the far end sends faster than time goes.
const WAITING_MAX: usize = 20 * FAX_FRAME;

/// The machine, and what it has not heard yet.
pub(crate) struct Line {
    machine: Box<dyn FaxMachine>,
    heard: VecDeque<i16>,
    /// Where it speaks T.38.
    packets: Option<(Sender, Receiver)>,
}

impl Line {
    pub(crate) fn new(order: &FaxOrder) -> Self {
        let machine = Library.fax(order).unwrap_or_else(|| panic!("a story needs memory for its fax machines"));
        Self { machine, heard: VecDeque::from(vec![0; DELAY]), packets: None }
    }

    /// A packet came.
    pub(crate) fn hears(&mut self, law: Law, payload: &[u8]) {
        self.heard.extend(payload.iter().map(|byte| g711::decode(law, *byte)));
        let over = self.heard.len().saturating_sub(WAITING_MAX);
        self.heard.drain(..over);
    }

    /// 20 ms of what it says.
    pub(crate) fn says(&mut self, law: Law) -> Vec<u8> {
        let mut heard: Vec<i16> = self.heard.drain(..FAX_FRAME.min(self.heard.len())).collect();
        heard.resize(FAX_FRAME, 0);
        let mut said = [0; FAX_FRAME];
        self.machine.exchange(&heard, &mut said);
        said.iter().map(|sample| g711::encode(law, *sample)).collect()
    }

    /// From now on it speaks T.38.
    pub(crate) fn speaks_packets(&mut self) {
        self.packets.get_or_insert_with(|| (Sender::new(400), Receiver::default()));
    }

    /// A datagram of T.38 came.
    pub(crate) fn takes(&mut self, datagram: &[u8]) {
        let Some((_, receiver)) = &mut self.packets else { return };
        // The last of the audio may still be on its way.
        for (sequence, packet) in receiver.take(datagram).unwrap_or_default() {
            self.machine.packet(sequence, &packet);
        }
    }

    /// 20 ms of T.38; nothing where it speaks audio.
    pub(crate) fn sends(&mut self) -> Option<Vec<Vec<u8>>> {
        let (sender, _) = self.packets.as_mut()?;
        let mut packets = Vec::new();
        self.machine.elapse(&mut packets);
        let copied = packets.iter().flat_map(|(packet, copies)| {
            let datagram = sender.pack(packet);
            vec![datagram; usize::from(*copies)]
        });
        Some(copied.collect())
    }

    /// Datagrams that never came, and those that others brought.
    pub(crate) fn lost_and_back(&self) -> (u64, u64) {
        self.packets.as_ref().map_or((0, 0), |(_, receiver)| receiver.counts())
    }

    /// It has done what it could, and would hang up.
    pub(crate) fn is_over(&self) -> bool {
        self.machine.is_over()
    }

    pub(crate) fn report(&mut self) -> FaxReport {
        self.machine.finish()
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}
