//! Where one stream of audio is unpacked, listened to and packed again: work for another thread than the media's.
//!
//! A booth goes to a worker with what is to be done and comes back with what came of it, so that nothing of it is shared
//! and never more than one piece of work of a stream is under way.

use crate::calling::Calling;
use crate::codec::Codec;
use crate::coding::{Codecs, Decode, Encode, HearKeys, Rate};
use crate::comfort::Noise;
use crate::command::MediaLeg;
use crate::fax::Fax;
use crate::g711::{self, Law};
use crate::jitter::Heard;
use crate::room::{Seat, Slot};
use crate::udptl::{Receiver, Sender};
use std::fmt;
use std::sync::Arc;

/// Microseconds of concealment after which nothing is made up any more: the ear notices, and silence is more honest.
const CONCEAL_MAX_MICROS: u32 = 100_000;

/// Linear audio that may wait for a whole frame: packets of 120 ms at 16 kHz, and a frame.
const LINEAR_MAX: usize = 2_240;

/// What a booth is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Plan {
    /// What comes in; none: linear audio of [`Rate::Narrow`].
    pub(crate) from: Option<Codec>,
    /// What goes out; none: it is only listened to.
    pub(crate) to: Option<Codec>,
    /// Keys are listened for.
    pub(crate) keys: bool,
    /// It sits in a room of this rate: what comes in goes there, and what the others say goes out.
    pub(crate) room: Option<Rate>,
    /// The tone of a fax machine that calls is listened for.
    pub(crate) calls: bool,
    /// A fax machine hears it and speaks: nothing is made up for it, and its time never stands still.
    pub(crate) fax: bool,
}

impl Plan {
    /// Somebody hears it each 20 ms, whether it says something or not.
    pub(crate) const fn is_seated(self) -> bool {
        self.room.is_some() || self.fax
    }

    /// The lesser of what both sides can say.
    fn rate(self) -> Rate {
        if let Some(rate) = self.room {
            return rate;
        }
        if self.fax {
            return Rate::Narrow;
        }
        let from = self.from.map_or(Rate::Narrow, Rate::of);
        self.to.map_or(Rate::Narrow, |to| from.min(Rate::of(to)))
    }
}

/// Who hears what comes into a booth, in place of a peer.
#[derive(Debug)]
pub(crate) enum Seated {
    /// Those in a room.
    Room(Seat),
    /// A machine, what it is made by, and what writes its datagrams where it speaks T.38.
    Fax {
        /// The machine.
        fax: Fax,
        /// What makes it.
        codecs: Arc<dyn Codecs>,
        /// Of datagrams.
        sender: Sender,
    },
}

/// What a booth is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// From a far end.
    Heard(Heard),
    /// A datagram of T.38.
    Datagram(Vec<u8>),
    /// A frame of what is played.
    Law(Law, Vec<u8>),
}

/// One stream's tools and what lies on the table.
pub(crate) struct Booth {
    plan: Plan,
    rate: Rate,
    decoder: Option<Box<dyn Decode>>,
    encoder: Option<Box<dyn Encode>>,
    receiver: Option<Box<dyn HearKeys>>,
    calling: Option<Calling>,
    noise: Option<Noise>,
    concealed_micros: u32,
    linear: Vec<i16>,
    /// Where it sits, if its plan is a seat's.
    seat: Option<Seated>,
    /// Of T.38.
    receiver_of_packets: Receiver,
    packets: Vec<(u16, Vec<u8>)>,
    /// To do, in order.
    pub(crate) inputs: Vec<Input>,
    /// The slots whose frames are to be given to the room and taken from it.
    pub(crate) slots: Vec<Slot>,
    /// Done: one payload for each 20 ms.
    pub(crate) payloads: Vec<Vec<u8>>,
    /// Heard.
    pub(crate) keys: Vec<char>,
    /// Payloads that were none.
    pub(crate) broken: u64,
    /// The fax machine is done.
    pub(crate) over: bool,
    /// A fax machine has called.
    pub(crate) called: bool,
}

/// A booth on its way to a worker and back.
#[derive(Debug)]
pub struct Work {
    pub(crate) leg: MediaLeg,
    /// Which booth of the leg: one that was given up meanwhile comes back for nothing.
    pub(crate) serial: u32,
    pub(crate) booth: Box<Booth>,
}

impl Work {
    /// Whose stream it is.
    pub const fn leg(&self) -> MediaLeg {
        self.leg
    }

    /// Does the work. It may take a millisecond: not for a media thread.
    pub fn run(&mut self) {
        self.booth.run();
    }
}

impl Booth {
    /// With the tools for the plan; none when the codecs do not have them.
    pub(crate) fn new(plan: Plan, seat: Option<Seated>, codecs: &dyn Codecs) -> Option<Self> {
        let rate = plan.rate();
        let decoder = match plan.from {
            Some(from) => Some(codecs.decoder(from, rate)?),
            None => None,
        };
        let encoder = match plan.to {
            Some(to) => Some(codecs.encoder(to, rate)?),
            None => None,
        };
        let receiver = if plan.keys { Some(codecs.key_receiver()?) } else { None };
        Some(Self {
            plan,
            rate,
            decoder,
            encoder,
            receiver,
            calling: plan.calls.then(Calling::default),
            noise: None,
            concealed_micros: 0,
            linear: Vec::new(),
            seat,
            receiver_of_packets: Receiver::default(),
            packets: Vec::new(),
            inputs: Vec::new(),
            slots: Vec::new(),
            payloads: Vec::new(),
            keys: Vec::new(),
            broken: 0,
            over: false,
            called: false,
        })
    }

