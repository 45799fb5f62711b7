//! Those who begin a handshake with a leg from where nobody was named: a phone behind a NAT, and strangers who want its place.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use plugboard_media::{
    Codec, Command, DtlsRole, Engine, EngineConfig, Event, Fingerprint, Guard, Guards, Kind, MediaLeg, Negotiated,
    Protection, Shake, StreamStart,
};
use plugboard_model::Time;
use plugboard_srtp::Vault;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const LEG: MediaLeg = MediaLeg::new(0, 0, 1);
const LIMIT_OF_HEARD: usize = 32;

fn address(last: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([203, 0, 113, last], port))
}

/// A leg whose phone was named at an address that nobody reaches, and all who send to it.
struct World {
    engine: Engine,
    switch: Fingerprint,
    now: Time,
    callers: BTreeMap<SocketAddr, Box<dyn Guard>>,
    /// Datagrams that the leg sent to each.
    answers: BTreeMap<SocketAddr, Vec<Vec<u8>>>,
}

impl World {
    fn new(phone: &Vault) -> Self {
        let vault = Vault::new().unwrap();
        let (switch, now) = (vault.fingerprint(), Time::from_millis(1_000));
        let mut engine = Engine::new(EngineConfig::default(), None, Some(Arc::new(vault)));
        engine.open(now, LEG, StreamStart { ssrc: 1, sequence: 1, timestamp: 1 });
        let protection = Protection::Dtls { role: DtlsRole::Passive, fingerprint: phone.fingerprint() };
        engine.handle(now, Command::Protect { leg: LEG, protection: Some(Box::new(protection)) });
        let negotiated = Negotiated::plain(Codec::Pcma, SocketAddr::from(([10, 0, 0, 5], 4_000)));
        engine.handle(now, Command::SetRemote { leg: LEG, negotiated });
        Self { engine, switch, now, callers: BTreeMap::new(), answers: BTreeMap::new() }
    }

    fn begins(&mut self, vault: &Vault, from: SocketAddr) {
        let protection = Protection::Dtls { role: DtlsRole::Active, fingerprint: self.switch };
        self.callers.insert(from, vault.guard(self.now, &protection).unwrap());
    }

    fn sends(&mut self, from: SocketAddr, datagram: &[u8]) {
        let mut buffer = datagram.to_vec();
        let length = buffer.len();
        let passed = self.engine.packet(self.now, LEG, Kind::Rtp, from, (&mut buffer, length));
        assert!(passed.is_none());
    }

    /// Whoever is in hand talks with the leg for so long; whether there are keys then.
    fn run(&mut self, millis: u64) -> bool {
        let end = self.now + Duration::from_millis(millis);
        let mut secured = false;
        while self.now < end {
            let mut said = Vec::new();
            for (from, guard) in &mut self.callers {
                while let Some(wish) = guard.poll(self.now) {
                    match wish {
                        Shake::Send(Kind::Rtp, datagram) => said.push((*from, datagram)),
                        Shake::Send(Kind::Rtcp, _) | Shake::Secured(_) | Shake::Failed(_) => {}
                        Shake::Wait(_) => break,
                    }
                }
            }
            for (from, datagram) in said {
                self.sends(from, &datagram);
            }
            self.engine.tick(self.now, &mut |_, _| {});
            while let Some((forward, datagram)) = self.engine.poll_handshake() {
                if let Some(guard) = self.callers.get_mut(&forward.to) {
                    guard.shake(self.now, forward.kind, &datagram);
                }
                self.answers.entry(forward.to).or_default().push(datagram);
            }
            while let Some(event) = self.engine.poll_event() {
                secured |= matches!(event, Event::Secured { .. });
            }
            self.now = self.now + Duration::from_millis(10);
        }
        secured
    }

    /// The first datagram of a handshake.
    fn hello(&self, vault: &Vault) -> Vec<u8> {
        let protection = Protection::Dtls { role: DtlsRole::Active, fingerprint: self.switch };
        let mut guard = vault.guard(self.now, &protection).unwrap();
        loop {
            match guard.poll(self.now).unwrap() {
                Shake::Send(Kind::Rtp, datagram) => return datagram,
                Shake::Send(Kind::Rtcp, _) | Shake::Wait(_) | Shake::Secured(_) | Shake::Failed(_) => {}
            }
        }
    }
}

/// Whether a datagram says who the switch is: that costs a signature.
fn is_server_hello(datagram: &[u8]) -> bool {
    datagram.first() == Some(&22) && datagram.get(13) == Some(&2)
}

#[test]
fn four_sources_of_junk_take_no_place_from_the_phone() {
    let phone = Vault::new().unwrap();
    let mut world = World::new(&phone);
    for n in 1..=4 {
        for junk in [&[20_u8; 40][..], &[63; 200], &[22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4]] {
            world.sends(address(n, 5_000), junk);
        }
    }
    world.begins(&phone, address(5, 5_000));
    assert!(world.run(500));
    assert_eq!(world.answers.keys().collect::<Vec<_>>(), [&address(5, 5_000)], "nobody else was answered");
}

#[test]
fn four_hellos_from_where_nobody_hears_take_no_place_from_the_phone() {
    let (phone, stranger) = (Vault::new().unwrap(), Vault::new().unwrap());
    let mut world = World::new(&phone);
    for n in 1..=4 {
        let hello = world.hello(&stranger);
        world.sends(address(n, 5_000), &hello);
    }
    world.begins(&phone, address(5, 5_000));
    assert!(world.run(500));
    assert!((1..=4).all(|n| !world.answers.get(&address(n, 5_000)).unwrap().iter().any(|said| is_server_hello(said))));
}

#[test]
fn many_ports_of_one_host_have_one_place_together() {
    let (phone, stranger) = (Vault::new().unwrap(), Vault::new().unwrap());
    let mut world = World::new(&phone);
    for port in 0..3 {
        world.begins(&stranger, address(1, 5_000 + port));
    }
    assert!(!world.run(500));
    let answered = world.answers.values().filter(|said| said.iter().any(|said| is_server_hello(said))).count();
    assert_eq!(answered, 1);
    world.begins(&phone, address(5, 5_000));
    assert!(world.run(500));
}

#[test]
fn whoever_failed_is_not_listened_to_for_a_while_and_not_without_end() {
    let phone = Vault::new().unwrap();
    let mut world = World::new(&phone);
    let mut hellos = 0;
    // One host after another, each with a certificate that nobody named, and each at once again.
    for n in 0..60_u8 {
        for _ in 0..3 {
            world.callers.clear();
            world.begins(&Vault::new().unwrap(), address(n, 5_000));
            assert!(!world.run(150));
        }
        let said = world.answers.remove(&address(n, 5_000)).unwrap_or_default();
        let answers = said.iter().filter(|said| is_server_hello(said)).count();
        assert!(answers <= 1, "{answers} for host {n}");
        hellos += answers;
    }
    assert!((10..=LIMIT_OF_HEARD).contains(&hellos), "{hellos}");
}
