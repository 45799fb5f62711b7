//! REFER within a session (RFC 3515), and the identity that is shown afterwards, against messages made by hand.

use super::solo::{ask, command, hear, peer, up, words};
use super::*;

const TARGET: (&str, &str) = ("Refer-To", "<sip:103@plugboard.test>");

fn refer(cseq: u32, headers: &[(&str, &str)]) -> Request {
    peer(Method::Refer, cseq, headers, "")
}

#[test]
fn a_refer_is_told_accepted_and_followed_by_news_until_the_last() {
    let (mut session, ..) = up();
    let seen = ask(&mut session, refer(7, &[TARGET, ("Referred-By", "<sip:102@plugboard.test>")]));
    let referred_by = Some("<sip:102@plugboard.test>".to_owned());
    assert_eq!(seen.events, [Event::Referred { target: TARGET.1.into(), referred_by }]);
    let seen = command(&mut session, Command::AcceptRefer);
    assert_eq!(seen.words, ["answer 202", "send NOTIFY"]);
    let first = &seen.requests[0].1;
    assert_eq!(first.headers.get("Event"), Some("refer;id=7"));
    assert_eq!(first.headers.get("Subscription-State"), Some("active;expires=600"));
    assert_eq!(first.headers.get("Content-Type"), Some("message/sipfrag;version=2.0"));
    assert_eq!(first.body, b"SIP/2.0 100 Trying\r\n");
    assert_eq!(ask(&mut session, refer(8, &[TARGET])).words, ["answer 491"], "one at a time");
    let seen = command(&mut session, Command::NotifyRefer { status: 180 });
    let (tx, notify, _) = &seen.requests[0];
    assert_eq!(hear(&mut session, *tx, Response::to_request(notify, 481)).words, [""; 0], "no reason to hang up");
    let seen = command(&mut session, Command::NotifyRefer { status: 486 });
    let last = &seen.requests[0].1;
    assert_eq!(last.headers.get("Subscription-State"), Some("terminated;reason=noresource"));
    assert_eq!(last.body, b"SIP/2.0 486 Busy Here\r\n");
    assert_eq!(command(&mut session, Command::NotifyRefer { status: 200 }).words, [""; 0], "the last word was said");
    assert_eq!(ask(&mut session, refer(9, &[TARGET])).words, ["referred"]);
    assert!(session.is_up());
}

#[test]
fn a_refer_is_refused_or_malformed_or_comes_too_early() {
    let (mut session, ..) = up();
    ask(&mut session, refer(1, &[TARGET]));
    assert_eq!(command(&mut session, Command::RejectRefer { status: 404 }).words, ["answer 404"]);
    assert_eq!(ask(&mut session, refer(2, &[])).words, ["answer 400"]);
    assert_eq!(ask(&mut session, refer(3, &[TARGET, TARGET])).words, ["answer 400"]);
    let mut ringing = solo::called_by(&[]);
    command(&mut ringing, Command::Progress { status: 180, sdp: None });
    assert_eq!(ask(&mut ringing, refer(2, &[TARGET])).words, ["answer 403"]);
}

#[test]
fn who_wants_no_news_gets_none() {
    // RFC 4488 section 4.
    let (mut session, ..) = up();
    ask(&mut session, refer(1, &[TARGET, ("Refer-Sub", "false"), ("Require", "norefersub")]));
    let seen = command(&mut session, Command::AcceptRefer);
    assert_eq!(seen.words, ["answer 202"]);
    assert_eq!(seen.responses[0].headers.get("Refer-Sub"), Some("false"));
    assert_eq!(command(&mut session, Command::NotifyRefer { status: 200 }).words, [""; 0]);
}

#[test]
fn a_refer_that_nobody_answered_is_answered_when_the_session_ends() {
    let (mut session, ..) = up();
    ask(&mut session, refer(1, &[TARGET]));
    assert_eq!(command(&mut session, Command::End { reason: None }).words, ["ended", "answer 481", "send BYE"]);
    let (mut session, ..) = up();
    ask(&mut session, refer(1, &[TARGET]));
    let over = ask(&mut session, peer(Method::Bye, 2, &[], ""));
    assert_eq!(over.words, ["answer 200", "answer 481", "ended", "finished"]);
}

/// Shows the peer somebody else.
fn shows(session: &mut Session) -> solo::Seen {
    let headers = vec![("P-Asserted-Identity".into(), "<sip:103@plugboard.test>".into())];
    command(session, Command::Identify { headers, sdp: sdp("as it was") })
}

#[test]
fn a_new_name_goes_by_update_where_it_may_else_by_an_invite_that_changes_nothing() {
    let (mut session, ..) = up();
    let seen = shows(&mut session);
    assert_eq!((seen.words[0].as_str(), seen.requests[0].1.body.as_slice()), ("send INVITE", &b"as it was"[..]));
    assert!(seen.requests[0].1.headers.contains("P-Asserted-Identity"));
    assert_eq!(shows(&mut session).words, [""; 0], "one INVITE at a time");
    let mut takes = solo::called_by(&[("Allow", "INVITE, UPDATE")]);
    command(&mut takes, Command::Answer { sdp: sdp("answer") });
    takes.handle(Time::from_millis(5), solo::ack(1, ""));
    words(&mut takes);
    let seen = shows(&mut takes);
    assert_eq!((seen.words[0].as_str(), seen.requests[0].1.body.len()), ("send UPDATE", 0));
    let (tx, update, _) = &seen.requests[0];
    assert_eq!(hear(&mut takes, *tx, Response::to_request(update, 403)).words, [""; 0], "a name is no reason to end");
    assert!(takes.is_up());
    assert_eq!(ask(&mut takes, peer(Method::Options, 2, &[], "")).words, ["answer 200"]);
}

#[test]
fn a_name_that_is_told_to_whoever_wants_a_password_first_goes_again_with_it() {
    let login = Login { user: "trunk".into(), password: Secret::new("pass") };
    let (mut session, tx, invite) = solo::caller(OutgoingSpec { login: Some(login), ..spec(solo::flow()) });
    hear(&mut session, tx, solo::response(&invite, 200, "bob", "answer"));
    for (status, asks, answers) in
        [(401, "WWW-Authenticate", "Authorization"), (407, "Proxy-Authenticate", "Proxy-Authorization")]
    {
        let seen = shows(&mut session);
        let (tx, reinvite, _) = &seen.requests[0];
        let mut challenge = Response::to_request(reinvite, status);
        challenge.headers.push(asks, "Digest realm=\"gw\", nonce=\"n\", qop=\"auth\"");
        let seen = hear(&mut session, *tx, challenge);
        assert_eq!(seen.words, ["send INVITE"], "{status}");
        let (tx, again, _) = &seen.requests[0];
        assert!(
            again.headers.contains(answers) && again.headers.contains("P-Asserted-Identity"),
            "{status}: {again:?}"
        );
        assert_eq!(again.body, b"as it was");
        hear(&mut session, *tx, solo::answered_by(again));
    }
}
