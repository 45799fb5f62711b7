//! The session timer (RFC 4028) against messages made by hand.

use super::solo::{Seen, TX, ack, answered_by, called_by, caller, command, drain, flow, hear, peer, response};
use super::*;
use crate::validate::{Abilities, validate};

fn seconds(seconds: u64) -> Time {
    Time::ZERO + Duration::from_secs(seconds)
}

/// What a session wants at this second and not one before.
fn tick(session: &mut Session, at: u64) -> Seen {
    assert_eq!(session.poll_timeout(), Some(seconds(at)));
    session.handle(Time::from_millis(at * 1_000 - 1), Input::Tick);
    assert_eq!(drain(session).words, [""; 0], "a moment before");
    session.handle(seconds(at), Input::Tick);
    drain(session)
}

fn hear_at(session: &mut Session, at: u64, tx: ClientTx, response: Response) -> Seen {
    session.handle(seconds(at), Input::Response { tx, response, flow: flow() });
    drain(session)
}

/// A call of ours that a peer answered with these headers, at second 0.
fn answered_with(headers: &[(&str, &str)]) -> Session {
    let (mut session, tx, invite) = caller(spec(flow()));
    let mut answer = response(&invite, 200, "bob", "answer");
    for (name, value) in headers {
        answer.headers.push(name, *value);
    }
    let seen = hear_at(&mut session, 0, tx, answer);
    assert_eq!(seen.words, ["send ACK", "answered"]);
    session
}

#[test]
fn every_invite_asks_for_a_session_of_half_an_hour_that_we_refresh() {
    let (_, _, invite) = caller(spec(flow()));
    assert_eq!(invite.headers.get("Supported"), Some("timer"));
    assert_eq!(invite.headers.get("Session-Expires"), Some("1800;refresher=uac"));
    assert_eq!(invite.headers.get("Min-SE"), None);
}

#[test]
fn a_peer_without_timer_is_asked_whether_he_is_there_and_whatever_he_says_keeps_the_call() {
    let mut session = answered_with(&[]);
    for (at, status) in [(900, 200), (1_800, 405), (2_700, 501)] {
        let seen = tick(&mut session, at);
        assert_eq!(seen.words, ["send OPTIONS"]);
        let (tx, options, _) = &seen.requests[0];
        assert_eq!(options.headers.get("Session-Expires"), None);
        assert_eq!(hear_at(&mut session, at, *tx, Response::to_request(options, status)).words, [""; 0]);
    }
}

#[test]
fn a_peer_who_is_gone_is_noticed_by_his_silence_and_by_481_408_and_430() {
    for status in [None, Some(481), Some(408), Some(430)] {
        let mut session = answered_with(&[]);
        let seen = tick(&mut session, 900);
        let (tx, options, _) = &seen.requests[0];
        let seen = match status {
            Some(status) => hear_at(&mut session, 901, *tx, Response::to_request(options, status)),
            None => {
                session.handle(seconds(932), Input::Timeout { tx: *tx });
                drain(&mut session)
            }
        };
        let lost = usize::from(status == Some(430));
        assert_eq!(seen.words, ["flowlost", "ended", "send BYE"][1 - lost..], "{status:?}");
    }
}

#[test]
fn a_peer_who_knows_the_timer_is_refreshed_by_update_at_half_its_time() {
    let mut session = answered_with(&[("Session-Expires", "600;refresher=uac"), ("Allow", "INVITE, UPDATE")]);
    let seen = tick(&mut session, 300);
    assert_eq!(seen.words, ["send UPDATE"]);
    let (tx, update, _) = &seen.requests[0];
    assert_eq!(update.headers.get("Session-Expires"), Some("600;refresher=uac"));
    assert_eq!((update.headers.get("Supported"), update.body.len()), (Some("timer"), 0));
    assert!(update.headers.contains("Contact"));
    let mut ok = Response::to_request(update, 200);
    ok.headers.push("Session-Expires", "400;refresher=uac");
    ok.headers.push("Allow", "UPDATE");
    assert_eq!(hear_at(&mut session, 301, *tx, ok).words, [""; 0]);
    assert_eq!(tick(&mut session, 501).words, ["send UPDATE"]);
}

#[test]
fn an_update_that_is_refused_gives_way_to_an_invite() {
    let mut session = answered_with(&[("Session-Expires", "600;refresher=uac"), ("Allow", "INVITE, UPDATE")]);
    let seen = tick(&mut session, 300);
    let (tx, update, _) = &seen.requests[0];
    assert_eq!(hear_at(&mut session, 300, *tx, Response::to_request(update, 405)).words, [""; 0]);
    assert_eq!(tick(&mut session, 305).events, [Event::RefreshDue]);
}

