//! The engine's browser legs: whose datagram it is, and what their sessions find.

use super::{Engine, Forward, Slot};
use crate::browser::{BrowserAgreed, Browsers, Datagram, Found, Session, is_stun, stun_leg};
use crate::command::{Event, MediaLeg};
use crate::outgoing::StreamStart;
use crate::rtp::Header;
use plugboard_model::Time;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;
use std::time::Instant;

/// Addresses that are known for each leg: a browser changes its network a few times in a call, not hundreds.
const ADDRESSES_MAX: usize = 8;

/// What the engine keeps for browsers.
#[derive(Debug)]
pub(super) struct Port {
    browsers: Browsers,
    /// Who has proved to be there, by a check with the right password.
    by_address: HashMap<SocketAddr, MediaLeg>,
    /// When sessions want to be driven. A deadline that moves away is found out when it comes.
    alarms: BTreeSet<(Time, MediaLeg)>,
    datagrams: VecDeque<Datagram>,
}

impl Port {
    pub(super) fn next_alarm(&self) -> Option<Time> {
        self.alarms.first().map(|(at, _)| *at)
    }

    fn time(&self, instant: Instant) -> Time {
        let nanos = instant.saturating_duration_since(self.browsers.epoch).as_nanos();
        Time(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Forgets a leg.
    pub(super) fn forget(&mut self, leg: MediaLeg) {
        self.by_address.retain(|_, known| *known != leg);
        self.alarms.retain(|(_, known)| *known != leg);
    }
}

impl Engine {
    /// Lets the engine carry browser legs.
    #[must_use]
    pub fn with_browsers(mut self, browsers: Browsers) -> Self {
        let (by_address, alarms, datagrams) = (HashMap::new(), BTreeSet::new(), VecDeque::new());
        self.port = Some(Box::new(Port { browsers, by_address, alarms, datagrams }));
        self
    }

    /// Opens a leg whose media goes over the port that browsers share, at this address of ours.
    pub fn open_browser(&mut self, now: Time, leg: MediaLeg, start: StreamStart, local: SocketAddr) {
        self.open(now, leg, start);
        if let Some(leg) = self.leg_mut(leg) {
            leg.browser_port = Some(local);
        }
    }

    /// Takes a datagram that came to the port that browsers share. What it sets off is to be sent: RTP of other legs by
    /// `send`, the rest by [`Engine::poll_datagram`].
    pub fn datagram(&mut self, now: Time, source: SocketAddr, packet: &[u8], send: &mut dyn FnMut(Forward, &[u8])) {
        let Some(id) = self.whose(now, source, packet) else {
            self.traffic.wrong_source += 1;
            return;
        };
        self.at_work = Some(id);
        #[cfg(test)]
        self.break_at(id, super::Path::Browser);
        let mut found = Found::default();
        let Some(leg) = self.leg_mut(id) else { return };
        let Some(session) = leg.browser.as_mut() else { return };
        if !session.receive(now, source, packet, &mut found) {
            leg.counted.not_understood += 1;
            self.traffic.not_understood += 1;
        }
        self.found(now, id, found, send);
    }

    /// The next datagram for the port that browsers share; ask until there is nothing more, after each of the other calls.
    pub fn poll_datagram(&mut self) -> Option<Datagram> {
        self.port.as_mut()?.datagrams.pop_front()
    }

    /// By the address that proved itself before; a check, by the leg that it names and whose password it knows.
    fn whose(&mut self, now: Time, source: SocketAddr, packet: &[u8]) -> Option<MediaLeg> {
        if !is_stun(packet) {
            return self.port.as_ref()?.by_address.get(&source).copied();
        }
        let id = stun_leg(packet)?;
        self.at_work = Some(id);
        let session = self.leg_mut(id)?.browser.as_ref()?;
        let (accepted, speaks_from) = (session.accepts(now, source, packet), session.speaks_from);
        let port = self.port.as_mut()?;
        if !accepted {
            return None;
        }
        if port.by_address.get(&source) != Some(&id) {
            let others = || port.by_address.iter().filter(|(_, known)| **known == id).map(|(address, _)| *address);
            // Any but the one that it speaks from.
            if others().count() >= ADDRESSES_MAX
                && let Some(given_up) = others().filter(|address| Some(*address) != speaks_from).min()
            {
                port.by_address.remove(&given_up);
            }
            port.by_address.insert(source, id);
        }
        Some(id)
    }

    /// What was agreed with a browser, for the first time or anew.
    pub(super) fn set_browser(&mut self, now: Time, id: MediaLeg, agreed: BrowserAgreed) {
        let Some(browsers) = self.port.as_ref().map(|port| port.browsers.clone()) else { return };
        let Some(leg) = self.leg_mut(id) else { return };
        let Some(local) = leg.browser_port else { return };
        if leg.browser.as_mut().is_some_and(|session| session.renew(&agreed)) {
            return;
        }
        // One that was told gone is told back by its new session.
        let gone = leg.browser.as_ref().is_some_and(|session| session.gone);
        match Session::new(&browsers, now, local, leg.outgoing.ssrc, agreed) {
            Some(mut session) => {
                session.gone = gone;
                leg.browser = Some(Box::new(session));
            }
            None => return self.fail(id),
        }
        if let Some(port) = self.port.as_mut() {
            port.forget(id);
        }
        self.drive(now, id, &mut |_, _| {});
    }

    /// Hands a packet on: to a browser's session, else to whoever sends for the leg's own sockets.
    pub(super) fn emit(&mut self, now: Time, forward: Forward, packet: &[u8], send: &mut dyn FnMut(Forward, &[u8])) {
        if self.write(now, forward.leg, packet).is_none() {
            self.emit_sealed(forward, packet, send);
        }
    }

    /// Writes a packet into a browser's session; `None`: the leg has none.
    pub(super) fn write(&mut self, now: Time, id: MediaLeg, packet: &[u8]) -> Option<()> {
        self.leg_mut(id)?.browser.as_ref()?;
        let header = Header::parse(packet)?;
        let payload = packet.get(header.payload.clone())?;
        // A fault in here is this leg's, whoever the packet came from.
        let before = self.at_work.replace(id);
        #[cfg(test)]
        self.break_at(id, super::Path::Browser);
        let session = self.leg_mut(id)?.browser.as_mut()?;
        let mut found = Found::default();
        let written = session.write(now, &header, payload, &mut found);
        if !written {
            self.traffic.not_sent += 1;
        }
        let armed = self.found_to_send(id, &mut found);
        debug_assert!(armed.is_some() || !written, "a session that is up has a next deadline");
        self.at_work = before;
        Some(())
    }

    /// Drives the sessions that are due.
    pub(super) fn drive_browsers(&mut self, now: Time, send: &mut dyn FnMut(Forward, &[u8])) {
        while let Some((at, id)) = self.port.as_ref().and_then(|port| port.alarms.first().copied()) {
            if at > now {
                return;
            }
            if let Some(port) = self.port.as_mut() {
                port.alarms.remove(&(at, id));
            }
            if let Some(session) = self.leg_mut(id).and_then(|leg| leg.browser.as_mut()) {
                session.armed = None;
            }
            self.drive(now, id, send);
        }
    }

    fn drive(&mut self, now: Time, id: MediaLeg, send: &mut dyn FnMut(Forward, &[u8])) {
        self.at_work = Some(id);
        let mut found = Found::default();
        if let Some(session) = self.leg_mut(id).and_then(|leg| leg.browser.as_mut()) {
            session.drive(now, &mut found);
            self.found(now, id, found, send);
        }
    }

    fn found(&mut self, now: Time, id: MediaLeg, mut found: Found, send: &mut dyn FnMut(Forward, &[u8])) {
        self.found_to_send(id, &mut found);
        for mut packet in std::mem::take(&mut found.packets) {
            // The session has proved who sends: there is no source to be judged.
            let source = SocketAddr::from(([0, 0, 0, 0], 0));
            if let Some(forward) = self.rtp(now, id, source, &mut packet) {
                let length = forward.length;
                self.emit(now, forward, packet.get(..length).unwrap_or_default(), send);
            }
        }
    }

    /// Queues what a session sends and notes when it is due.
    fn found_to_send(&mut self, id: MediaLeg, found: &mut Found) -> Option<Time> {
        let port = self.port.as_mut()?;
        port.datagrams.extend(found.datagrams.drain(..));
        let due = found.alarm.map(|due| port.time(due));
        let Slot::Live(leg) = self.slots.get_mut(id.slot())? else { return None };
        let session = leg.browser.as_mut()?;
        if let Some(due) = due
            && session.armed.is_none_or(|armed| due < armed)
        {
            if let Some(armed) = session.armed.replace(due) {
                port.alarms.remove(&(armed, id));
            }
            port.alarms.insert((due, id));
        }
        if let Some(reported) = found.reported
            && session.is_new(&reported)
        {
            leg.reports.was_reported(reported.lost, reported.jitter_ticks, reported.round_trip);
        }
        if found.lost != session.gone && (found.lost || found.there) {
            session.gone = found.lost;
            let news = if found.lost { Event::BrowserGone { leg: id } } else { Event::BrowserBack { leg: id } };
            self.events.push_back(news);
        }
        due
    }

    /// A leg is over: its session is, too, and what came for it is nobody's.
    pub(super) fn forget_browser(&mut self, id: MediaLeg) {
        if self.leg_mut(id).is_some_and(|leg| leg.browser.take().is_some())
            && let Some(port) = self.port.as_mut()
        {
            port.forget(id);
        }
    }

    /// How many addresses are known to be browsers'.
    pub fn browser_addresses(&self) -> usize {
        self.port.as_ref().map_or(0, |port| port.by_address.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::browser::{BrowserFormat, Certificate, IceLogin, RemoteBrowser, Setup};
    use crate::codec::Codec;
    use crate::command::Command;
    use crate::engine::{EngineConfig, Kind};
    use crate::offer_answer::Negotiated;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;

    const BROWSER: MediaLeg = MediaLeg::new(0, 0, 1);
    const PHONE: MediaLeg = MediaLeg::new(0, 1, 1);

    /// A browser's leg that was agreed on, bridged with a telephone's.
    fn bridged() -> Engine {
        #[expect(clippy::disallowed_methods, reason = "an instant can be had in no other way; no time passes")]
        let epoch = Instant::now();
        let browsers = Browsers { epoch, certificate: Arc::new(Certificate::make().unwrap()) };
        let mut engine = Engine::new(EngineConfig::default(), None, None).with_browsers(browsers);
        let start = StreamStart { ssrc: 1, sequence: 1, timestamp: 1 };
        engine.open_browser(Time::ZERO, BROWSER, start, SocketAddr::from(([127, 0, 0, 1], 10_000)));
        engine.open(Time::ZERO, PHONE, start);
        let login = |seed: u64| IceLogin::new(BROWSER, || seed);
        let remote = RemoteBrowser {
            login: login(2),
            fingerprint: format!("sha-256 {}", ["AB"; 32].join(":")),
            setup: Setup::Active,
            mid: None,
            bundles: true,
            streams: vec![7],
            mid_extension: None,
            level_extension: None,
        };
        let formats = vec![(0, BrowserFormat::Audio(Codec::Pcmu))];
        let agreed = BrowserAgreed { login: login(1), remote, begins: false, formats };
        engine.handle(Time::ZERO, Command::SetBrowser { leg: BROWSER, agreed: Box::new(agreed) });
        for leg in [BROWSER, PHONE] {
            let address = SocketAddr::from(([127, 0, 0, 1], 4_000));
            let negotiated = Negotiated::plain(Codec::Pcmu, address);
            engine.handle(Time::ZERO, Command::SetRemote { leg, negotiated });
        }
        engine.handle(Time::ZERO, Command::Bridge { a: BROWSER, b: PHONE });
        engine
    }

    #[test]
    fn a_fault_in_a_browsers_session_ends_its_leg_and_not_the_one_that_spoke() {
        let mut engine = bridged();
        engine.breaks_on = Some((BROWSER, crate::engine::Path::Browser));
        let header = Header { marker: false, payload_type: 0, sequence: 1, timestamp: 1, ssrc: 9, payload: 0..0 };
        let mut packet = header.packet(&[0x55; 160]);
        let source = SocketAddr::from(([127, 0, 0, 1], 4_000));
        let length = packet.len();
        let spoke = catch_unwind(AssertUnwindSafe(|| {
            engine.packet(Time::ZERO, PHONE, Kind::Rtp, source, (&mut packet, length))
        }));
        assert!(spoke.is_err());
        engine.fail_at_work();
        let failed: Vec<_> = std::iter::from_fn(|| engine.poll_event())
            .filter_map(|event| if let Event::Failed { leg } = event { Some(leg) } else { None })
            .collect();
        assert_eq!(failed, [BROWSER]);
        assert!(engine.stats(PHONE).is_some(), "the telephone's leg goes on");
        assert!(engine.stats(BROWSER).is_none());
    }
}
