//! Credentials for the TURN server, as the switch makes them and coturn takes them.

#![expect(clippy::disallowed_methods, reason = "the server goes by the clock on the wall")]

use plugboard_media::turn::{password, username};
use plugboard_tests_interop::{Coturn, Office, Plugboard, TURN_SECRET, turn_client};
use std::time::{SystemTime, UNIX_EPOCH};

#[test]
fn credentials_are_taken_until_their_time_is_over_and_for_no_other_name() {
    let (switch, port) = (Plugboard::with_office(&Office::new()), Coturn::port());
    let server = Coturn::start(&switch, "127.0.0.1", port);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let of = |until: u64, user: &str| {
        let name = username(until, user);
        (password(TURN_SECRET, &name), name)
    };
    let (right, name) = of(now + 600, "101");
    assert!(turn_client(port, &name, &right), "{}", server.output());
    assert!(server.output().contains("ALLOCATE processed, success"), "{}", server.output());
    let granted = server.output().matches("ALLOCATE processed, success").count();

    let (old, past) = of(now - 1, "101");
    let (_, another) = of(now + 600, "102");
    let guessed = password("another secret", &name);
    for (name, password) in [(&past, &old), (&another, &right), (&name, &guessed)] {
        assert!(!turn_client(port, name, password), "{name}");
        assert!(server.output().contains("error 401"), "{}", server.output());
    }
    let still = server.output().matches("ALLOCATE processed, success").count();
    assert_eq!(still, granted, "nobody of those was let through");
}
