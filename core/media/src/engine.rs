//! Every leg of one media thread as one machine: no socket, no clock, no random source.
//!
//! The driver hands in packets with the time they came, sends what comes back, and calls [`Engine::tick`] when
//! [`Engine::poll_timeout`] says so. A relayed packet is rewritten where it lies: nothing is copied or allocated.

mod browsers;
mod guarding;
mod hushing;
mod imaging;
mod keys;
mod knocking;
mod reporting;
mod seating;
mod sounding;
mod taping;
mod transcoding;
mod turns;

use crate::booth::Work;
use crate::coding::Codecs;
use crate::command::{Command, Event, KeyForm, MediaLeg, PlayEnd, PlayId, Stats, Traffic};
use crate::digits::Digit;
use crate::g711;
use crate::guard::Guards;
use crate::leg::{Came, Leg, Payload, Pulse, Route, Sitting};
use crate::outgoing::StreamStart;
use crate::playing::Playing;
use crate::rtp::{Header, is_rtcp, without_extension};
use crate::source::Verdict;
pub(crate) use guarding::Guarded;
use keys::set_event_clock;
use plugboard_model::Time;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use transcoding::{Way, header as header_of, needs_work};
use turns::Turns;

/// The legs of one shard: twice what a core relays at 50 packets a second.
pub const LEGS_MAX: usize = 16_384;

/// A driver that comes later than this does not send what it missed at once: the prompt is delayed instead.
const CATCH_UP_MAX: Duration = Duration::from_millis(100);

/// How often silence and lost ends of keys are looked for.
const ROUND: Duration = Duration::from_millis(500);

/// Which of a leg's two sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The even port.
    Rtp,
    /// The port above.
    Rtcp,
}

/// Where a packet goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forward {
    /// The leg whose socket sends it.
    pub leg: MediaLeg,
    /// Which socket.
    pub kind: Kind,
    /// To whom.
    pub to: SocketAddr,
    /// How many bytes of the buffer.
    pub length: usize,
}

/// What is the same for every leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EngineConfig {
    /// A leg that should send and does not for so long is told silent; none is with zero.
    pub silent_after: Duration,
    /// One that was never heard is told as if it had been.
    pub silent_from_start: bool,
}

impl Default for EngineConfig {
    /// A minute: longer than any pause of a phone that saves bandwidth (comfort noise comes each few seconds), and than a change of
    /// its network takes.
    fn default() -> Self {
        Self { silent_after: Duration::from_mins(1), silent_from_start: false }
    }
}

/// A place in the engine.
#[derive(Debug, Default)]
enum Slot {
    #[default]
    Vacant,
    Live(Box<Leg>),
    /// Ended by a fault of ours; waits for its close.
    Failed(MediaLeg, Stats),
}

/// All legs of one media thread.
#[derive(Debug)]
pub struct Engine {
    config: EngineConfig,
    slots: Vec<Slot>,
    live: usize,
    turns: Turns,
    next_round: Time,
    events: VecDeque<Event>,
    /// For browser legs, if it carries any.
    port: Option<Box<browsers::Port>>,
    /// Not told yet.
    traffic: Traffic,
    /// Who packs and unpacks what is no G.711.
    codecs: Option<Arc<dyn Codecs>>,
    /// Who encrypts.
    guards: Option<Arc<dyn Guards>>,
    /// When the handshakes that go on want to go on.
    handshakes: BTreeMap<MediaLeg, Time>,
    /// Their datagrams, to be sent.
    flights: VecDeque<(Forward, Vec<u8>)>,
    /// To be handed out.
    work: VecDeque<Work>,
    /// Whose work a fault would be.
    at_work: Option<MediaLeg>,
    #[cfg(test)]
    pub(crate) breaks_on: Option<(MediaLeg, Path)>,
}

/// What the engine is at when a test has it break.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    Packet,
    Browser,
    Command,
    Tick,
}

