//! The port that browsers share: STUN, DTLS, SRTP and whatever else comes to it.

use plugboard_media::{
    BrowserAgreed, BrowserFormat, Browsers, Certificate, Codec, Command, Engine, EngineConfig, Event, IceLogin,
    MediaLeg, RemoteBrowser, Setup, StreamStart, stun_leg,
};
use plugboard_model::Time;
use std::cell::RefCell;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

/// The leg that checks may name, as `seeded.rs` has it in its messages.
const LEG: MediaLeg = MediaLeg(1 << 32);

thread_local! {
    /// An engine with a browser's leg that waits for its first check.
    static ENGINE: RefCell<Engine> = RefCell::new(engine());
}

fn engine() -> Engine {
    let Ok(certificate) = Certificate::make() else { panic!("the system has random numbers") };
    #[expect(clippy::disallowed_methods, reason = "an instant can be had in no other way; no time passes")]
    let epoch = std::time::Instant::now();
    let browsers = Browsers { epoch, certificate: Arc::new(certificate) };
    let mut engine = Engine::new(EngineConfig::default(), None, None).with_browsers(browsers);
    let start = StreamStart { ssrc: 1, sequence: 1, timestamp: 1 };
    engine.open_browser(Time::ZERO, LEG, start, SocketAddr::from((Ipv4Addr::LOCALHOST, 10_000)));
    let login = |seed: u64| IceLogin::new(LEG, || seed);
    let remote = RemoteBrowser {
        login: login(2),
        fingerprint: format!("sha-256 {}", ["AB"; 32].join(":")),
        setup: Setup::Active,
        mid: None,
        bundles: true,
        streams: vec![7],
        mid_extension: Some(4),
        level_extension: Some(1),
    };
    let formats = vec![(0, BrowserFormat::Audio(Codec::Pcmu)), (126, BrowserFormat::Events(8_000))];
    let agreed = BrowserAgreed { login: login(1), remote, begins: false, formats };
    engine.handle(Time::ZERO, Command::SetBrowser { leg: LEG, agreed: Box::new(agreed) });
    engine
}

/// The bytes are a datagram of somebody who knows no password.
///
/// # Panics
/// When it is answered, counts as a browser's, or ends the leg; or when a message names a leg that does not stand in it.
pub fn browser_port(bytes: &[u8]) {
    if let Some(leg) = stun_leg(bytes) {
        let name = format!("{:016x}", leg.0);
        assert!(bytes.windows(16).any(|part| part == name.as_bytes()), "{leg:?} in {}", bytes.escape_ascii());
    }
    ENGINE.with_borrow_mut(|engine| {
        let source = SocketAddr::from((Ipv4Addr::LOCALHOST, 5_000));
        engine.datagram(Time::ZERO, source, bytes, &mut |_, _| panic!("passed on: {}", bytes.escape_ascii()));
        assert!(engine.poll_datagram().is_none(), "answered: {}", bytes.escape_ascii());
        assert_eq!(engine.browser_addresses(), 0, "believed: {}", bytes.escape_ascii());
        while let Some(event) = engine.poll_event() {
            assert!(!matches!(event, Event::Failed { .. }), "{}", bytes.escape_ascii());
        }
    });
}