#[test]
fn a_peer_without_update_is_refreshed_by_an_invite_with_the_description_in_force() {
    let mut session = answered_with(&[("Session-Expires", "600;refresher=uac"), ("Allow", "INVITE, BYE")]);
    assert_eq!(tick(&mut session, 300).events, [Event::RefreshDue]);
    let seen = command(&mut session, Command::Reoffer { sdp: sdp("offer") });
    let (tx, invite, _) = &seen.requests[0];
    assert_eq!((invite.method.as_str(), &*invite.body), ("INVITE", &b"offer"[..]));
    assert_eq!(invite.headers.get("Session-Expires"), Some("600;refresher=uac"));
    let mut answer = response(invite, 200, "bob", "answer");
    answer.headers.push("Session-Expires", "600;refresher=uac");
    let seen = hear_at(&mut session, 301, *tx, answer);
    assert_eq!(seen.words, ["send ACK", "reofferdone"]);
    assert_eq!(session.poll_timeout(), Some(seconds(601)));
}

#[test]
fn a_peer_who_is_to_refresh_and_does_not_is_given_up_in_time() {
    let mut session = answered_with(&[("Session-Expires", "600;refresher=uas")]);
    let seen = tick(&mut session, 568);
    assert_eq!(seen.words, ["ended", "send BYE"]);
    assert_eq!(
        seen.events,
        [Event::Ended { cause: Cause { status: 408, text: "Session Expired".into() }, by_remote: false }]
    );
    assert!(seen.requests[0].1.headers.get("Reason").unwrap().contains("cause=408"));
    // A third of a short session is less than 32 s.
    assert_eq!(answered_with(&[("Session-Expires", "90;refresher=uas")]).poll_timeout(), Some(seconds(60)));
}

#[test]
fn a_peer_who_refreshes_keeps_the_call() {
    let mut session = answered_with(&[("Session-Expires", "600;refresher=uas")]);
    let headers = [("Supported", "timer"), ("Session-Expires", "600;refresher=uac")];
    session
        .handle(seconds(500), Input::Request { tx: TX, request: peer(Method::Update, 7, &headers, ""), flow: flow() });
    let seen = drain(&mut session);
    assert_eq!(seen.words, ["answer 200"]);
    assert_eq!(seen.responses[0].headers.get("Session-Expires"), Some("600;refresher=uac"));
    assert_eq!(seen.responses[0].headers.get("Require"), Some("timer"));
    assert_eq!(session.poll_timeout(), Some(seconds(1_068)));
}

#[test]
fn what_is_too_short_for_somebody_on_the_way_is_asked_for_again_but_once() {
    let (mut session, tx, invite) = caller(spec(flow()));
    let mut refused = Response::to_request_tagged(&invite, 422, "proxy");
    refused.headers.push("Min-SE", "3600");
    let seen = hear(&mut session, tx, refused);
    assert_eq!(seen.words, ["send INVITE"]);
    let (tx, again, _) = &seen.requests[0];
    assert_eq!(again.headers.get("Session-Expires"), Some("3600;refresher=uac"));
    assert_eq!((again.headers.get("Min-SE"), again.headers.get("CSeq")), (Some("3600"), Some("2 INVITE")));
    let mut refused = Response::to_request_tagged(again, 422, "proxy");
    refused.headers.push("Min-SE", "7200");
    assert_eq!(hear(&mut session, *tx, refused).words, ["rejected", "finished"]);
}

#[test]
fn a_422_that_asks_for_nothing_or_for_more_than_a_day_is_a_refusal() {
    for min in [None, Some("soon"), Some("86401")] {
        let (mut session, tx, invite) = caller(spec(flow()));
        let mut refused = Response::to_request_tagged(&invite, 422, "proxy");
        if let Some(min) = min {
            refused.headers.push("Min-SE", min);
        }
        assert_eq!(hear(&mut session, tx, refused).words, ["rejected", "finished"], "{min:?}");
    }
}

