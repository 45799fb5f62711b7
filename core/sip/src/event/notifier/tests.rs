//! What subscribers are told, and when.

use super::*;
use crate::event::{DialogInfo, DialogState, Direction, EventDialog, Features, Messages};
use crate::flow::Transport;
use crate::method::Method;
use crate::uri::RequestUri;
use plugboard_model::Name;

type Under = Notifier<&'static str>;

const ME: &str = "s0-sub";

fn at(millis: u64) -> Time {
    Time::ZERO + Duration::from_millis(millis)
}

fn flow() -> Flow {
    Flow::udp("10.0.0.1:5060".parse().unwrap(), "10.0.0.11:5060".parse().unwrap())
}

fn user(name: &str) -> UserId {
    UserId { office: OfficeId(Name::new("main").unwrap()), name: Name::new(name).unwrap() }
}

fn subscribe(call: &str, cseq: u32, more: &[(&str, &str)]) -> Request {
    let mut request = Request::new(Method::Subscribe, RequestUri::parse("sip:102@plugboard.test").unwrap());
    let headers = &mut request.headers;
    for (name, value) in [
        ("Via", "SIP/2.0/UDP 10.0.0.11;branch=z9hG4bK1"),
        ("Record-Route", "<sip:proxy.test;lr>"),
        ("From", "<sip:101@plugboard.test>;tag=ann"),
        ("To", "<sip:102@plugboard.test>"),
        ("Call-ID", call),
        ("CSeq", &format!("{cseq} SUBSCRIBE")),
        ("Contact", "<sip:101@10.0.0.11>"),
    ] {
        headers.push(name, value);
    }
    for (name, value) in more {
        headers.set(name, *value);
    }
    request
}

fn asked(request: Request, tag: &str) -> Input<&'static str> {
    Input::Subscribe(Box::new(Asked {
        tx: ServerTx(1),
        request,
        flow: flow(),
        watcher: user("101"),
        resource: "102",
        tag: tag.into(),
        contact: "<sip:5@10.0.0.1:5060>".into(),
    }))
}

fn within(cseq: u32, tag: &str, more: &[(&str, &str)]) -> Input<&'static str> {
    let to = format!("<sip:102@plugboard.test>;tag={tag}");
    let mut request = subscribe("a", cseq, &[("Event", "dialog"), ("To", &to)]);
    for (name, value) in more {
        request.headers.set(name, *value);
    }
    Input::Again { tx: ServerTx(2), request: Box::new(request), flow: flow() }
}

fn rings(id: &str, state: DialogState) -> Arc<Content> {
    let dialog = EventDialog { id: id.into(), state, direction: Direction::Recipient, replaces: None, remote: None };
    Arc::new(Content::Dialogs(DialogInfo { entity: "sip:102@plugboard.test".into(), dialogs: vec![dialog] }))
}

fn idle() -> Arc<Content> {
    Arc::new(Content::Dialogs(DialogInfo { entity: "sip:102@plugboard.test".into(), dialogs: Vec::new() }))
}

/// What a machine wants, in words; NOTIFYs with their state, their version and what the first call is at.
fn told(under: &mut Under) -> Vec<String> {
    std::iter::from_fn(|| under.poll_output()).map(|output| in_words(&output)).collect()
}

fn in_words(output: &Output<&'static str>) -> String {
    match output {
        Output::Layer(input) => layer_in_words(input),
        Output::Watch(resource) => format!("watch {resource}"),
        Output::Unwatch(resource) => format!("unwatch {resource}"),
        Output::Wish(user, wish) => format!("{} wishes {wish:?}", user.name),
        Output::Began(package) => format!("began {}", package.name()),
        Output::Ended(package) => format!("ended {}", package.name()),
        Output::Notified(_) => String::new(),
    }
}

fn layer_in_words(input: &LayerInput) -> String {
    if let LayerInput::Respond { response, .. } | LayerInput::Refuse { response, .. } = input {
        let more = ["Expires", "Min-Expires", "Allow-Events", "Accept"];
        let more = more.into_iter().filter_map(|name| Some(format!(" {name} {}", response.headers.get(name)?)));
        return format!("{}{}", response.status, more.collect::<String>());
    }
    let LayerInput::SendRequest { tx, request, .. } = input else { panic!("{input:?}") };
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let inner = |from: &str, to: char| body.split(from).nth(1).and_then(|rest| rest.split(to).next());
    let (version, state) = (inner("dialog-info\" version=\"", '"'), inner("<state>", '<'));
    let words = [version.map(|v| format!(" v{v}")), state.map(|s| format!(" {s}"))];
    let subscription = request.headers.get("Subscription-State").unwrap();
    format!("NOTIFY {} {subscription}{}", tx.seq, words.into_iter().flatten().collect::<String>())
}

