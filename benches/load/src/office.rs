//! The office that calls are sent through: many users, one scenario of one action.

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

/// Users of the office. One has one call from a scenario at a time (decision 4), so there are as many as calls at
/// 2,000 a second that are held for a second, and as many again for those that have just ended.
pub(crate) const USERS: u32 = 4_000;

/// The first internal number.
const FIRST: u32 = 10_000;

/// The internal numbers of the office that calls are sent through, in turn.
pub(crate) fn numbers() -> impl Iterator<Item = u32> {
    numbers_of(USERS)
}

/// The internal numbers of an office of so many users.
pub(crate) fn numbers_of(users: u32) -> impl Iterator<Item = u32> {
    FIRST..FIRST + users
}

/// The password of a number.
pub(crate) fn password(number: u32) -> String {
    format!("load-{number}")
}

/// The office document. Calls come from gateways, which are believed by their address, and ring the user whose number
/// they dial.
pub(crate) fn document(users: u32, callers: &[SocketAddr]) -> String {
    let mut text = String::from("office: load\ndomains: [load.test]\nusers:\n");
    for number in numbers_of(users) {
        let password = password(number);
        let _infallible = writeln!(
            text,
            "  - {{ id: \"{number}\", number: \"{number}\", name: U{number}, password: {password}, browser: false }}"
        );
    }
    text.push_str("gateways:\n");
    for (n, caller) in callers.iter().enumerate() {
        let _infallible = writeln!(text, "  - {{ id: caller-{n}, address: \"{caller}\", calls: 10000 }}");
    }
    text.push_str("routes:\n  - { id: load, from: gateways, any: true, scenario: load }\nscenarios:\n");
    text.push_str("  - scenario: load\n    title: Load\n    steps:\n");
    text.push_str("      - call-user: { mode: user, target: \"{called_number}\", ring_for: 20s }\n");
    text
}

/// The configuration.
pub(crate) fn configuration(address: IpAddr) -> String {
    let socket = SocketAddr::new(address, 0);
    format!(
        "[sip]\nudp = [\"{socket}\"]\ntcp = [\"{socket}\"]\ntls = [\"{socket}\"]\nws = [\"{socket}\"]\nwss = [\"{socket}\"]\n[media]\naddress = \"{address}\"\nports = \"20000-31999\"\n[http]\nlisten = \"127.0.0.1:0\"\n[limits]\nstrangers = 0\n"
    )
}