#[test]
fn a_caller_gets_his_timer_within_our_limits() {
    const KNOWS: (&str, &str) = ("Supported", "timer");
    let cases = [
        (vec![KNOWS, ("Session-Expires", "600")], Some("600;refresher=uas")),
        (vec![KNOWS, ("Session-Expires", "600;refresher=uac")], Some("600;refresher=uac")),
        (vec![KNOWS, ("Session-Expires", "7200;refresher=uas")], Some("1800;refresher=uas")),
        (vec![KNOWS, ("x", "7200"), ("Min-SE", "3600")], Some("3600;refresher=uas")),
        (vec![KNOWS], Some("1800;refresher=uas")),
        (vec![("Session-Expires", "600")], None),
    ];
    for (headers, expected) in cases {
        let mut session = called_by(&headers);
        let seen = command(&mut session, Command::Answer { sdp: sdp("answer") });
        let ok = &seen.responses[0];
        assert_eq!(ok.headers.get("Session-Expires"), expected, "{headers:?}");
        assert_eq!(ok.headers.get("Require"), expected.map(|_| "timer"), "{headers:?}");
        session.handle(seconds(0), ack(1, ""));
        assert!(session.poll_timeout().is_some(), "he is watched either way");
    }
}

#[test]
fn a_session_of_less_than_90_s_is_refused_with_what_we_take() {
    let abilities =
        Abilities { methods: &[Method::Invite], extensions: &[TIMER], content_types: &["application/sdp"], tel: false };
    let judged = |headers: &[(&str, &str)]| validate(&peer(Method::Invite, 1, headers, ""), &abilities);
    let refused = judged(&[("Supported", "timer"), ("Session-Expires", "89")]).unwrap_err();
    let request = peer(Method::Invite, 1, &[], "");
    assert_eq!(refused.response(&request).status, 422);
    assert_eq!(refused.response(&request).headers.get("Min-SE"), Some("90"));
    assert!(judged(&[("Supported", "timer"), ("Session-Expires", "90")]).is_ok());
    assert!(judged(&[("Session-Expires", "30")]).is_ok(), "who knows no timer cannot be told (RFC 4028 section 9)");
    assert!(judged(&[("Require", "timer")]).is_ok());
}

#[test]
fn what_is_under_way_puts_the_refresh_off() {
    let mut session = answered_with(&[]);
    session.handle(seconds(899), Input::Command(Command::Reoffer { sdp: sdp("hold") }));
    let seen = drain(&mut session);
    assert_eq!(session.poll_timeout(), Some(seconds(899 + 180)), "its answer shows whether he is there");
    let (tx, invite, _) = &seen.requests[0];
    hear_at(&mut session, 901, *tx, answered_by(invite));
    assert_eq!(session.poll_timeout(), Some(seconds(901 + 900)), "and counts as a refresh");
}

#[test]
fn a_peer_whose_refresh_somebody_refused_is_there_all_the_same() {
    let mut session = answered_with(&[("Session-Expires", "600;refresher=UAS")]);
    let request = peer(Method::Invite, 7, &[("Supported", "timer"), ("Session-Expires", "600;refresher=uac")], "offer");
    session.handle(seconds(300), Input::Request { tx: TX, request, flow: flow() });
    session.handle(seconds(301), Input::Command(Command::RejectReoffer { status: 488, why: "", headers: Vec::new() }));
    assert_eq!(drain(&mut session).words, ["reoffered", "answer 488"]);
    assert_eq!(session.poll_timeout(), Some(seconds(300 + 568)));
}

#[test]
fn a_peer_who_asks_for_longer_and_longer_sessions_gets_them_and_one_who_asks_for_nothing_no_flood() {
    let mut session = answered_with(&[("Session-Expires", "600;refresher=uac"), ("Allow", "UPDATE")]);
    let seen = tick(&mut session, 300);
    let refused = |update: &Request, min: &str| {
        let mut response = Response::to_request(update, 422);
        response.headers.push("Min-SE", min);
        response
    };
    let (tx, update, _) = &seen.requests[0];
    hear_at(&mut session, 300, *tx, refused(update, "900"));
    session.handle(seconds(300), Input::Tick);
    let seen = drain(&mut session);
    let (tx, update, _) = &seen.requests[0];
    assert_eq!(update.headers.get("Session-Expires"), Some("900;refresher=uac"));
    hear_at(&mut session, 300, *tx, refused(update, "900"));
    assert_eq!(tick(&mut session, 305).events, [Event::RefreshDue], "an INVITE, after a pause");
    assert_eq!(session.poll_timeout(), Some(seconds(305 + 150)), "and not again at once");
}

/// A re-INVITE of ours at this second: its transaction and itself.
fn reoffer(session: &mut Session, at: u64) -> (ClientTx, Request) {
    session.handle(seconds(at), Input::Command(Command::Reoffer { sdp: sdp("hold") }));
    let (tx, invite, _) = drain(session).requests.remove(0);
    (tx, invite)
}

