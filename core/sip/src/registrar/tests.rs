use super::*;
use crate::method::Method;
use crate::uri::RequestUri;
use proptest::prelude::*;

const MIN: u64 = 60_000;

fn flow(port: u16) -> Flow {
    Flow::udp("192.0.2.1:5060".parse().unwrap(), format!("198.51.100.7:{port}").parse().unwrap())
}

fn register(call_id: &str, cseq: u32, contacts: &[&str], expires: Option<u32>) -> Request {
    let mut request = Request::new(Method::Register, RequestUri::parse("sip:plugboard.test").unwrap());
    let cseq = format!("{cseq} REGISTER");
    for (name, value) in [
        ("Via", "SIP/2.0/UDP 10.0.0.7;branch=z9hG4bKx"),
        ("From", "<sip:101@plugboard.test>;tag=f"),
        ("To", "<sip:101@plugboard.test>"),
        ("Call-ID", call_id),
        ("CSeq", &cseq),
    ] {
        request.headers.push(name, value);
    }
    for contact in contacts {
        request.headers.push("Contact", *contact);
    }
    if let Some(expires) = expires {
        request.headers.push("Expires", expires.to_string());
    }
    request
}

fn at(millis: u64) -> Time {
    Time::from_millis(millis)
}

/// Registers; gives the status, the contacts of the response and the changes in words.
fn ask(bindings: &mut Bindings, millis: u64, request: &Request) -> (u16, Vec<String>, Vec<&'static str>) {
    let (response, changes) = bindings.register(at(millis), request, flow(5060), &Terms::default(), "t");
    assert_eq!(response.headers.get("To"), Some("<sip:101@plugboard.test>;tag=t"));
    let contacts = response.headers.get_all("Contact").map(ToOwned::to_owned).collect();
    let words = changes.iter().map(|change| match change {
        Change::Added(_) => "added",
        Change::Refreshed(_) => "refreshed",
        Change::Removed(_) => "removed",
        Change::Moved { .. } => "moved",
    });
    (response.status, contacts, words.collect())
}

#[test]
fn device_is_bound_refreshed_listed_and_removed() {
    let mut bindings = Bindings::new();
    let contact = "<sip:101@10.0.0.7:5062>;q=0.5";
    let (status, contacts, changes) = ask(&mut bindings, 0, &register("c", 1, &[contact], Some(600)));
    assert_eq!((status, changes), (200, vec!["added"]));
    assert_eq!(contacts, ["<sip:101@10.0.0.7:5062>;expires=600;q=0.500"]);
    let (_, contacts, changes) = ask(&mut bindings, MIN, &register("c", 2, &[], None));
    assert_eq!((contacts.len(), changes.len()), (1, 0), "a question changes nothing");
    assert!(contacts[0].contains("expires=540"), "{contacts:?}");
    let (_, contacts, changes) = ask(&mut bindings, MIN, &register("c", 3, &[contact], None));
    assert_eq!(changes, ["refreshed"]);
    assert!(contacts[0].contains("expires=3600"), "{contacts:?}");
    let (_, contacts, changes) = ask(&mut bindings, MIN, &register("c", 4, &[contact], Some(0)));
    assert_eq!((contacts.len(), changes), (0, vec!["removed"]));
    assert!(bindings.is_empty());
}

#[test]
fn too_short_is_423_and_too_long_is_shortened() {
    let mut bindings = Bindings::new();
    let request = register("c", 1, &["<sip:101@a>;expires=29"], Some(3600));
    let (response, changes) = bindings.register(at(0), &request, flow(5060), &Terms::default(), "t");
    assert_eq!((response.status, response.headers.get("Min-Expires"), changes.len()), (423, Some("30"), 0));
    let (status, contacts, _) = ask(&mut bindings, 0, &register("c", 2, &["<sip:101@a>;expires=86400"], None));
    assert_eq!((status, contacts), (200, vec!["<sip:101@a>;expires=3600".to_owned()]));
}