impl Engine {
    /// An engine without legs. Without `codecs` legs of one codec are bridged, and those of G.711; nothing else. Without `guards` a leg
    /// that is to be protected ends.
    pub fn new(config: EngineConfig, codecs: Option<Arc<dyn Codecs>>, guards: Option<Arc<dyn Guards>>) -> Self {
        Self {
            config,
            slots: Vec::new(),
            live: 0,
            turns: Turns::default(),
            next_round: Time::ZERO,
            events: VecDeque::new(),
            port: None,
            traffic: Traffic::default(),
            codecs,
            guards,
            handshakes: BTreeMap::new(),
            flights: VecDeque::new(),
            work: VecDeque::new(),
            at_work: None,
            #[cfg(test)]
            breaks_on: None,
        }
    }

    /// Opens a leg; whoever was in its slot is gone. `start` should be random. A slot past [`LEGS_MAX`] is not opened.
    pub fn open(&mut self, now: Time, leg: MediaLeg, start: StreamStart) {
        if leg.slot() >= LEGS_MAX {
            return;
        }
        if leg.slot() >= self.slots.len() {
            self.slots.resize_with(leg.slot() + 1, Slot::default);
        }
        if self.live == 0 {
            self.next_round = now + ROUND;
        }
        if let Some(slot) = self.slots.get_mut(leg.slot()) {
            if !matches!(slot, Slot::Live(_)) {
                self.live += 1;
            }
            *slot = Slot::Live(Box::new(Leg::new(now, leg, start)));
        }
    }

    /// Carries out a command.
    pub fn handle(&mut self, now: Time, command: Command) {
        self.at_work = Some(command.leg());
        #[cfg(test)]
        self.break_at(command.leg(), Path::Command);
        match command {
            Command::SetRemote { leg, negotiated } => {
                if let Some(leg) = self.leg_mut(leg) {
                    leg.set_remote(now, negotiated);
                }
                self.shake(now, leg);
            }
            Command::SetBrowser { leg, agreed } => self.set_browser(now, leg, *agreed),
            Command::Protect { leg, protection } => self.protect(now, leg, protection.map(|protection| *protection)),
            Command::Bridge { a, b } => self.bridge(a, b),
            Command::Unbridge { leg } => self.unbridge(leg),
            Command::Play { leg, id, audio, options } => {
                self.play(now, leg, Playing::new(now, id, audio, options));
            }
            Command::StopPlay { leg, id } => self.stop_play(leg, Some(id)),
            Command::Echo { leg, on } => {
                if let Some(leg) = self.leg_mut(leg) {
                    leg.route = match leg.route {
                        Route::Alone | Route::Echo if on => Route::Echo,
                        Route::Alone | Route::Echo => Route::Alone,
                        Route::Bridged { peer, .. } => Route::Bridged { peer, echo: on },
                    };
                }
            }
            Command::Sit { leg, room, role, partner } => {
                self.sit(now, leg, Sitting { room, role, partner, spoken: None });
            }
            Command::Fax { leg, fax } => self.sit_at_fax(now, leg, fax),
            Command::Stand { leg } => self.stand(leg),
            Command::HearFax { leg, on } => {
                if let Some(leg) = self.leg_mut(leg) {
                    leg.hears_fax = on;
                }
            }
            Command::SetImage { leg, image } => self.set_image(now, leg, image),
            Command::SetFlow { leg, flow } => {
                if let Some(leg) = self.leg_mut(leg) {
                    leg.allowed = flow;
                    leg.listen(now);
                }
            }
            Command::Listen { leg } => {
                if let Some(leg) = self.leg_mut(leg) {
                    leg.listen(now);
                }
            }
            Command::SetKeys { leg, hear, send } => {
                if let Some(leg) = self.leg_mut(leg) {
                    (leg.keys_by_ear, leg.key_form) = (hear, send);
                }
            }
            Command::Record { leg, tape } => self.record(now, leg, tape),
            Command::Dictate { leg, tape } => self.dictate(now, leg, tape),
            Command::KeyPressed { leg, key, duration } => {
                self.pressed(now, leg, Digit { key, duration }, Came::Signalled);
            }
            Command::GetStats { leg } => {
                if let Some(stats) = self.stats(leg) {
                    self.events.push_back(Event::Stats { leg, stats });
                }
            }
            Command::Close { leg } => self.close(now, leg),
        }
    }