#[test]
fn a_reinvite_that_gets_a_1xx_and_then_nothing_is_cancelled_after_three_minutes() {
    let mut session = answered_with(&[]);
    let (tx, invite) = reoffer(&mut session, 10);
    assert_eq!(hear_at(&mut session, 11, tx, Response::to_request(&invite, 180)).words, [""; 0]);
    assert_eq!(tick(&mut session, 190).words, ["cancel "]);
    let seen = hear_at(&mut session, 191, tx, Response::to_request(&invite, 487));
    assert_eq!(seen.events, [Event::ReofferDone(Err(487))]);
    assert!(session.is_up(), "he is there, and the session stays as it was");
    let (tx, invite) = reoffer(&mut session, 200);
    hear_at(&mut session, 201, tx, Response::to_request(&invite, 180));
    session.handle(seconds(380), Input::Tick);
    session.handle(seconds(412), Input::Timeout { tx });
    assert_eq!(drain(&mut session).words, ["cancel ", "ended", "send BYE"]);
}

#[test]
fn a_reinvite_that_is_too_short_for_somebody_goes_again_with_what_he_asks_for() {
    let mut session = answered_with(&[("Session-Expires", "600;refresher=uac")]);
    let (mut tx, mut invite) = reoffer(&mut session, 10);
    for (n, min) in ["900", "1200", "1500", "1800"].into_iter().enumerate() {
        let mut refused = Response::to_request(&invite, 422);
        refused.headers.push("Min-SE", min);
        let seen = hear_at(&mut session, 11, tx, refused);
        assert_eq!(seen.words, ["send INVITE"], "{n}");
        (tx, invite) = (seen.requests[0].0, seen.requests[0].1.clone());
        assert_eq!(invite.headers.get("Session-Expires"), Some(&*format!("{min};refresher=uac")));
        assert_eq!((invite.headers.get("Min-SE"), &*invite.body), (Some(min), &b"hold"[..]));
    }
    let mut refused = Response::to_request(&invite, 422);
    refused.headers.push("Min-SE", "2100");
    assert_eq!(hear_at(&mut session, 11, tx, refused).events, [Event::ReofferDone(Err(422))], "not for ever");
}

#[test]
fn what_the_shortest_session_may_be_is_repeated_in_every_refresh() {
    let (mut session, tx, invite) = caller(spec(flow()));
    let mut refused = Response::to_request_tagged(&invite, 422, "proxy");
    refused.headers.push("Min-SE", "3600");
    let (tx, again, _) = hear(&mut session, tx, refused).requests.remove(0);
    let mut answer = response(&again, 200, "bob", "answer");
    answer.headers.push("Session-Expires", "3600;refresher=uac");
    answer.headers.push("Allow", "UPDATE");
    hear_at(&mut session, 0, tx, answer);
    let seen = tick(&mut session, 1_800);
    let (tx, update, _) = &seen.requests[0];
    assert_eq!(update.headers.get("Min-SE"), Some("3600"));
    let mut ok = Response::to_request(update, 200);
    ok.headers.push("Session-Expires", "3600;refresher=uac");
    hear_at(&mut session, 1_800, *tx, ok);
    assert_eq!(tick(&mut session, 3_600).requests[0].1.headers.get("Min-SE"), Some("3600"), "and again");

    let mut called = called_by(&[("Supported", "timer"), ("Session-Expires", "1800"), ("Min-SE", "1200")]);
    command(&mut called, Command::Answer { sdp: sdp("answer") });
    called.handle(seconds(0), ack(1, ""));
    let (_, invite) = reoffer(&mut called, 10);
    assert_eq!(invite.headers.get("Min-SE"), Some("1200"), "the caller's own");
}

#[test]
fn a_refresh_that_cannot_be_sent_is_tried_again_for_a_minute() {
    let mut session = answered_with(&[]);
    let mut at = 900;
    for _ in 0..12 {
        let seen = tick(&mut session, at);
        let (tx, _, _) = seen.requests[0];
        session.handle(seconds(at), Input::TransportError { tx });
        assert_eq!(drain(&mut session).words, [""; 0]);
        at += 5;
    }
    let seen = tick(&mut session, at);
    let (tx, _, _) = seen.requests[0];
    session.handle(seconds(at), Input::TransportError { tx });
    assert_eq!(drain(&mut session).words, ["ended", "send BYE"]);

    let mut session = answered_with(&[]);
    let (tx, _, _) = tick(&mut session, 900).requests[0];
    session.handle(seconds(900), Input::TransportError { tx });
    let (tx, options, _) = tick(&mut session, 905).requests.remove(0);
    assert_eq!(hear_at(&mut session, 905, tx, Response::to_request(&options, 200)).words, [""; 0]);
    assert_eq!(session.poll_timeout(), Some(seconds(1_805)), "he is back");
}