    fn run(&mut self) {
        // What waits for a whole frame was listened to before; more than the table holds was cut off at its begin.
        let known = self.linear.len();
        for input in std::mem::take(&mut self.inputs) {
            let before = self.linear.len();
            self.unpack(input);
            if let Some(receiver) = &mut self.receiver {
                let fresh = self.linear.get(before..).unwrap_or_default();
                match self.rate {
                    Rate::Narrow => receiver.hear(fresh, &mut self.keys),
                    Rate::Wide => receiver.hear(&halved(fresh), &mut self.keys),
                }
            }
        }
        if let Some(calling) = &mut self.calling {
            let fresh = self.linear.get(known..).unwrap_or_default();
            self.called |= match self.rate {
                Rate::Narrow => calling.hear(fresh),
                Rate::Wide => calling.hear(&halved(fresh)),
            };
        }
        match self.seat.take() {
            Some(mut seat) => {
                match &mut seat {
                    Seated::Room(seat) => self.sit(seat),
                    Seated::Fax { fax, codecs, .. } if self.encoder.is_some() => self.transmit(fax, &**codecs),
                    Seated::Fax { fax, codecs, sender } => self.exchange_packets(fax, &**codecs, sender),
                }
                self.seat = Some(seat);
            }
            None => self.pack(),
        }
    }

    /// Gives the machine a frame for each slot, silence where nothing came, and packs what it says.
    fn transmit(&mut self, fax: &Fax, codecs: &dyn Codecs) {
        let frame = self.rate.frame();
        for _ in std::mem::take(&mut self.slots) {
            let count = frame.min(self.linear.len());
            let mut heard: Vec<i16> = self.linear.drain(..count).collect();
            heard.resize(frame, 0);
            let mut said = vec![0; frame];
            self.over = fax.exchange(codecs, &heard, &mut said);
            self.encode(&said);
        }
    }

    /// Gives the machine the packets that came, and takes those that it sends.
    fn exchange_packets(&mut self, fax: &Fax, codecs: &dyn Codecs, sender: &mut Sender) {
        let (came, times) = (std::mem::take(&mut self.packets), std::mem::take(&mut self.slots).len());
        let mut packets = Vec::new();
        self.over = fax.elapse(codecs, &came, times, &mut packets);
        for (packet, copies) in packets {
            let datagram = sender.pack(&packet);
            self.payloads.extend((0..copies).map(|_| datagram.clone()));
        }
    }

    /// Gives the room a frame for each slot, as far as there is something, and packs what is heard there.
    fn sit(&mut self, seat: &Seat) {
        let frame = self.rate.frame();
        for slot in std::mem::take(&mut self.slots) {
            let (said, mut heard) = (self.linear.get(..frame), Vec::with_capacity(frame));
            seat.exchange(slot, said, &mut heard);
            if said.is_some() {
                self.linear.drain(..frame);
            }
            self.encode(&heard);
        }
    }

    fn encode(&mut self, frame: &[i16]) {
        let Some(encoder) = &mut self.encoder else { return };
        let mut payload = Vec::new();
        if encoder.encode(frame, &mut payload) {
            self.payloads.push(payload);
        } else {
            self.broken += 1;
        }
    }

    fn unpack(&mut self, input: Input) {
        match input {
            Input::Heard(Heard::Packet(payload)) => {
                let Some(decoder) = &mut self.decoder else { return };
                self.noise = None;
                self.concealed_micros = 0;
                if !decoder.decode(&payload, &mut self.linear) {
                    self.broken += 1;
                    self.fill(20_000, None);
                }
            }
            Input::Heard(Heard::Lost(micros, next)) => self.fill(micros, next.as_deref()),
            Input::Heard(Heard::Starved(micros)) => self.fill(micros, None),
            Input::Heard(Heard::Noise(level, micros)) => {
                self.noise = Some(Noise::new(level));
                self.fill(micros, None);
            }
            Input::Datagram(datagram) => match self.receiver_of_packets.take(&datagram) {
                Ok(packets) => self.packets.extend(packets),
                Err(_) => self.broken += 1,
            },
            Input::Law(law, bytes) => self.linear.extend(bytes.iter().map(|byte| g711::decode(law, *byte))),
        }
        let over = self.linear.len().saturating_sub(LINEAR_MAX);
        self.linear.drain(..over);
    }

    /// Puts something in the place of what is not there: noise, what was heard last, or silence.
    fn fill(&mut self, micros: u32, next: Option<&[u8]>) {
        let micros = micros.min(120_000);
        let count = usize::try_from(u64::from(micros) * u64::from(self.rate.hertz()) / 1_000_000).unwrap_or(0);
        // A modem takes what is made up for what was sent.
        if self.plan.fax {
            return self.linear.resize(self.linear.len() + count, 0);
        }
        if let Some(noise) = &mut self.noise {
            noise.fill(count, &mut self.linear);
            return;
        }
        self.concealed_micros = self.concealed_micros.saturating_add(micros);
        match &mut self.decoder {
            Some(decoder) if self.concealed_micros <= CONCEAL_MAX_MICROS => {
                decoder.conceal(count, next, &mut self.linear);
            }
            Some(_) | None => self.linear.resize(self.linear.len() + count, 0),
        }
    }

    fn pack(&mut self) {
        let frame = self.rate.frame();
        if self.encoder.is_none() {
            self.linear.clear();
        }
        while self.linear.len() >= frame {
            let ready: Vec<i16> = self.linear.drain(..frame).collect();
            self.encode(&ready);
        }
    }
}

impl fmt::Debug for Booth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Booth").field("plan", &self.plan).finish_non_exhaustive()
    }
}

/// For the receiver of keys alone, whose filters are narrow: the mean of each two samples.
fn halved(samples: &[i16]) -> Vec<i16> {
    samples.chunks_exact(2).map(|pair| pair.iter().map(|sample| sample / 2).sum()).collect()
}