    /// Takes a packet of `length` bytes from a leg's socket. The answer, if any, lies in the same buffer and is to be sent at once; it may be
    /// longer by [`SEAL_BYTES_MAX`](crate::SEAL_BYTES_MAX) than what came.
    pub fn packet(
        &mut self,
        now: Time,
        leg: MediaLeg,
        kind: Kind,
        source: SocketAddr,
        (buffer, length): (&mut [u8], usize),
    ) -> Option<Forward> {
        self.at_work = Some(leg);
        #[cfg(test)]
        self.break_at(leg, Path::Packet);
        if kind == Kind::Rtp && self.leg_mut(leg).is_some_and(|leg| leg.image.is_some()) {
            return self.image_packet(now, leg, source, buffer.get(..length)?);
        }
        let length = self.open_packet(now, leg, kind, source, buffer, length)?;
        let packet = buffer.get_mut(..length)?;
        let forward = match kind {
            Kind::Rtp => self.rtp(now, leg, source, packet),
            Kind::Rtcp => self.rtcp(now, leg, source, packet),
        }?;
        // What goes to a browser leaves by its session.
        let written = self.write(now, forward.leg, packet.get(..forward.length)?);
        if written.is_some() {
            return None;
        }
        self.seal(forward, buffer)
    }

    /// Does what is due by `now`: frames of what plays go to `send`, with the packet's bytes.
    pub fn tick(&mut self, now: Time, send: &mut dyn FnMut(Forward, &[u8])) {
        self.drive_browsers(now, send);
        if now.since(self.turns.at) > CATCH_UP_MAX {
            self.turns.at = now;
        }
        while !self.turns.is_idle() && self.turns.at <= now {
            let mut index = 0;
            while let Some(player) = self.turns.player(index) {
                // A player that ended has left its place to another one.
                if self.turn(now, player, send) {
                    index += 1;
                }
            }
            self.turns.pass();
        }
        self.shake_due(now);
        if self.live > 0 && now >= self.next_round {
            self.next_round = now + ROUND;
            self.round(now);
            self.hush_idle(now, send);
            self.report(now, send);
        }
    }

    /// When [`Engine::tick`] wants to be called; `None`: not before the next leg or command.
    pub fn poll_timeout(&self) -> Option<Time> {
        let round = (self.live > 0).then_some(self.next_round);
        let alarm = self.port.as_ref().and_then(|port| port.next_alarm());
        let handshake = self.handshakes.values().min().copied();
        [round, self.turns.next(), alarm, handshake].into_iter().flatten().min()
    }

    /// What happened; ask until there is nothing more, after each of the other calls.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Ends the leg that the engine was at work for, after its driver caught a panic.
    pub fn fail_at_work(&mut self) {
        if let Some(leg) = self.at_work.take() {
            self.fail(leg);
        }
    }

    /// Ends a leg whose media cannot go on. It waits for its close.
    pub fn fail(&mut self, leg: MediaLeg) {
        let Some(stats) = self.stats(leg) else {
            return;
        };
        self.leave(leg);
        self.forget_browser(leg);
        if let Some(slot) = self.slots.get_mut(leg.slot()) {
            *slot = Slot::Failed(leg, stats);
        }
        self.live = self.live.saturating_sub(1);
        self.events.push_back(Event::Failed { leg });
    }

    /// Counts a packet that the driver was given and could not send.
    pub const fn count_unsent(&mut self, kind: Kind) {
        match kind {
            Kind::Rtp => self.traffic.not_sent += 1,
            Kind::Rtcp => {}
        }
    }

    /// How many legs are open and sound.
    pub const fn legs(&self) -> usize {
        self.live
    }

    /// What a leg received and sent so far.
    pub fn stats(&self, leg: MediaLeg) -> Option<Stats> {
        match self.slots.get(leg.slot())? {
            Slot::Live(live) if live.id == leg => Some(live.stats()),
            Slot::Live(_) | Slot::Failed(..) | Slot::Vacant => None,
        }
    }

