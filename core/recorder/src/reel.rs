//! What both sides say, on one time line. No clock, no file: packets go in, bytes come out.
//!
//! The first packet of a stream lies where it came; the others as far from it as their timestamps say, so that what is lost or late
//! leaves silence of its own length, and both sides keep theirs. A packet may be late by [`WINDOW`]: so far the bytes that come out are
//! behind.

use plugboard_media::coding::Decode;
use plugboard_media::g711::{self, Law};
use plugboard_media::tape::Side;
use plugboard_media::{CLOCK_RATE, Codec, Codecs, Rate};
use plugboard_model::Time;
use std::sync::Arc;
use std::time::Duration;

use crate::line::Line;
use crate::wav;

/// How late a packet may be: twice what a talk bears.
const WINDOW: Duration = Duration::from_millis(400);

/// A stream whose timestamps are this far off its packets has another clock now.
const ASTRAY: Duration = Duration::from_secs(1);

/// Louder than that on the mean of a packet is no silence: the noise of a quiet room on a telephone is below it.
const QUIET: u64 = 200;

/// What a file has of sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A law of G.711, as it was sent.
    Law(Law),
    /// 16 bits.
    Linear(Rate),
}

/// How a file is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// Each sample.
    pub shape: Shape,
    /// The left side is what the leg says, the right one what it hears; else it is the left one alone.
    pub stereo: bool,
}

impl Form {
    /// The form for a leg that speaks this codec: nothing that is G.711 is transcoded.
    pub const fn of(codec: Codec, stereo: bool) -> Self {
        let shape = match codec {
            Codec::Pcma => Shape::Law(Law::A),
            Codec::Pcmu => Shape::Law(Law::Mu),
            Codec::G722 | Codec::Opus => Shape::Linear(Rate::Wide),
        };
        Self { shape, stereo }
    }

    pub(crate) const fn rate(self) -> u32 {
        match self.shape {
            Shape::Law(_) => CLOCK_RATE,
            Shape::Linear(rate) => rate.hertz(),
        }
    }

    pub(crate) const fn channels(self) -> usize {
        if self.stereo { 2 } else { 1 }
    }

    /// Bytes of one moment.
    pub(crate) const fn frame_bytes(self) -> usize {
        match self.shape {
            Shape::Law(_) => self.channels(),
            Shape::Linear(_) => self.channels() * 2,
        }
    }

    const fn working_rate(self) -> Rate {
        match self.shape {
            Shape::Law(_) => Rate::Narrow,
            Shape::Linear(rate) => rate,
        }
    }
}

/// What comes out of a talk comes out by so much at once: each piece costs, however short.
const STEP: Duration = Duration::from_millis(500);

/// Two sides on one line.
pub(crate) struct Reel {
    form: Form,
    /// It comes out by the packet: somebody waits for its length.
    exact: bool,
    codecs: Arc<dyn Codecs>,
    /// When the line began, moved by its pauses.
    start: Option<Time>,
    /// Since when it is on; none: it pauses.
    on: bool,
    last: Time,
    /// Samples that came out already.
    done: u64,
    tracks: [Track; 2],
    /// What could not be unpacked.
    strange: Option<Codec>,
    /// Samples at the end in which nobody of the left side was heard.
    quiet: u64,
    /// Samples in which somebody of the left side was heard, all together.
    loud: u64,
}

/// One side.
#[derive(Default)]
struct Track {
    /// Which stream, its first timestamp, and where that lies.
    stream: Option<(u32, u32, u64)>,
    /// From `Reel::done` on, of a law or linear as the file has it; the other one is empty.
    bytes: Line<u8>,
    linear: Line<i16>,
    decoder: Option<(Codec, Box<dyn Decode>)>,
}

/// The sound of a packet, as the file has it.
enum Sound {
    Bytes(Vec<u8>),
    Linear(Vec<i16>),
}

impl Reel {
    /// In the form of the first codec that is heard.
    ///
    /// One side alone comes out by the packet; both by larger pieces, unless they are to be `exact`.
    pub(crate) fn new(stereo: bool, exact: bool, codecs: Arc<dyn Codecs>) -> Self {
        let form = Form::of(Codec::Pcma, stereo);
        let tracks = [Track::default(), Track::default()];
        Self {
            form,
            exact: exact || !stereo,
            codecs,
            start: None,
            on: false,
            last: Time::ZERO,
            done: 0,
            tracks,
            strange: None,
            quiet: 0,
            loud: 0,
        }
    }

    pub(crate) const fn form(&self) -> Form {
        self.form
    }