#[test]
fn a_reinvite_that_cannot_be_sent_leaves_the_session_and_a_refresh_by_it_is_tried_again_for_a_minute() {
    let mut session = answered_with(&[("Session-Expires", "600;refresher=uac"), ("Allow", "INVITE, BYE")]);
    let mut at = 300;
    for _ in 0..12 {
        assert_eq!(tick(&mut session, at).events, [Event::RefreshDue]);
        let (tx, _) = reoffer(&mut session, at);
        session.handle(seconds(at), Input::TransportError { tx });
        assert_eq!(drain(&mut session).events, [Event::ReofferDone(Err(503))]);
        at += 5;
    }
    tick(&mut session, at);
    let (tx, _) = reoffer(&mut session, at);
    session.handle(seconds(at), Input::TransportError { tx });
    assert_eq!(drain(&mut session).words, ["ended", "send BYE"]);

    let mut session = answered_with(&[]);
    let (tx, _) = reoffer(&mut session, 10);
    session.handle(seconds(42), Input::Timeout { tx });
    assert_eq!(drain(&mut session).words, ["ended", "send BYE"], "nobody answered");
}

#[test]
fn a_peer_who_refreshes_is_not_given_up_sooner_because_a_reinvite_of_ours_could_not_be_sent() {
    let mut session = answered_with(&[("Session-Expires", "600;refresher=uas")]);
    for _ in 0..20 {
        let (tx, _) = reoffer(&mut session, 10);
        session.handle(seconds(10), Input::TransportError { tx });
        assert_eq!(drain(&mut session).events, [Event::ReofferDone(Err(503))]);
    }
    assert_eq!(session.poll_timeout(), Some(seconds(568)));
}

#[test]
fn a_peer_who_refused_a_reinvite_was_there_and_has_the_whole_minute_again() {
    let mut session = answered_with(&[("Session-Expires", "600;refresher=uac"), ("Allow", "INVITE, BYE")]);
    for _ in 0..3 {
        for _ in 0..12 {
            let (tx, _) = reoffer(&mut session, 10);
            session.handle(seconds(10), Input::TransportError { tx });
        }
        let (tx, invite) = reoffer(&mut session, 11);
        assert!(!drain(&mut session).words.contains(&"ended".into()));
        assert_eq!(hear_at(&mut session, 11, tx, Response::to_request(&invite, 488)).words, ["reofferdone"]);
    }
}

#[test]
fn our_answer_never_makes_a_session_longer_than_was_asked() {
    let mut session = called_by(&[("Supported", "timer"), ("Session-Expires", "1800"), ("Min-SE", "1200")]);
    command(&mut session, Command::Answer { sdp: sdp("answer") });
    session.handle(seconds(0), ack(1, ""));
    for (cseq, headers, expected) in [
        (7, vec![("Session-Expires", "600;refresher=uas")], "600;refresher=uas"),
        (8, vec![("Session-Expires", "600;refresher=uas"), ("Min-SE", "900")], "600;refresher=uas"),
        (9, vec![("Session-Expires", "7200;refresher=uas"), ("Min-SE", "3600")], "3600;refresher=uas"),
    ] {
        let headers = [vec![("Supported", "timer")], headers].concat();
        let request = peer(Method::Update, cseq, &headers, "");
        session.handle(seconds(10), Input::Request { tx: TX, request, flow: flow() });
        let seen = drain(&mut session);
        assert_eq!(seen.responses[0].headers.get("Session-Expires"), Some(expected), "{headers:?}");
    }
    let request = peer(Method::Update, 10, &[("Supported", "timer"), ("Session-Expires", "600;refresher=uas")], "");
    session.handle(seconds(20), Input::Request { tx: TX, request, flow: flow() });
    drain(&mut session);
    assert_eq!(session.poll_timeout(), Some(seconds(320)), "as he was told");
    let (_, invite) = reoffer(&mut session, 30);
    let asks = ["Session-Expires", "Min-SE"].map(|name| invite.headers.get(name));
    assert_eq!(asks, [Some("3600;refresher=uac"), Some("3600")], "ours asks for no less than the longest Min-SE");
}