    #[cfg(test)]
    fn break_at(&self, leg: MediaLeg, path: Path) {
        if self.breaks_on == Some((leg, path)) {
            std::panic::panic_any("a test's fault");
        }
    }

    fn is_browser(&self, leg: MediaLeg) -> bool {
        matches!(self.slots.get(leg.slot()), Some(Slot::Live(live)) if live.id == leg && live.browser_port.is_some())
    }

    fn leg_mut(&mut self, leg: MediaLeg) -> Option<&mut Leg> {
        match self.slots.get_mut(leg.slot())? {
            Slot::Live(live) if live.id == leg => Some(live),
            Slot::Live(_) | Slot::Failed(..) | Slot::Vacant => None,
        }
    }

    fn bridge(&mut self, a: MediaLeg, b: MediaLeg) {
        if a == b || self.leg_mut(a).is_none() || self.leg_mut(b).is_none() {
            return;
        }
        let to = |leg: Option<&mut Leg>| match leg.map(|leg| leg.route) {
            Some(Route::Bridged { peer, .. }) => Some(peer),
            Some(Route::Alone | Route::Echo) | None => None,
        };
        if to(self.leg_mut(a)) == Some(b) && to(self.leg_mut(b)) == Some(a) {
            return;
        }
        for leg in [a, b] {
            self.stand(leg);
            self.unbridge(leg);
        }
        for (one, other) in [(a, b), (b, a)] {
            if let Some(leg) = self.leg_mut(one) {
                leg.route = Route::Bridged { peer: other, echo: leg.route == Route::Echo };
            }
        }
    }

    fn unbridge(&mut self, leg: MediaLeg) {
        let Some(Route::Bridged { peer, .. }) = self.leg_mut(leg).map(|leg| leg.route) else {
            return;
        };
        for one in [leg, peer] {
            if let Some(leg) = self.leg_mut(one)
                && let Route::Bridged { echo, .. } = leg.route
            {
                leg.route = if echo { Route::Echo } else { Route::Alone };
                if leg.playing.is_none() {
                    leg.outgoing.cut();
                }
            }
        }
    }

    fn play(&mut self, now: Time, leg: MediaLeg, playing: Playing) {
        let id = playing.id;
        self.stop_play(leg, None);
        let Some(found) = self.leg_mut(leg) else {
            let end = PlayEnd::NotPlayable("the leg is closed".into());
            self.events.push_back(Event::PlayEnded { leg, id, end });
            return;
        };
        if playing.is_empty() {
            let end = PlayEnd::NotPlayable("the audio is empty".into());
            self.events.push_back(Event::PlayEnded { leg, id, end });
            return;
        }
        found.playing = Some(playing);
        found.outgoing.cut();
        self.turns.join(now, leg);
    }

    /// Stops what plays; `only`: if it is this one.
    fn stop_play(&mut self, leg: MediaLeg, only: Option<PlayId>) {
        let Some(found) = self.leg_mut(leg) else {
            return;
        };
        if let Some(playing) = found.playing.take_if(|playing| only.is_none_or(|id| id == playing.id)) {
            found.outgoing.cut();
            if found.hearing.is_none() && !found.is_seated() {
                self.turns.leave(leg);
            }
            self.events.push_back(Event::PlayEnded { leg, id: playing.id, end: PlayEnd::Stopped });
        }
    }

    /// Takes a leg out of everything it is part of.
    fn leave(&mut self, leg: MediaLeg) {
        self.stand(leg);
        self.unbridge(leg);
        self.stop_play(leg, None);
        self.turns.leave(leg);
        self.handshakes.remove(&leg);
    }