fn layer<'o>(output: Option<&'o Output<&'static str>>) -> Option<&'o LayerInput> {
    if let Some(Output::Layer(input)) = output { Some(&**input) } else { None }
}

fn notifier() -> Under {
    Notifier::new(9, "Plugboard/test", LIMITS)
}

/// Somebody watches 102, who is idle, and was told so.
fn watched() -> Under {
    let mut under = notifier();
    under.handle(at(0), asked(subscribe("a", 1, &[("Event", "dialog"), ("Expires", "600")]), ME));
    under.handle(at(1), Input::Shows("102", idle()));
    answer(&mut under, at(2), 0, 200);
    told(&mut under);
    under
}

fn answer(under: &mut Under, now: Time, seq: u32, status: u16) {
    let response = Response::new(status);
    under.handle(now, Input::Response(ClientTx { owner: 9, seq }, Box::new(response)));
}

fn words(under: &mut Under) -> Vec<String> {
    told(under).into_iter().filter(|word| !word.is_empty()).collect()
}

#[test]
fn a_subscriber_is_answered_and_told_as_soon_as_there_is_something_to_tell() {
    let mut under = notifier();
    under.handle(at(0), asked(subscribe("a", 1, &[("Event", "dialog;id=7"), ("Expires", "600")]), ME));
    let outputs: Vec<_> = std::iter::from_fn(|| under.poll_output()).collect();
    let Some(LayerInput::Respond { response, .. }) = layer(outputs.get(1)) else { panic!("{outputs:?}") };
    assert_eq!((response.status, response.headers.get("Expires")), (200, Some("600")));
    assert_eq!(response.headers.get("To"), Some("<sip:102@plugboard.test>;tag=s0-sub"));
    assert_eq!(response.headers.get("Contact"), Some("<sip:5@10.0.0.1:5060>"));
    under.handle(at(1), Input::Shows("102", rings("1", DialogState::Early)));
    let output = under.poll_output();
    let Some(LayerInput::SendRequest { request, .. }) = layer(output.as_ref()) else { panic!("no NOTIFY") };
    let text = String::from_utf8(request.to_bytes()).unwrap();
    let head = text.split("\r\nContent-Length").next().unwrap().replace('\r', "");
    insta::assert_snapshot!(head, @r"
    NOTIFY sip:101@10.0.0.11 SIP/2.0
    Route: <sip:proxy.test;lr>
    Max-Forwards: 70
    From: <sip:102@plugboard.test>;tag=s0-sub
    To: <sip:101@plugboard.test>;tag=ann
    Call-ID: a
    CSeq: 1 NOTIFY
    Contact: <sip:5@10.0.0.1:5060>
    User-Agent: Plugboard/test
    Event: dialog;id=7
    Subscription-State: active;expires=599
    Content-Type: application/dialog-info+xml
    ");
}

#[test]
fn versions_count_by_one_and_the_same_again_is_nothing_new() {
    let mut under = watched();
    under.handle(at(2_000), Input::Shows("102", rings("1", DialogState::Early)));
    answer(&mut under, at(2_001), 1, 200);
    under.handle(at(2_500), Input::Shows("102", rings("1", DialogState::Early)));
    under.handle(at(4_000), Input::Shows("102", idle()));
    assert_eq!(words(&mut under), ["NOTIFY 1 active;expires=598 v1 early", "NOTIFY 2 active;expires=596 v2"]);
}

#[test]
fn what_changes_too_fast_is_told_once_and_the_newest_state_last() {
    let mut under = watched();
    under.handle(at(100), Input::Shows("102", rings("1", DialogState::Early)));
    under.handle(at(200), Input::Shows("102", rings("1", DialogState::Confirmed)));
    assert_eq!(words(&mut under), [""; 0], "the last one went 99 ms ago");
    assert_eq!(under.poll_timeout(), Some(at(1_001)));
    under.handle(at(1_001), Input::Tick);
    assert_eq!(words(&mut under), ["NOTIFY 1 active;expires=598 v1 confirmed"]);
    // While one is out, nothing goes.
    under.handle(at(3_000), Input::Shows("102", idle()));
    assert_eq!(words(&mut under), [""; 0]);
    answer(&mut under, at(3_100), 1, 200);
    assert_eq!(words(&mut under), ["NOTIFY 2 active;expires=596 v2"]);
}

#[test]
fn it_is_refreshed_fetched_ended_and_runs_out() {
    let mut under = watched();
    under.handle(at(10), within(2, ME, &[("Expires", "700")]));
    assert_eq!(words(&mut under), ["200 Expires 700", "NOTIFY 1 active;expires=700 v1"], "all there is, at once");
    answer(&mut under, at(20), 1, 200);
    under.handle(at(700_010), Input::Tick);
    assert_eq!(words(&mut under), ["NOTIFY 2 terminated;reason=timeout v2", "unwatch 102", "ended dialog"]);
    under.handle(at(700_020), within(3, ME, &[]));
    assert_eq!(words(&mut under), ["481"]);

    let mut under = watched();
    under.handle(at(10), within(2, ME, &[("Expires", "0")]));
    let ended = ["200 Expires 0", "NOTIFY 1 terminated;reason=timeout v1", "unwatch 102", "ended dialog"];
    assert_eq!(words(&mut under), ended);
    assert!(under.is_empty() && under.poll_timeout().is_none());

    under.handle(at(30), asked(subscribe("b", 1, &[("Event", "dialog"), ("Expires", "0")]), "t2"));
    assert_eq!(words(&mut under), ["watch 102", "200 Expires 0", "began dialog"]);
    under.handle(at(40), Input::Shows("102", idle()));
    assert_eq!(words(&mut under), ["NOTIFY 2 terminated;reason=timeout v0", "unwatch 102", "ended dialog"]);
}

#[test]
fn who_cannot_be_served_is_told_why() {
    let mut under = notifier();
    let mut status = |more: &[(&str, &str)]| {
        under.handle(at(0), asked(subscribe("a", 1, more), ME));
        words(&mut under)
    };
    assert_eq!(status(&[]), ["489 Allow-Events dialog, presence, message-summary, as-feature-event"]);
    assert_eq!(status(&[("Event", "dialog"), ("Expires", "59")]), ["423 Min-Expires 60"]);
    assert_eq!(status(&[("Event", "dialog"), ("Accept", "text/html")]), ["406 Accept application/dialog-info+xml"]);
    assert_eq!(status(&[("Event", "dialog"), ("Contact", "")]), ["400"]);
    let long = status(&[("Event", "dialog"), ("Expires", "99999")]);
    assert_eq!(long, ["watch 102", "200 Expires 3600", "began dialog"], "what is too long is cut");
}

#[test]
fn a_refresh_must_be_of_a_dialog_that_there_is() {
    let mut under = watched();
    let mut answers = |cseq: u32, tag: &str, more: &[(&str, &str)]| {
        under.handle(at(10), within(cseq, tag, more));
        words(&mut under)
    };
    assert_eq!(answers(2, "s0-other", &[]), ["481"]);
    assert_eq!(answers(2, ME, &[("Call-ID", "other")]), ["481"]);
    assert_eq!(answers(2, ME, &[("From", "<sip:101@plugboard.test>;tag=other")]), ["481"]);
    assert_eq!(answers(1, ME, &[]), ["500"], "its number is not above the last");
    assert_eq!(answers(3, ME, &[("Event", "presence")]), ["481"]);
    assert_eq!(answers(4, ME, &[("Event", "refer")]).len(), 1);
    assert_eq!(answers(5, ME, &[("Expires", "5")]), ["423 Min-Expires 60"]);
    assert_eq!(answers(6, ME, &[]).first().map(String::as_str), Some("200 Expires 3600"));
}

#[test]
fn a_refresh_from_elsewhere_moves_the_dialog_there() {
    let mut under = watched();
    let request = subscribe(
        "a",
        2,
        &[("Event", "dialog"), ("To", "<sip:102@plugboard.test>;tag=s0-sub"), ("Contact", "<sip:101@10.0.0.12>")],
    );
    let moved = Flow { transport: Transport::Tcp, connection: 4, remote: "10.0.0.12:9".parse().unwrap(), ..flow() };
    under.handle(at(10), Input::Again { tx: ServerTx(2), request: Box::new(request), flow: moved });
    let notify = std::iter::from_fn(|| under.poll_output()).find_map(|output| match layer(Some(&output)) {
        Some(LayerInput::SendRequest { request, flow, .. }) => Some((request.uri.to_string(), *flow)),
        _ => None,
    });
    assert_eq!(notify, Some(("sip:101@10.0.0.12".to_owned(), moved)));
}

#[test]
fn who_asks_anew_takes_the_place_of_his_own_and_a_copy_is_a_loop() {
    let mut under = watched();
    under.handle(at(10), asked(subscribe("a", 1, &[("Event", "dialog")]), "t2"));
    assert_eq!(words(&mut under), ["482"], "the same on another way");
    under.handle(at(20), asked(subscribe("a", 2, &[("Event", "dialog")]), "t2"));
    let took = ["unwatch 102", "ended dialog", "watch 102", "200 Expires 3600", "began dialog"];
    assert_eq!(words(&mut under), took);
    assert_eq!(under.len(), 1);
    under.handle(at(30), within(3, ME, &[]));
    assert_eq!(words(&mut under), ["481"]);
}

#[test]
fn who_does_not_take_a_notify_is_forgotten() {
    for (status, gone) in [(481, true), (404, true), (503, true), (500, true), (200, false), (100, false)] {
        let mut under = watched();
        under.handle(at(2_000), Input::Shows("102", rings("1", DialogState::Early)));
        answer(&mut under, at(2_001), 1, status);
        assert_eq!(under.is_empty(), gone, "{status}");
    }
    let mut under = watched();
    under.handle(at(2_000), Input::Shows("102", rings("1", DialogState::Early)));
    under.handle(at(34_000), Input::Failed(ClientTx { owner: 9, seq: 1 }));
    assert_eq!(words(&mut under).last().map(String::as_str), Some("ended dialog"));
    assert!(under.is_empty() && under.poll_timeout().is_none());
}

#[test]
fn who_asks_for_patience_is_told_all_again_later() {
    let mut under = watched();
    under.handle(at(2_000), Input::Shows("102", rings("1", DialogState::Early)));
    let mut response = Response::new(503);
    response.headers.push("Retry-After", "10 (busy)");
    under.handle(at(2_010), Input::Response(ClientTx { owner: 9, seq: 1 }, Box::new(response)));
    assert_eq!(words(&mut under).len(), 1);
    assert_eq!(under.poll_timeout(), Some(at(12_010)));
    under.handle(at(12_010), Input::Tick);
    assert_eq!(words(&mut under), ["NOTIFY 2 active;expires=587 v2 early"]);
}

#[test]
fn at_the_end_of_the_switch_or_of_the_resource_everybody_is_told() {
    let mut under = watched();
    under.handle(at(10), Input::Leave);
    assert_eq!(words(&mut under), ["NOTIFY 1 terminated;reason=deactivated v1", "unwatch 102", "ended dialog"]);
    under.handle(at(20), asked(subscribe("b", 1, &[("Event", "dialog")]), "t2"));
    assert_eq!(words(&mut under), ["503"]);

    let mut under = notifier();
    under.handle(at(0), asked(subscribe("a", 1, &[("Event", "dialog")]), ME));
    words(&mut under);
    under.handle(at(10), Input::Gone("102"));
    let gone = ["NOTIFY 0 terminated;reason=noresource", "unwatch 102", "ended dialog"];
    assert_eq!(words(&mut under), gone, "though nothing was ever told of it");

    let mut under = notifier();
    under.handle(at(0), asked(subscribe("a", 1, &[("Event", "dialog"), ("Expires", "0")]), ME));
    under.handle(at(10), Input::Gone("102"));
    assert!(under.is_empty(), "a fetch does not wait for ever");

    let mut under = watched();
    under.handle(at(10), Input::Left(user("101")));
    assert!(under.is_empty());
}

#[test]
fn a_user_an_office_and_a_shard_have_limits() {
    let small = |of_a_user, of_an_office, in_all| {
        let mut under: Under = Notifier::new(9, "t", NotifierLimits { of_a_user, of_an_office, in_all, ..LIMITS });
        for n in 0..3 {
            under.handle(at(0), asked(subscribe(&format!("c{n}"), 1, &[("Event", "dialog")]), &format!("t{n}")));
        }
        let last = words(&mut under).last().cloned();
        (under.len(), last)
    };
    assert_eq!(small(2, 9, 9), (2, Some("403".into())));
    assert_eq!(small(9, 2, 9), (2, Some("503".into())));
    assert_eq!(small(9, 9, 2), (2, Some("503".into())));
    assert_eq!(small(3, 3, 3).0, 3);
}

#[test]
fn the_second_watcher_of_a_resource_is_told_at_once() {
    let mut under = watched();
    under.handle(at(10), asked(subscribe("b", 1, &[("Event", "dialog")]), "t2"));
    assert_eq!(words(&mut under), ["200 Expires 3600", "began dialog", "NOTIFY 1 active;expires=3600 v0"]);
    under.handle(at(20), asked(subscribe("c", 1, &[("Event", "message-summary")]), "t3"));
    assert_eq!(words(&mut under), ["200 Expires 3600", "began message-summary"], "of this nothing is known yet");
    let none = Messages { account: "sip:102@h".into(), new: 0, old: 0 };
    under.handle(at(30), Input::Shows("102", Arc::new(Content::Messages(none))));
    assert_eq!(words(&mut under), ["NOTIFY 2 active;expires=3599"], "nobody else is told");
}

fn keys(on: bool) -> Arc<Content> {
    Arc::new(Content::Features(Features { device: "102".into(), do_not_disturb: on, forwards: Vec::new() }))
}

#[test]
fn a_phones_wish_is_handed_on_and_a_bad_one_refused() {
    let mut under = notifier();
    let mut request = subscribe("a", 1, &[("Event", "as-feature-event")]);
    request.body = b"<SetDoNotDisturb><doNotDisturbOn>true</doNotDisturbOn></SetDoNotDisturb>".to_vec();
    under.handle(at(0), asked(request.clone(), ME));
    let wish = "101 wishes DoNotDisturb(true)";
    assert_eq!(words(&mut under), ["watch 102", "200 Expires 3600", "began as-feature-event", wish]);
    under.handle(at(1), Input::Shows("102", keys(true)));
    answer(&mut under, at(2), 0, 200);
    words(&mut under);
    request.headers.set("To", "<sip:102@plugboard.test>;tag=s0-sub");
    request.headers.set("CSeq", "2 SUBSCRIBE");
    request.body = b"<SetDoNotDisturb/>".to_vec();
    under.handle(at(3), Input::Again { tx: ServerTx(2), request: Box::new(request.clone()), flow: flow() });
    assert_eq!(words(&mut under), ["400"]);
    request.headers.set("CSeq", "3 SUBSCRIBE");
    request.body = b"<SetDoNotDisturb><doNotDisturbOn>false</doNotDisturbOn></SetDoNotDisturb>".to_vec();
    under.handle(at(3), Input::Again { tx: ServerTx(2), request: Box::new(request), flow: flow() });
    let told = words(&mut under);
    assert_eq!(told.first().map(String::as_str), Some("200 Expires 3600"));
    assert_eq!(told.get(1..), Some(["101 wishes DoNotDisturb(false)".to_owned()].as_slice()), "not told how it was");
    under.handle(at(4), Input::Shows("102", keys(false)));
    assert_eq!(words(&mut under), ["NOTIFY 1 active;expires=3599"]);
}

#[test]
fn of_several_keys_each_goes_in_a_notify_of_its_own_unless_parts_are_taken() {
    let several = |on: bool, to: Option<&str>| {
        let forward = |kind| crate::event::Forward { kind, to: to.map(str::to_owned), rings: None };
        let forwards = crate::event::ForwardKind::ALL.map(forward).to_vec();
        Arc::new(Content::Features(Features { device: "102".into(), do_not_disturb: on, forwards }))
    };
    let mut under = notifier();
    under.handle(at(0), asked(subscribe("a", 1, &[("Event", "as-feature-event")]), ME));
    under.handle(at(1), Input::Shows("102", several(false, None)));
    for seq in 0..4 {
        answer(&mut under, at(u64::from(seq) + 2), seq, 200);
    }
    let notifies = |under: &mut Under| words(under).iter().filter(|word| word.starts_with("NOTIFY")).count();
    assert_eq!(notifies(&mut under), 4);
    under.handle(at(1_000), Input::Shows("102", several(true, None)));
    answer(&mut under, at(1_001), 4, 200);
    assert_eq!(notifies(&mut under), 1, "only what changed");
    // What changes while the others wait is not lost.
    under.handle(at(2_000), Input::Shows("102", several(true, Some("103"))));
    under.handle(at(2_001), Input::Shows("102", several(false, Some("103"))));
    for seq in 5..9 {
        answer(&mut under, at(3_000 + u64::from(seq)), seq, 200);
        under.handle(at(4_000 + u64::from(seq)), Input::Tick);
    }
    assert_eq!(notifies(&mut under), 4, "one of three forwards, then the key and the other two");

    let mut under = notifier();
    let accept = "application/x-as-feature-event+xml, multipart/mixed";
    under.handle(at(0), asked(subscribe("a", 1, &[("Event", "as-feature-event"), ("Accept", accept)]), ME));
    under.handle(at(1), Input::Shows("102", several(true, None)));
    let body = std::iter::from_fn(|| under.poll_output()).find_map(|output| match layer(Some(&output)) {
        Some(LayerInput::SendRequest { request, .. }) => Some(String::from_utf8(request.body.clone()).unwrap()),
        _ => None,
    });
    assert_eq!(body.unwrap().matches("Content-Type: application/x-as-feature-event+xml").count(), 4);
}
