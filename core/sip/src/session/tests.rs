mod alive;
mod refer;
mod reliable;
mod solo;
mod timer;
mod world;

use super::*;
use crate::method::Method;

/// The size of a leg in memory is part of what a held call costs.
#[test]
fn a_session_is_small() {
    assert!(size_of::<Session>() <= 256, "{}", size_of::<Session>());
    assert!(size_of::<Dialog>() <= 256, "{}", size_of::<Dialog>());
}

fn local(owner: u64) -> Local {
    Local {
        owner,
        tag: format!("tag{owner}").into(),
        contact: format!("<sip:leg{owner}@192.0.2.{owner}:5060>").into(),
        agent: "Plugboard".into(),
        timers: Timers::default(),
        random: owner.wrapping_mul(0x1234_5678_9abc_def1),
        larger: None,
    }
}

fn spec(flow: Flow) -> OutgoingSpec {
    OutgoingSpec {
        flow,
        next_hop: NextHop::Source,
        uri: RequestUri::parse("sip:102@192.0.2.2:5060").unwrap(),
        from: "\"Ann\" <sip:101@plugboard.test>".into(),
        to: "<sip:102@plugboard.test>".into(),
        call_id: "call-1".into(),
        routes: Vec::new(),
        sdp: Bytes::from_static(b"offer"),
        headers: vec![("X-Story".into(), "yes".into())],
        max_forwards: 69,
        login: None,
        answer_by: None,
        reliable: false,
    }
}

fn sdp(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn is_end(event: &Event) -> bool {
    matches!(event, Event::Rejected { .. } | Event::Ended { .. })
}