#[test]
fn one_bad_contact_undoes_the_good_one() {
    let mut bindings = Bindings::new();
    for bad in ["<sip:101@b>;expires=1", "<tel:+15550100>"] {
        let (status, _, changes) = ask(&mut bindings, 0, &register("c", 1, &["<sip:101@a>", bad], None));
        assert!((400..500).contains(&status), "{bad}");
        assert!(changes.is_empty() && bindings.is_empty(), "{bad}");
    }
}

#[test]
fn star_removes_all_with_expires_0_only() {
    let mut bindings = Bindings::new();
    ask(&mut bindings, 0, &register("c", 1, &["<sip:101@a>", "<sip:101@b>"], None));
    assert_eq!(ask(&mut bindings, 0, &register("c", 2, &["*"], None)).0, 400);
    assert_eq!(ask(&mut bindings, 0, &register("c", 2, &["*"], Some(60))).0, 400);
    assert_eq!(ask(&mut bindings, 0, &register("c", 2, &["*", "<sip:101@c>"], Some(0))).0, 400);
    assert_eq!(ask(&mut bindings, 0, &register("c", 1, &["*"], Some(0))).0, 500, "out of order");
    assert_eq!(bindings.len(), 2);
    let (status, contacts, changes) = ask(&mut bindings, 0, &register("c", 2, &["*"], Some(0)));
    assert_eq!((status, contacts.len(), changes), (200, 0, vec!["removed", "removed"]));
}

#[test]
fn late_register_of_the_same_call_id_is_refused() {
    let mut bindings = Bindings::new();
    ask(&mut bindings, 0, &register("c", 5, &["<sip:101@a>"], Some(0)));
    ask(&mut bindings, 0, &register("c", 6, &["<sip:101@a>"], None));
    assert_eq!(ask(&mut bindings, 0, &register("c", 5, &["<sip:101@a>"], Some(0))).0, 500);
    assert_eq!(bindings.len(), 1);
    assert_eq!(ask(&mut bindings, 0, &register("new", 1, &["<sip:101@a>"], None)).2, ["refreshed"]);
}

#[test]
fn equal_uris_are_one_device_however_they_are_spelled() {
    let mut bindings = Bindings::new();
    ask(&mut bindings, 0, &register("c", 1, &["<sip:%31%30%31@A.example;transport=TCP>"], None));
    let (_, contacts, changes) = ask(&mut bindings, 0, &register("c", 2, &["<sip:101@a.example;transport=tcp>"], None));
    assert_eq!((contacts.len(), changes), (1, vec!["refreshed"]));
}

#[test]
fn same_instance_replaces_its_old_contact_and_flow() {
    let mut bindings = Bindings::new();
    let contact = |host: &str| format!("<sip:101@{host}>;+sip.instance=\"<urn:uuid:0001>\"");
    ask(&mut bindings, 0, &register("c", 1, &[&contact("old")], None));
    let request = register("d", 1, &[&contact("new")], None);
    let (response, changes) = bindings.register(at(10), &request, flow(6000), &Terms::default(), "t");
    assert!(matches!(&changes[..], [Change::Refreshed(binding)] if binding.flow == flow(6000)), "{changes:?}");
    let listed: Vec<_> = response.headers.get_all("Contact").collect();
    assert_eq!(listed, ["<sip:101@new>;expires=3600;+sip.instance=\"<urn:uuid:0001>\""]);
}

#[test]
fn two_instances_behind_one_uri_are_two_devices() {
    let mut bindings = Bindings::new();
    for n in 1..=2 {
        let contact = format!("<sip:101@a>;+sip.instance=\"<urn:uuid:{n}>\"");
        ask(&mut bindings, 0, &register("c", n, &[&contact], None));
    }
    assert_eq!(bindings.len(), 2);
}