    /// The line goes on: time that passed meanwhile is no part of it.
    pub(crate) fn on(&mut self, at: Time) {
        if self.on {
            return;
        }
        let before = self.start.map_or(Duration::ZERO, |start| self.last.since(start));
        self.start = Some(Time(at.0.saturating_sub(u64::try_from(before.as_nanos()).unwrap_or(0))));
        (self.on, self.last) = (true, at);
        for track in &mut self.tracks {
            track.stream = None;
        }
    }

    /// The line stops here; all of it comes out.
    pub(crate) fn off(&mut self, at: Time, out: &mut Vec<u8>) {
        if self.on {
            self.last = self.last.max(at);
            self.on = false;
            let to = self.position(self.last);
            self.put_out(to, out);
        }
    }

    /// The same, as far as is known when it is.
    pub(crate) fn end(&mut self, out: &mut Vec<u8>) {
        self.off(self.last, out);
    }

    /// Time goes on.
    pub(crate) fn still(&mut self, at: Time, out: &mut Vec<u8>) {
        if self.on {
            self.last = self.last.max(at);
            // The form is that of whoever is heard first: a browser shakes hands before.
            let unheard = self.done == 0 && self.tracks.iter().all(Track::is_empty);
            if unheard && self.start.is_some_and(|start| self.last.since(start) < FORM_WAITS) {
                return;
            }
            let to = self.position(self.last).saturating_sub(samples(WINDOW, self.form.rate()));
            if self.exact || to >= self.done + samples(STEP, self.form.rate()) {
                self.put_out(to, out);
            }
        }
    }

    /// A packet came.
    pub(crate) fn sound(
        &mut self,
        at: Time,
        side: Side,
        codec: Codec,
        (stream, timestamp): (u32, u32),
        payload: &[u8],
        out: &mut Vec<u8>,
    ) {
        if !self.on || (side == Side::Heard && !self.form.stereo) {
            return;
        }
        self.last = self.last.max(at);
        if self.done == 0 && self.tracks.iter().all(Track::is_empty) {
            self.form = Form::of(codec, self.form.stereo);
        }
        let (form, here, rate) = (self.form, self.position(at), u64::from(self.form.rate()));
        let track = match side {
            Side::Said => &mut self.tracks[0],
            Side::Heard => &mut self.tracks[1],
        };
        let found = track.stream.filter(|(name, ..)| *name == stream).and_then(|(_, first, lies)| {
            let ticks = i64::from(timestamp.wrapping_sub(first).cast_signed());
            let moved = ticks * i64::try_from(rate).unwrap_or(0) / i64::from(codec.clock_rate());
            let place = lies.checked_add_signed(moved)?;
            (place.abs_diff(here) <= samples(ASTRAY, form.rate())).then_some(place)
        });
        // What lies behind all that came out and is no packet overtaken by others is of a stream that lags: its clock is slow, or it
        // paused without telling. From here on it is heard again.
        let newer = track.stream.is_none_or(|(_, last, _)| timestamp.wrapping_sub(last).cast_signed() > 0);
        let place = found.filter(|place| *place >= self.done || !newer).unwrap_or(here);
        // Counted from the last packet, so that timestamps of a day do not wrap.
        track.stream = Some((stream, timestamp, place));
        match (form.shape, codec.law()) {
            (Shape::Law(to), Some(from)) if from == to => {
                track.lay_bytes(self.done, place, payload, to);
                return self.still(at, out);
            }
            (Shape::Law(_) | Shape::Linear(_), Some(_) | None) => {}
        }
        match track.unpack(form, codec, payload, &*self.codecs) {
            Some(sound) => track.lay(self.done, place, &sound, form),
            None if track.decoder.as_ref().is_none_or(|(of, _)| *of != codec) => self.strange = Some(codec),
            // A broken packet is as good as lost.
            None => {}
        }
        self.still(at, out);
    }

    /// A codec that nobody here can unpack.
    pub(crate) const fn strange(&self) -> Option<Codec> {
        self.strange
    }

    /// How long nobody was heard at the end of a message.
    pub(crate) fn quiet_for(&self) -> Duration {
        Duration::from_millis(self.quiet * 1_000 / u64::from(self.form.rate()))
    }

    /// How long somebody of the left side was heard, all together.
    pub(crate) fn heard_for(&self) -> Duration {
        Duration::from_millis(self.loud * 1_000 / u64::from(self.form.rate()))
    }

    /// How much came out.
    pub(crate) fn length_ms(&self) -> u64 {
        self.done * 1_000 / u64::from(self.form.rate())
    }