    fn close(&mut self, now: Time, leg: MediaLeg) {
        self.record(now, leg, None);
        self.dictate(now, leg, None);
        let stats = match self.slots.get(leg.slot()) {
            Some(Slot::Live(live)) if live.id == leg => live.last_stats(now),
            Some(Slot::Failed(id, stats)) if *id == leg => *stats,
            Some(Slot::Live(_) | Slot::Failed(..) | Slot::Vacant) | None => return,
        };
        if self.leg_mut(leg).is_some() {
            self.leave(leg);
            self.forget_browser(leg);
            self.live = self.live.saturating_sub(1);
        }
        if let Some(slot) = self.slots.get_mut(leg.slot()) {
            *slot = Slot::Vacant;
        }
        self.events.push_back(Event::Closed { leg, stats });
        self.tell_traffic();
    }

    fn tell_traffic(&mut self) {
        let traffic = std::mem::take(&mut self.traffic);
        if traffic != Traffic::default() {
            self.events.push_back(Event::Traffic(traffic));
        }
    }

    fn rtp(&mut self, now: Time, id: MediaLeg, source: SocketAddr, packet: &mut [u8]) -> Option<Forward> {
        let (header, payload, route) = self.receive(now, id, source, packet)?;
        self.tape_said(now, id, &header, payload, packet);
        match self.unpack(now, id, route, &header, payload, packet) {
            Way::Relay => {}
            Way::Taken => return None,
            Way::Nowhere => {
                self.traffic.no_peer += 1;
                return None;
            }
        }
        let to = match route {
            // Only keys come here from who sits in a room.
            Route::Alone => self.leg_mut(id)?.partner()?,
            Route::Echo => id,
            Route::Bridged { peer, .. } => peer,
        };
        let forward = self.pass_on(now, id, to, &header, payload, packet);
        match &forward {
            Some(forward) => {
                self.traffic.relayed += 1;
                self.traffic.bytes += u64::try_from(forward.length).unwrap_or(0);
            }
            None => self.traffic.no_peer += 1,
        }
        forward
    }

    /// The sending half: rewrites the packet as the other leg's own.
    fn pass_on(
        &mut self,
        now: Time,
        id: MediaLeg,
        to: MediaLeg,
        header: &Header,
        payload: Payload,
        packet: &mut [u8],
    ) -> Option<Forward> {
        if to != id && self.leg_mut(to)?.playing.as_ref().is_some_and(|playing| playing.yields) {
            self.stop_play(to, None);
        }
        let ours = self.leg_mut(id)?.remote.as_ref().map(|remote| remote.negotiated)?;
        let from_clock = ours.telephone_event_clock;
        let leg = self.leg_mut(to)?;
        let apart = leg.sitting.is_some()
            || leg.remote.as_ref().is_some_and(|remote| needs_work(ours.codec, remote.negotiated.codec));
        if leg.playing.is_some() || leg.hears_tones() || !leg.flow().sends() || leg.image.is_some() {
            return None;
        }
        // Who wants its keys another way hears them that way alone.
        if payload == Payload::TelephoneEvent && leg.key_form != KeyForm::Auto {
            return None;
        }
        let remote = leg.remote.as_ref()?;
        let payload_type = remote.payload_type(payload)?;
        let codec = remote.negotiated.codec;
        // A key goes beside the audio, as that goes: with its own numbers, or with ours.
        let place = if payload == Payload::TelephoneEvent && apart {
            set_event_clock(packet, header, from_clock, remote.negotiated.telephone_event_clock);
            leg.outgoing.event(now, header)
        } else {
            let place = leg.outgoing.relay(now, id, header)?;
            leg.outgoing.set_relayed_quiet(payload == Payload::ComfortNoise);
            place
        };
        if let Payload::Audio(theirs) = payload
            && theirs != codec
        {
            let (from, _) = (theirs.law()?, codec.law()?);
            g711::transcode(from, packet.get_mut(header.payload.clone())?);
        }
        header_of(place, payload_type, leg.outgoing.ssrc).rewrite(packet);
        if matches!(payload, Payload::Audio(_)) && leg.is_taped() {
            leg.tape_heard(now, codec, place.timestamp, packet.get(header.payload.clone()).unwrap_or_default());
        }
        let length = without_extension(packet);
        let forward = Forward { leg: to, kind: Kind::Rtp, to: remote.rtp.destination(), length };
        leg.count_sent(length);
        Some(forward)
    }