#[test]
fn eleventh_device_pushes_the_oldest_out() {
    let mut bindings = Bindings::new();
    for n in 0..11_u32 {
        let contact = format!("<sip:101@h{n}>");
        let (status, contacts, _) = ask(&mut bindings, n.into(), &register("c", n, &[&contact], None));
        assert_eq!((status, contacts.len()), (200, usize::try_from(n + 1).unwrap().min(BINDINGS_MAX)));
    }
    assert!(bindings.live(at(11)).iter().all(|binding| &*binding.contact != "sip:101@h0"));
    let many: Vec<String> = (0..11).map(|n| format!("<sip:101@x{n}>")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(ask(&mut bindings, 12, &register("c", 99, &many, None)).0, 403);
}

#[test]
fn devices_are_rung_by_q_and_age_and_only_while_they_last() {
    let mut bindings = Bindings::new();
    for (n, contact) in ["<sip:1@a>;q=0.5", "<sip:2@a>", "<sip:3@a>;expires=60", "<sip:4@a>"].iter().enumerate() {
        let n = u32::try_from(n).unwrap();
        ask(&mut bindings, n.into(), &register("c", n, &[contact], None));
    }
    let order = |now| bindings.live(now).iter().map(|binding| binding.contact.to_string()).collect::<Vec<_>>();
    assert_eq!(order(at(10)), ["sip:4@a", "sip:3@a", "sip:2@a", "sip:1@a"]);
    assert_eq!(bindings.next_expiry(), Some(at(60_002)));
    assert_eq!(order(at(60_002)), ["sip:4@a", "sip:2@a", "sip:1@a"]);
    assert_eq!(bindings.expire(at(60_002)).len(), 1);
    assert_eq!(bindings.len(), 3);
}

#[test]
fn broken_connection_takes_its_devices_and_no_others() {
    let mut bindings = Bindings::new();
    let tcp = |n| Flow::tcp("192.0.2.1:5060".parse().unwrap(), "198.51.100.7:9".parse().unwrap(), n);
    for (n, flow) in [tcp(1), tcp(2), flow(5060)].into_iter().enumerate() {
        let request = register("c", u32::try_from(n).unwrap(), &[&format!("<sip:101@h{n}>")], None);
        bindings.register(at(0), &request, flow, &Terms::default(), "t");
    }
    assert_eq!(bindings.connection_lost(flow(5060)).len(), 0);
    assert_eq!(bindings.connection_lost(tcp(2)).len(), 1);
    assert_eq!(bindings.len(), 2);
}

#[test]
fn a_device_that_comes_back_over_another_connection_has_moved() {
    let tcp = |n| Flow::tcp("192.0.2.1:5060".parse().unwrap(), "198.51.100.7:9".parse().unwrap(), n);
    let mut bindings = Bindings::new();
    let mut cseq = 0;
    let mut moves = |bindings: &mut Bindings, flow: Flow, contact: &str| {
        cseq += 1;
        let request = register("c", cseq, &[contact], None);
        let (_, changes) = bindings.register(at(0), &request, flow, &Terms::default(), "t");
        let moved = changes.into_iter().filter_map(|change| match change {
            Change::Moved { from, to } => Some((from.connection, to.connection)),
            Change::Added(_) | Change::Refreshed(_) | Change::Removed(_) => None,
        });
        moved.collect::<Vec<_>>()
    };
    let (desk, other) = ("<sip:101@a>;+sip.instance=\"<urn:desk>\"", "<sip:101@b>");
    assert_eq!(moves(&mut bindings, tcp(1), desk), []);
    assert_eq!(moves(&mut bindings, tcp(1), desk), [], "a refresh");
    assert_eq!(moves(&mut bindings, tcp(2), other), []);
    assert_eq!(moves(&mut bindings, tcp(3), desk), [(1, 3)], "before anybody noticed that the first one broke");
    bindings.connection_lost(tcp(3));
    assert_eq!(moves(&mut bindings, tcp(4), other), [(2, 4)]);
    assert_eq!(moves(&mut bindings, tcp(5), desk), [(3, 5)], "afterwards");
    bindings.connection_lost(tcp(5));
    assert_eq!(
        moves(&mut bindings, flow(5060), desk),
        [],
        "datagrams are no place for what was said over a connection"
    );
    bindings.connection_lost(tcp(4));
    bindings.expire(at(3_600_000));
    assert!(bindings.gone.is_empty());
}

#[test]
fn bindings_survive_a_restart_with_the_time_that_is_left() {
    let mut bindings = Bindings::new();
    ask(
        &mut bindings,
        0,
        &register("c", 1, &["<sip:101@a>;+sip.instance=\"<urn:x>\"", "<sip:101@b>;expires=60"], None),
    );
    let saved = bindings.save(at(30_000), WallTime(1_000_000));
    let restored = Bindings::restore(at(5), WallTime(1_000_000 + 60_000), saved);
    let live = restored.live(at(5));
    assert_eq!(live.len(), 1, "one expired while the switch was away");
    assert_eq!(live[0].expires, at(5 + 3_600_000 - 90_000));
    assert_eq!(live[0].instance.as_deref(), Some("urn:x"));
    assert_eq!(live[0].flow, flow(5060));
}

fn known() -> Terms {
    Terms { push: vec!["apns".into(), "fcm".into()], ..Terms::default() }
}

#[test]
fn a_push_service_is_named_when_it_is_known_and_refused_with_555_when_not() {
    let mut bindings = Bindings::new();
    let mut tell = |cseq: u32, contact: &str| {
        let request = register("c", cseq, &[contact], None);
        let (response, changes) = bindings.register(at(0), &request, flow(5060), &known(), "t");
        let named: Vec<String> = response.headers.get_all("Feature-Caps").map(str::to_owned).collect();
        (response.status, named, changes.len())
    };
    let fcm = "*;+sip.pns=\"fcm\"".to_owned();
    assert_eq!(tell(1, "<sip:101@a;pn-provider=fcm;pn-prid=x>"), (200, vec![fcm.clone()], 1));
    assert_eq!(tell(2, "<sip:101@a;pn-provider=other;pn-prid=x>"), (555, vec![], 0));
    assert_eq!(tell(3, "<sip:101@b;pn-provider>"), (200, vec!["*;+sip.pns=\"apns\"".into(), fcm], 1), "a question");
    assert_eq!(tell(4, "<sip:101@c>"), (200, vec![], 1));
}

#[test]
fn what_can_be_woken_sleeps_when_its_connection_breaks_and_over_a_restart() {
    let mut bindings = Bindings::new();
    let tcp = |n| Flow::tcp("192.0.2.1:5060".parse().unwrap(), "198.51.100.7:9".parse().unwrap(), n);
    let contact = "<sip:101@a;pn-provider=fcm;pn-param=app;pn-prid=a%3Ab>";
    bindings.register(at(0), &register("c", 1, &[contact], None), tcp(4), &known(), "t");
    assert!(!bindings.devices(at(1))[0].sleeps());
    assert_eq!(bindings.connection_lost(tcp(4)).len(), 1);
    let asleep = bindings.devices(at(1));
    let push = Push { provider: "fcm".into(), param: "app".into(), prid: "a:b".into() };
    assert!(asleep.len() == 1 && asleep[0].sleeps() && asleep[0].push.as_deref() == Some(&push), "{asleep:?}");
    assert_eq!(bindings.connection_lost(tcp(4)).len(), 0, "it has none to lose");
    let kept = Bindings::restore(at(0), WallTime(0), bindings.save(at(1), WallTime(0)));
    assert!(kept.devices(at(1))[0].sleeps());
    let (_, changes) = bindings.register(at(2), &register("c", 2, &[contact], None), tcp(5), &known(), "t");
    assert!(matches!(&changes[..], [Change::Refreshed(_), Change::Moved { .. }]), "{changes:?}");
    assert!(!bindings.devices(at(3))[0].sleeps());
}

#[test]
fn over_datagrams_an_app_is_woken_each_time() {
    let mut bindings = Bindings::new();
    let contact = "<sip:101@a;pn-provider=fcm;pn-prid=x>";
    bindings.register(at(0), &register("c", 1, &[contact], None), flow(5060), &known(), "t");
    assert!(bindings.devices(at(1))[0].sleeps());
}

proptest! {
    #[test]
    fn no_register_breaks_the_registrar_or_passes_its_limits(
        contacts in prop::collection::vec("(<sip:[a-z0-9@.:;=?]{0,20}>|[ -~]{0,20})(;expires=[0-9]{0,6})?", 0..6),
        expires in prop::option::of(0u32..100_000),
        steps in 1u32..20,
    ) {
        let mut bindings = Bindings::new();
        let contacts: Vec<&str> = contacts.iter().map(String::as_str).collect();
        for n in 0..steps {
            let request = register("c", n, &contacts, expires);
            bindings.register(at(n.into()), &request, flow(5060), &Terms::default(), "t");
            prop_assert!(bindings.len() <= BINDINGS_MAX);
            prop_assert!(bindings.next_expiry().is_none_or(|end| end <= at(u64::from(n) + 3_600_000)));
        }
    }
}

const EDGE: &str = "<sip:tok%3aen@edge.example.org;lr;ob>";

/// A REGISTER that counts flows, by way of these proxies.
fn flow_register(cseq: u32, contact: &str, path: &[&str], hops: usize) -> Request {
    let mut request = register("c", cseq, &[contact], Some(600));
    request.headers.push("Supported", "path, outbound");
    for proxy in path {
        request.headers.push("Path", *proxy);
    }
    for hop in 1..hops {
        request.headers.push_via(format!("SIP/2.0/UDP edge{hop};branch=z9hG4bK{hop}"));
    }
    request
}

#[test]
fn the_proxies_on_the_way_are_kept_and_told() {
    let mut bindings = Bindings::new();
    let near = "<sip:near.example.org;lr>";
    let request = flow_register(1, "<sip:101@10.0.0.7>", &[near, EDGE], 3);
    let (response, _) = bindings.register(at(0), &request, flow(5060), &Terms::default(), "t");
    assert_eq!(response.headers.get_all("Path").collect::<Vec<_>>(), [near, EDGE]);
    assert_eq!(*bindings.live(at(0))[0].path, [near.into(), EDGE.into()]);
    assert_eq!(response.headers.get("Require"), None, "no flow is counted");
    let kept = Bindings::restore(at(0), WallTime(0), bindings.save(at(0), WallTime(0)));
    assert_eq!(*kept.live(at(0))[0].path, [near.into(), EDGE.into()]);
    let (_, _, changes) = ask(&mut bindings, 0, &flow_register(2, "<sip:101@10.0.0.7>", &[], 1));
    assert_eq!(changes, ["refreshed"]);
    assert!(bindings.live(at(0))[0].path.is_empty(), "it came another way");
}

#[test]
fn a_path_that_is_no_path_is_refused() {
    for path in
        ["<tel:+4930>".to_owned(), "nonsense".into(), format!("<sip:{}@h>", "a".repeat(600)), [EDGE; 9].join(",")]
    {
        let mut bindings = Bindings::new();
        let (status, _, changes) = ask(&mut bindings, 0, &flow_register(1, "<sip:101@10.0.0.7>", &[&path], 2));
        assert_eq!((status, changes.len()), (400, 0), "{path}");
    }
}

#[test]
fn flows_of_one_device_stand_beside_each_other_and_it_is_rung_once() {
    let mut bindings = Bindings::new();
    let contact = |reg_id| format!("<sip:101@10.0.0.7>;+sip.instance=\"<urn:uuid:1>\";reg-id={reg_id}");
    for (cseq, reg_id, expected) in [(1, 1, "added"), (2, 2, "added"), (3, 1, "refreshed")] {
        let request = flow_register(cseq, &contact(reg_id), &[], 1);
        let (response, changes) = bindings.register(at(cseq.into()), &request, flow(5060), &Terms::default(), "t");
        assert_eq!(response.headers.get("Require"), Some("outbound"));
        assert_eq!(response.headers.get("Flow-Timer"), Some("120"));
        assert_eq!(matches!(changes[..], [Change::Added(_)]), expected == "added", "{changes:?}");
    }
    assert_eq!(bindings.len(), 2);
    let devices: Vec<_> = bindings.devices(at(9)).iter().map(|device| device.reg_id).collect();
    assert_eq!(devices, [Some(1)], "the flow that was heard of last");
    let (_, contacts, _) = ask(&mut bindings, 9, &register("c", 4, &[], None));
    assert!(contacts.iter().any(|contact| contact.ends_with(";reg-id=2")), "{contacts:?}");
    let kept = Bindings::restore(at(0), WallTime(0), bindings.save(at(0), WallTime(0)));
    assert_eq!((kept.len(), kept.devices(at(0)).len()), (2, 1));
    let (_, _, changes) =
        ask(&mut bindings, 9, &flow_register(5, &contact(2).replace("0.7>", "0.7>;expires=0"), &[], 1));
    assert_eq!((changes, bindings.len()), (vec!["removed"], 1), "one flow ends alone");
    let plain = "<sip:101@10.0.0.9>;+sip.instance=\"<urn:uuid:1>\"";
    let (_, _, changes) = ask(&mut bindings, 9, &flow_register(6, plain, &[], 1));
    assert_eq!((changes, bindings.len()), (vec!["refreshed"], 1), "it counts its flows no more");
}

#[test]
fn a_number_of_a_flow_means_nothing_to_who_does_not_know_flows() {
    let mut bindings = Bindings::new();
    for (cseq, reg_id) in [(1, 1), (2, 2)] {
        let contact = format!("<sip:101@10.0.0.7>;+sip.instance=\"<urn:uuid:1>\";reg-id={reg_id}");
        let (_, contacts, _) = ask(&mut bindings, 0, &register("c", cseq, &[&contact], Some(600)));
        assert!(!contacts[0].contains("reg-id"), "{contacts:?}");
    }
    for bad in ["0", "2147483648", "x"] {
        let contact = format!("<sip:101@10.0.0.7>;+sip.instance=\"<urn:uuid:1>\";reg-id={bad}");
        let (_, contacts, _) = ask(&mut bindings, 0, &flow_register(9, &contact, &[], 1));
        assert!(!contacts[0].contains("reg-id"), "{bad}: {contacts:?}");
        bindings = Bindings::new();
    }
}

#[test]
fn a_proxy_before_the_device_has_to_keep_its_flow() {
    let contact = "<sip:101@10.0.0.7>;+sip.instance=\"<urn:uuid:1>\";reg-id=1";
    let keepless = "<sip:edge.example.org;lr>";
    let near = "<sip:near.example.org;lr>";
    for (path, hops, expected) in [
        (&[][..], 1, 200),
        (&[], 2, 439),
        (&[keepless], 2, 439),
        (&[EDGE], 2, 200),
        (&[near, EDGE], 3, 200),
        (&[EDGE, near], 3, 439),
    ] {
        let (status, ..) = ask(&mut Bindings::new(), 0, &flow_register(1, contact, path, hops));
        assert_eq!(status, expected, "{path:?} over {hops}");
    }
}

#[test]
fn what_was_on_a_lost_flow_may_go_over_another_one_of_the_same_device() {
    let mut bindings = Bindings::new();
    let (ours, theirs) = ("192.0.2.1:5060".parse().unwrap(), "198.51.100.7:9".parse().unwrap());
    let contact = |reg_id| format!("<sip:101@10.0.0.7>;+sip.instance=\"<urn:uuid:1>\";reg-id={reg_id}");
    for (cseq, connection) in [(1, 11), (2, 12)] {
        let flow = Flow::tcp(ours, theirs, connection);
        let request = flow_register(cseq, &contact(cseq), &[], 1);
        let (response, _) = bindings.register(at(0), &request, flow, &Terms::default(), "t");
        assert_eq!(response.status, 200);
    }
    let lost = bindings.connection_lost(Flow::tcp(ours, theirs, 11));
    let other = lost.first().and_then(|lost| bindings.other_flow(at(0), lost));
    assert_eq!(other.map(|flow| flow.connection), Some(12));
    let lost = bindings.connection_lost(Flow::tcp(ours, theirs, 12));
    assert_eq!(lost.first().and_then(|lost| bindings.other_flow(at(0), lost)), None);
}