    fn position(&self, at: Time) -> u64 {
        self.start.map_or(0, |start| samples(at.since(start), self.form.rate()))
    }

    /// However much comes out at once, whether somebody was heard is judged by pieces; of both sides nobody asks that.
    fn put_out(&mut self, to: u64, out: &mut Vec<u8>) {
        let piece = if self.form.stereo { u64::MAX } else { u64::from(self.form.rate() / 50) };
        while self.done < to {
            let count = (to - self.done).min(piece);
            let loud = self.put_piece(usize::try_from(count).unwrap_or(0), out);
            self.done += count;
            let is_loud = loud > QUIET * count;
            self.quiet = if is_loud { 0 } else { self.quiet + count };
            self.loud += if is_loud { count } else { 0 };
        }
    }

    /// The next samples of both sides, and how loud one side alone is in them, all together.
    fn put_piece(&mut self, count: usize, out: &mut Vec<u8>) -> u64 {
        let [said, heard] = &mut self.tracks;
        let mut loud = 0;
        match self.form.shape {
            Shape::Law(law) => {
                if self.form.stereo {
                    interleave(said.bytes.first(count), heard.bytes.first(count), count, law.silence(), |both| {
                        out.extend_from_slice(both.as_flattened());
                    });
                } else {
                    let (begin, said) = (out.len(), said.bytes.first(count));
                    loud = said.iter().map(|byte| u64::from(g711::decode(law, *byte).unsigned_abs())).sum();
                    out.extend_from_slice(said);
                    out.resize(begin + count, law.silence());
                }
            }
            Shape::Linear(_) => {
                if self.form.stereo {
                    interleave(said.linear.first(count), heard.linear.first(count), count, 0, |both| {
                        out.extend(both.as_flattened().iter().flat_map(|sample| sample.to_le_bytes()));
                    });
                } else {
                    let (begin, said) = (out.len(), said.linear.first(count));
                    loud = said.iter().map(|sample| u64::from(sample.unsigned_abs())).sum();
                    out.extend(said.iter().flat_map(|sample| sample.to_le_bytes()));
                    out.resize(begin + count * 2, 0);
                }
            }
        }
        for track in [said, heard] {
            track.bytes.forget(count);
            track.linear.forget(count);
        }
        loud
    }
}

/// Samples that are interleaved at once: they lie where the processor is near them.
const BOTH: usize = 256;

/// So many moments of two sides, by small pieces; a side that has fewer samples is silent for the rest.
fn interleave<T: Copy>(said: &[T], heard: &[T], count: usize, silence: T, mut put: impl FnMut(&[[T; 2]])) {
    let mut both = [[silence; 2]; BOTH];
    for begin in (0..count).step_by(BOTH) {
        let length = BOTH.min(count - begin);
        let [said, heard] = [said, heard].map(|side| side.get(begin..).unwrap_or_default());
        if let (Some(said), Some(heard)) = (said.get(..length), heard.get(..length)) {
            for (moment, (said, heard)) in both.iter_mut().zip(said.iter().zip(heard)) {
                *moment = [*said, *heard];
            }
        } else {
            for (n, moment) in both.iter_mut().enumerate() {
                *moment = [said, heard].map(|side| side.get(n).copied().unwrap_or(silence));
            }
        }
        put(both.get(..length).unwrap_or_default());
    }
}

impl Track {
    fn is_empty(&self) -> bool {
        self.bytes.is_empty() && self.linear.is_empty()
    }

    /// The samples of a packet, as the file has them.
    fn unpack(&mut self, form: Form, codec: Codec, payload: &[u8], codecs: &dyn Codecs) -> Option<Sound> {
        if let (Shape::Law(to), Some(from)) = (form.shape, codec.law()) {
            let mut bytes = payload.to_vec();
            if from != to {
                g711::transcode(from, &mut bytes);
            }
            return Some(Sound::Bytes(bytes));
        }
        if self.decoder.as_ref().is_none_or(|(of, _)| *of != codec) {
            self.decoder = Some((codec, codecs.decoder(codec, form.working_rate())?));
        }
        let (_, decoder) = self.decoder.as_mut()?;
        let mut linear = Vec::new();
        if !decoder.decode(payload, &mut linear) {
            return None;
        }
        Some(match form.shape {
            Shape::Law(law) => Sound::Bytes(linear.into_iter().map(|sample| wav::pack(law, sample)).collect()),
            Shape::Linear(_) => Sound::Linear(linear),
        })
    }

