//! What a leg keeps for audio that is not merely relayed: the buffer that evens out what comes, and the booths.

use crate::booth::{Booth, Input, Plan, Seated};
use crate::codec::Codec;
use crate::coding::{Codecs, duration_micros};
use crate::jitter::{Content, Heard, Jitter, Keeping};
use crate::room::Slot;
use crate::rtp::Header;
use plugboard_model::Time;

/// Frames that a worker may be behind before they are left out: 60 ms, as late as the buffer may have it.
const BEHIND_MAX: u8 = 2;

/// Datagrams of T.38 that wait for a turn: a burst of several seconds.
const DATAGRAMS_MAX: usize = 64;

/// A comfort noise packet stands for a frame.
const NOISE_MICROS: u32 = 20_000;

/// So long nothing comes and nothing is made up: the leg needs no more turns until a packet comes.
const REST_STEPS: u32 = 25;

/// Comfort noise goes on for so long without a word: a sender that is alive repeats it.
const NOISE_STEPS: u32 = 1_500;

/// One leg's far end, on its way to be unpacked.
#[derive(Debug)]
pub(crate) struct Hearing {
    pub(crate) serial: u32,
    plan: Plan,
    jitter: Jitter,
    /// None: at a worker.
    booth: Option<Box<Booth>>,
    behind: u8,
    /// The sender is silent and said so.
    noise: bool,
    empty_steps: u32,
    /// Of T.38, in the order in which they came.
    datagrams: Vec<Vec<u8>>,
}

/// What a turn brought.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Work for a worker.
    Work(Box<Booth>),
    /// The worker has not given the last one back; so many frames were left out.
    Late(u64),
    /// Nothing to do.
    Nothing,
    /// Nothing to do until the next packet.
    Rest,
}

impl Hearing {
    /// None: nobody can unpack that.
    pub(crate) fn new(
        serial: u32,
        plan: Plan,
        keeping: Keeping,
        seat: Option<Seated>,
        codecs: &dyn Codecs,
    ) -> Option<Self> {
        let booth = Some(Box::new(Booth::new(plan, seat, codecs)?));
        let jitter = Jitter::new(keeping);
        Some(Self { serial, plan, jitter, booth, behind: 0, noise: false, empty_steps: 0, datagrams: Vec::new() })
    }

    pub(crate) const fn plan(&self) -> Plan {
        self.plan
    }

    /// Takes a packet of audio. False: it is no such payload.
    pub(crate) fn packet(&mut self, now: Time, codec: Codec, header: &Header, payload: &[u8]) -> bool {
        let Some(micros) = duration_micros(codec, payload) else { return false };
        self.put(now, codec, header, micros, Content::Audio(payload.to_vec()));
        true
    }

    /// Takes a packet of comfort noise.
    pub(crate) fn comfort(&mut self, now: Time, codec: Codec, header: &Header, payload: &[u8]) -> bool {
        let Some(level) = payload.first() else { return false };
        self.put(now, codec, header, NOISE_MICROS, Content::Noise(*level));
        true
    }

    /// Takes a datagram of T.38; one too many is as good as lost.
    pub(crate) fn datagram(&mut self, datagram: &[u8]) {
        if self.datagrams.len() < DATAGRAMS_MAX {
            self.datagrams.push(datagram.to_vec());
        }
    }

    fn put(&mut self, now: Time, codec: Codec, header: &Header, micros: u32, content: Content) {
        let stamp = u64::from(header.timestamp) * 1_000_000 / u64::from(codec.clock_rate());
        let [b0, b1, b2, b3, ..] = stamp.to_le_bytes();
        self.empty_steps = 0;
        self.jitter.put(now, header.sequence, u32::from_le_bytes([b0, b1, b2, b3]), micros, content);
    }

    /// Each 20 ms, of which this is the slot.
    pub(crate) fn turn(&mut self, now: Time, slot: Slot) -> Turn {
        let Some(mut booth) = self.booth.take() else {
            if self.behind < BEHIND_MAX {
                self.behind += 1;
                return Turn::Nothing;
            }
            let mut missed = Vec::new();
            self.step(now, &mut missed);
            return Turn::Late(u64::try_from(missed.len()).unwrap_or(0));
        };
        let (mut heard, behind) = (Vec::new(), std::mem::take(&mut self.behind));
        for _ in 0..=behind {
            self.step(now, &mut heard);
        }
        // A room is heard whether one says something or not, and a machine's time goes on.
        if self.plan.is_seated() {
            booth.slots.extend((0..=u64::from(behind)).rev().map(|back| slot.before(back)));
        } else if heard.is_empty() {
            self.booth = Some(booth);
            self.empty_steps += 1;
            return if self.empty_steps > REST_STEPS { Turn::Rest } else { Turn::Nothing };
        }
        booth.inputs.extend(heard.into_iter().map(Input::Heard));
        booth.inputs.extend(self.datagrams.drain(..).map(Input::Datagram));
        Turn::Work(booth)
    }

    /// The booth came back.
    pub(crate) fn give_back(&mut self, booth: Box<Booth>) {
        self.booth = Some(booth);
    }

    fn step(&mut self, now: Time, heard: &mut Vec<Heard>) {
        let before = heard.len();
        self.jitter.step(now, heard);
        for one in heard.iter().skip(before) {
            match one {
                Heard::Noise(..) => self.noise = true,
                Heard::Packet(_) => self.noise = false,
                Heard::Lost(..) | Heard::Starved(_) => {}
            }
        }
        if heard.len() == before && self.noise && self.empty_steps < NOISE_STEPS {
            self.empty_steps += 1;
            heard.push(Heard::Starved(NOISE_MICROS));
        }
    }
}

/// Where what is played to a leg is packed.
#[derive(Debug)]
pub(crate) struct Mouth {
    pub(crate) serial: u32,
    codec: Codec,
    /// None: at a worker.
    booth: Option<Box<Booth>>,
}

impl Mouth {
    /// None: nobody can pack that.
    pub(crate) fn new(serial: u32, codec: Codec, codecs: &dyn Codecs) -> Option<Self> {
        let plan = Plan { from: None, to: Some(codec), keys: false, calls: false, room: None, fax: false };
        Some(Self { serial, codec, booth: Some(Box::new(Booth::new(plan, None, codecs)?)) })
    }

    pub(crate) const fn codec(&self) -> Codec {
        self.codec
    }

    /// The booth with a frame in it; none when the last one is not back.
    pub(crate) fn frame(&mut self, input: Input) -> Option<Box<Booth>> {
        let mut booth = self.booth.take()?;
        booth.inputs.push(input);
        Some(booth)
    }

    /// The booth came back.
    pub(crate) fn give_back(&mut self, booth: Box<Booth>) {
        self.booth = Some(booth);
    }
}