    /// The receiving half: whose packet it is, what it counts, which key it tells. Says what may be passed on.
    fn receive(
        &mut self,
        now: Time,
        id: MediaLeg,
        source: SocketAddr,
        packet: &[u8],
    ) -> Option<(Header, Payload, Route)> {
        let Slot::Live(leg) = self.slots.get_mut(id.slot())? else {
            return None;
        };
        if leg.id != id {
            return None;
        }
        let header = Header::parse(packet).filter(|_| !is_rtcp(packet));
        let Some(header) = header else {
            leg.counted.not_understood += 1;
            self.traffic.not_understood += 1;
            return None;
        };
        let Some(remote) = leg.remote.as_mut() else {
            leg.counted.wrong_source += 1;
            self.traffic.wrong_source += 1;
            return None;
        };
        // A browser has proved who it is.
        let verdict = if leg.browser.is_some() { Verdict::Known } else { remote.rtp.judge(now, source, &header) };
        match verdict {
            Verdict::Known => {}
            Verdict::Learned => self.events.push_back(Event::SourceLearned { leg: id, source }),
            Verdict::Stranger => {
                leg.counted.wrong_source += 1;
                self.traffic.wrong_source += 1;
                return None;
            }
        }
        let payload = remote.payload(&header);
        let timed = payload != Some(Payload::TelephoneEvent);
        leg.reception.packet(now, &header, packet.len(), timed, remote.negotiated.codec.clock_rate());
        let event_clock = remote.negotiated.telephone_event_clock;
        leg.came(now, payload);
        if leg.heard(now) {
            self.events.push_back(Event::MediaBack { leg: id });
        }
        let Some(payload) = payload else {
            leg.counted.not_understood += 1;
            self.traffic.not_understood += 1;
            return None;
        };
        if let Payload::Audio(codec) = payload
            && codec.is_silent(packet.get(header.payload.clone()).unwrap_or_default())
        {
            leg.counted.silent += 1;
        }
        if !leg.flow().receives() {
            return None;
        }
        if payload == Payload::TelephoneEvent {
            let bytes = packet.get(header.payload.clone()).unwrap_or_default();
            let (mut keys, route) = (Vec::new(), leg.route);
            leg.digits.packet(now, &header, bytes, event_clock, |digit| keys.push(digit));
            for key in keys {
                self.pressed(now, id, key, Came::Event);
            }
            return Some((header, payload, route));
        }
        Some((header, payload, leg.route))
    }

    /// A leg's turn: what it sent is unpacked, what plays to it goes on. False: it needs no more turns.
    fn turn(&mut self, now: Time, id: MediaLeg, send: &mut dyn FnMut(Forward, &[u8])) -> bool {
        self.at_work = Some(id);
        #[cfg(test)]
        self.break_at(id, Path::Tick);
        let listens = self.listen(now, id);
        let plays = self.frame(now, id, send);
        let presses = self.press(now, id, send);
        if !listens && !plays && !presses {
            self.turns.leave(id);
        }
        listens || plays || presses
    }

    /// Looks for legs that fell silent and keys that nobody let go, and tells what was counted.
    fn round(&mut self, now: Time) {
        self.tell_traffic();
        let mut keys = Vec::new();
        for slot in &mut self.slots {
            let Slot::Live(leg) = slot else {
                continue;
            };
            let id = leg.id;
            self.at_work = Some(id);
            leg.digits.expire(now, |digit| keys.push((id, digit)));
            leg.tape_still(now);
            // A browser that is gone was told so, and need not be asked.
            let gone = leg.browser.as_ref().is_some_and(|session| session.gone);
            if let Some((at, heard)) = leg.silent_since()
                && !gone
                && !self.config.silent_after.is_zero()
                && now.since(at) >= self.config.silent_after
            {
                leg.pulse = Pulse::Silent { heard };
                let heard = heard || self.config.silent_from_start;
                self.events.push_back(Event::MediaSilent { leg: id, heard });
            }
        }
        for (leg, key) in keys {
            self.pressed(now, leg, key, Came::Event);
        }
    }
}