    /// Puts a packet at a place of the line; what came out already stays.
    fn lay(&mut self, done: u64, place: u64, sound: &Sound, form: Form) {
        match (sound, form.shape) {
            (Sound::Bytes(sound), Shape::Law(law)) => self.lay_bytes(done, place, sound, law),
            (Sound::Linear(sound), Shape::Linear(_)) => {
                let (from, late) = apart(done, place);
                self.linear.lay(from, sound.get(late..).unwrap_or_default(), 0);
            }
            (Sound::Bytes(_), Shape::Linear(_)) | (Sound::Linear(_), Shape::Law(_)) => {}
        }
    }

    fn lay_bytes(&mut self, done: u64, place: u64, sound: &[u8], law: Law) {
        let (from, late) = apart(done, place);
        self.bytes.lay(from, sound.get(late..).unwrap_or_default(), law.silence());
    }
}

/// How far a place lies beyond what came out, and how far before.
fn apart(done: u64, place: u64) -> (usize, usize) {
    let samples = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    (samples(place.saturating_sub(done)), samples(done.saturating_sub(place)))
}

/// So long nothing is written of a recording in which nothing was heard yet.
const FORM_WAITS: Duration = Duration::from_secs(2);

fn samples(time: Duration, rate: u32) -> u64 {
    // By the second and its rest: a division of 128 bits at each packet would be dearer than all else.
    let rest = u64::from(time.subsec_nanos()) * u64::from(rate) / 1_000_000_000;
    time.as_secs().saturating_mul(u64::from(rate)).saturating_add(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct NoCodecs;

    impl Codecs for NoCodecs {
        fn encoder(&self, _: Codec, _: Rate) -> Option<Box<dyn plugboard_media::coding::Encode>> {
            None
        }
        fn decoder(&self, _: Codec, _: Rate) -> Option<Box<dyn Decode>> {
            None
        }
        fn key_receiver(&self) -> Option<Box<dyn plugboard_media::coding::HearKeys>> {
            None
        }
    }

    const A: u8 = 0x11;
    const B: u8 = 0x22;
    const SILENCE: u8 = 0xD5;

    fn reel() -> Reel {
        let mut reel = Reel::new(true, true, Arc::new(NoCodecs));
        reel.on(Time::from_millis(1_000));
        reel
    }

    fn put(reel: &mut Reel, at: u64, side: Side, stream: u32, timestamp: u32, byte: u8, out: &mut Vec<u8>) {
        reel.sound(Time::from_millis(at), side, Codec::Pcma, (stream, timestamp), &[byte; 160], out);
    }

    /// One side, in pieces of 20 ms: its byte where it is the same all over.
    fn side(out: &[u8], which: usize) -> Vec<Option<u8>> {
        let bytes: Vec<u8> = out.chunks(2).filter_map(|both| both.get(which).copied()).collect();
        bytes.chunks(160).map(|piece| piece.first().copied().filter(|first| piece.iter().all(|b| b == first))).collect()
    }

    #[test]
    fn both_sides_keep_their_length_whatever_is_lost_or_comes_out_of_order() {
        let (mut reel, mut out) = (reel(), Vec::new());
        for n in 0..50_u32 {
            let at = 1_000 + 20 * u64::from(n);
            // Of the one side every fifth is lost and two change places; the other begins half a second later.
            match n {
                10 => put(&mut reel, at, Side::Said, 1, (u32::MAX - 100).wrapping_add(160 * 11), A, &mut out),
                11 => put(&mut reel, at, Side::Said, 1, (u32::MAX - 100).wrapping_add(160 * 10), A, &mut out),
                _ if n % 5 == 4 => {}
                _ => put(&mut reel, at, Side::Said, 1, (u32::MAX - 100).wrapping_add(160 * n), A, &mut out),
            }
            if n >= 25 {
                put(&mut reel, at, Side::Heard, 2, 160 * n, B, &mut out);
            }
        }
        reel.off(Time::from_millis(2_000), &mut out);
        assert_eq!((out.len(), reel.length_ms()), (16_000, 1_000));
        for (n, (said, heard)) in side(&out, 0).into_iter().zip(side(&out, 1)).enumerate() {
            assert_eq!(said, Some(if n % 5 == 4 { SILENCE } else { A }), "{n}");
            assert_eq!(heard, Some(if n >= 25 { B } else { SILENCE }), "{n}");
        }
    }

    #[test]
    fn a_pause_is_left_out_and_another_stream_lies_where_it_came() {
        let (mut reel, mut out) = (reel(), Vec::new());
        put(&mut reel, 1_000, Side::Said, 1, 0, A, &mut out);
        reel.off(Time::from_millis(1_020), &mut out);
        put(&mut reel, 1_040, Side::Said, 1, 320, A, &mut out);
        assert_eq!(out.len(), 320, "what is said in a pause is not recorded");
        reel.on(Time::from_millis(9_000));
        put(&mut reel, 9_040, Side::Said, 7, 99, B, &mut out);
        reel.off(Time::from_millis(9_100), &mut out);
        let bytes = [A, SILENCE, SILENCE, B, SILENCE, SILENCE].map(Some);
        assert_eq!(side(&out, 0), bytes);
    }

    #[test]
    fn a_clock_that_jumps_does_not_move_the_line() {
        let (mut reel, mut out) = (reel(), Vec::new());
        put(&mut reel, 1_000, Side::Said, 1, 0, A, &mut out);
        put(&mut reel, 1_020, Side::Said, 1, 900_000, B, &mut out);
        put(&mut reel, 1_040, Side::Said, 1, 900_160, A, &mut out);
        reel.off(Time::from_millis(1_060), &mut out);
        assert_eq!(side(&out, 0), [A, B, A].map(Some));
    }

    #[test]
    fn a_stream_that_lags_is_heard_again_and_one_packet_that_was_overtaken_is_not() {
        for pause in [300_u64, 450, 700, 900, 1_500] {
            let (mut reel, mut out) = (reel(), Vec::new());
            for n in 0..50_u32 {
                put(&mut reel, 1_000 + 20 * u64::from(n), Side::Said, 1, 160 * n, A, &mut out);
            }
            // It pauses, and its timestamps do not say so.
            for n in 50..100_u32 {
                put(&mut reel, 1_000 + pause + 20 * u64::from(n), Side::Said, 1, 160 * n, B, &mut out);
                reel.still(Time::from_millis(1_000 + pause + 20 * u64::from(n)), &mut out);
            }
            // Long overtaken.
            put(&mut reel, 3_000 + pause, Side::Said, 1, 160 * 60, 0x33, &mut out);
            reel.off(Time::from_millis(3_000 + pause), &mut out);
            let side = side(&out, 0);
            let heard = side.iter().filter(|piece| **piece == Some(B)).count();
            assert!(heard >= 49, "{pause}: {heard} of 50 pieces");
            assert!(!side.contains(&Some(0x33)), "{pause}");
        }
    }

    #[test]
    fn both_sides_come_out_by_half_seconds_unless_somebody_waits_for_their_length() {
        for (exact, length_ms) in [(false, 500), (true, 580)] {
            let (mut reel, mut out) = (Reel::new(true, exact, Arc::new(NoCodecs)), Vec::new());
            reel.on(Time::from_millis(1_000));
            for n in 0..50_u32 {
                put(&mut reel, 1_000 + 20 * u64::from(n), Side::Said, 1, 160 * n, A, &mut out);
                put(&mut reel, 1_000 + 20 * u64::from(n), Side::Heard, 2, 160 * n, B, &mut out);
            }
            assert_eq!((reel.length_ms(), out.len()), (length_ms, usize::try_from(length_ms).unwrap() * 16));
            reel.off(Time::from_millis(2_000), &mut out);
            assert_eq!(side(&out, 0), [Some(A); 50]);
            assert_eq!(side(&out, 1), [Some(B); 50]);
        }
    }

    #[test]
    fn the_form_is_that_of_who_is_heard_first_though_it_takes_him_a_second() {
        let (mut reel, mut out) = (reel(), Vec::new());
        reel.still(Time::from_millis(2_200), &mut out);
        reel.sound(Time::from_millis(2_300), Side::Said, Codec::Pcmu, (1, 0), &[A; 160], &mut out);
        assert_eq!(reel.form().shape, Shape::Law(Law::Mu));
        reel.off(Time::from_millis(2_320), &mut out);
        assert_eq!(reel.length_ms(), 1_320);
    }

    #[test]
    fn silence_is_counted_from_the_last_that_was_said_also_when_nothing_comes() {
        let mut reel = Reel::new(false, false, Arc::new(NoCodecs));
        let mut out = Vec::new();
        reel.on(Time::ZERO);
        for n in 0..50_u32 {
            put(&mut reel, 20 * u64::from(n), Side::Said, 1, 160 * n, A, &mut out);
        }
        assert_eq!((reel.quiet_for(), reel.heard_for()), (Duration::ZERO, Duration::from_millis(reel.length_ms())));
        reel.still(Time::from_millis(3_400), &mut out);
        assert!(reel.quiet_for() >= Duration::from_millis(1_900), "{:?}", reel.quiet_for());
    }
}
