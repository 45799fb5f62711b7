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

/// Fields of registrations: a number and its credentials.
pub(crate) fn credentials(users: u32) -> Vec<String> {
    let line = |number| format!("{number};[authentication username={number} password={}]", password(number));
    numbers_of(users).map(line).collect()
}

/// An office in which callers wait for the first who is free.
pub(crate) fn hotline(agents: u32, callers: &[SocketAddr]) -> String {
    let numbers: Vec<String> = numbers_of(agents).map(|number| format!("\"{number}\"")).collect();
    let steps =
        "      - call-group: { group: hotline, ring_for: 5s }\n      - try-any-manager: { max: 4h, callers: 10000 }\n";
    let groups =
        format!("groups:\n  - {{ id: hotline, members: [{}] }}\nmusic: {{ music: music.wav }}\n", numbers.join(", "));
    let (people, rest) = parts(agents, callers);
    [people, groups, rest, steps.to_owned()].concat()
}

/// Eight seconds of a tone, as a WAVE file of 16 bits and 8 kHz: nobody listens to it.
pub(crate) fn music() -> Vec<u8> {
    const RATE: u32 = 8_000;
    let samples = (0..RATE * 8).map(|n| if n / 10 % 2 == 0 { 4_000_i16 } else { -4_000 });
    let bytes: Vec<u8> = samples.flat_map(i16::to_le_bytes).collect();
    let length = u32::try_from(bytes.len()).unwrap_or(0);
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    // PCM, one channel.
    let format = [16, 1 | 1 << 16, RATE, RATE * 2, 2 | 16 << 16];
    [b"RIFF".as_slice(), &words(&[length + 36]), b"WAVEfmt ", &words(&format), b"data", &words(&[length]), &bytes]
        .concat()
}

/// The office document. Calls come from gateways, which are believed by their address, and ring the user whose number
/// they dial.
pub(crate) fn document(users: u32, callers: &[SocketAddr]) -> String {
    let (people, rest) = parts(users, callers);
    people + &rest + "      - call-user: { mode: user, target: \"{called_number}\", ring_for: 20s }\n"
}

/// The users, and all from the gateways on to the steps of the scenario that calls from there meet.
fn parts(users: u32, callers: &[SocketAddr]) -> (String, String) {
    let mut text = String::from("office: load\ndomains: [load.test]\nusers:\n");
    for number in numbers_of(users) {
        let password = password(number);
        let _infallible = writeln!(
            text,
            "  - {{ id: \"{number}\", number: \"{number}\", name: U{number}, password: {password}, browser: false }}"
        );
    }
    let people = std::mem::replace(&mut text, "gateways:\n".into());
    for (n, caller) in callers.iter().enumerate() {
        let _infallible = writeln!(text, "  - {{ id: caller-{n}, address: \"{caller}\", calls: 10000 }}");
    }
    text.push_str("routes:\n  - { id: load, from: gateways, any: true, scenario: load }\nscenarios:\n");
    text.push_str("  - scenario: load\n    title: Load\n    steps:\n");
    (people, text)
}

/// The configuration.
pub(crate) fn configuration(address: IpAddr) -> String {
    let socket = SocketAddr::new(address, 0);
    format!(
        "[sip]\nudp = [\"{socket}\"]\ntcp = [\"{socket}\"]\ntls = [\"{socket}\"]\nws = [\"{socket}\"]\nwss = [\"{socket}\"]\n[media]\naddress = \"{address}\"\nports = \"20000-31999\"\n[http]\nlisten = \"127.0.0.1:0\"\n[limits]\nstrangers = 0\n"
    )
}
