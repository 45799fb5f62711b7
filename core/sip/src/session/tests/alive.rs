//! Whether the peer is there, asked against messages made by hand.

use super::solo::{Seen, command, drain, hear, up};
use super::*;

/// A session that asks, and its question.
fn asked() -> (Session, ClientTx, Request) {
    let (mut session, ..) = up();
    let mut seen = command(&mut session, Command::Ask);
    assert_eq!(seen.words, ["send OPTIONS"]);
    assert_eq!(command(&mut session, Command::Ask).words, [""; 0], "one question at a time");
    let (tx, options, _) = seen.requests.remove(0);
    (session, tx, options)
}

fn is_buried(session: &Session, seen: &Seen) {
    assert_eq!(seen.words, ["ended", "send BYE"]);
    assert_eq!(seen.events, [Event::Ended { cause: Cause::silent(), by_remote: false }]);
    assert_eq!(seen.requests[0].1.headers.get("Reason"), Some("SIP;cause=408;text=\"No media and no answer\""));
    assert!(!session.is_up());
}

#[test]
fn whatever_a_peer_answers_he_is_there_and_may_be_asked_again() {
    for status in [200, 401, 405, 488, 500, 603] {
        let (mut session, tx, options) = asked();
        assert_eq!(hear(&mut session, tx, Response::to_request(&options, 100)).words, [""; 0]);
        assert_eq!(hear(&mut session, tx, Response::to_request(&options, status)).words, ["lives"], "{status}");
        assert!(session.is_up());
        assert_eq!(command(&mut session, Command::Ask).words, ["send OPTIONS"]);
    }
}

#[test]
fn a_peer_that_is_not_there_is_buried_with_the_reason() {
    let (mut session, tx, options) = asked();
    assert_eq!(hear(&mut session, tx, Response::to_request(&options, 430)).words, ["flowlost", "ended", "send BYE"]);
    for status in [408, 481] {
        let (mut session, tx, options) = asked();
        let seen = hear(&mut session, tx, Response::to_request(&options, status));
        is_buried(&session, &seen);
    }
    let (mut session, tx, _) = asked();
    session.handle(Time::from_millis(34_000), Input::Timeout { tx });
    let seen = drain(&mut session);
    is_buried(&session, &seen);
    let (mut session, tx, _) = asked();
    session.handle(Time::from_millis(3_000), Input::TransportError { tx });
    let seen = drain(&mut session);
    is_buried(&session, &seen);
}
