use super::*;
use crate::digest::Secret;
use std::net::SocketAddr;

const OWNER: u64 = 7;

fn flow(local: &str) -> Flow {
    Flow::udp(local.parse().unwrap(), SocketAddr::from(([192, 0, 2, 1], 5060)))
}

fn spec() -> RegistrationSpec {
    RegistrationSpec {
        routes: Vec::new(),
        registrar: RequestUri::parse("sip:carrier.test").unwrap(),
        user: "4930123".into(),
        domain: "carrier.test".into(),
        line: "l1ne".into(),
        call_id: "call-id".into(),
        tag: "tag".into(),
        expires: Duration::from_secs(600),
        login: Some(Login { user: "4930123".into(), password: Secret::new("secret") }),
        agent: "Plugboard".into(),
        random: 42,
    }
}

/// A registration with its time and its requests.
struct Rig {
    registration: Registration,
    now: Time,
    seq: u32,
    local: &'static str,
    events: Vec<Output>,
}

impl Rig {
    fn new() -> Self {
        let registration = Registration::new(spec());
        Self { registration, now: Time::ZERO, seq: 0, local: "10.0.0.1:5060", events: Vec::new() }
    }

    /// The next request, if it wants to send one.
    fn request(&mut self) -> Option<Request> {
        let mut request = None;
        while let Some(output) = self.registration.poll_output() {
            if output == Output::Send {
                self.seq += 1;
                let tx = ClientTx { owner: OWNER, seq: self.seq };
                request = self.registration.request(tx, flow(self.local));
            } else {
                self.events.push(output);
            }
        }
        request
    }

    fn tx(&self) -> ClientTx {
        ClientTx { owner: OWNER, seq: self.seq }
    }

    fn answer(&mut self, request: &Request, status: u16, headers: &[(&str, &str)]) -> Option<Request> {
        let mut response = Response::to_request(request, status);
        for (name, value) in headers {
            response.headers.push(name, *value);
        }
        self.registration.handle(self.now, Input::Response(self.tx(), &response));
        self.request()
    }

    fn fails(&mut self, reason: &str) {
        self.registration.handle(self.now, Input::Failed(self.tx(), reason));
        assert!(self.request().is_none());
    }

    /// Waits until it wants to be woken; how long that was, and what it sends.
    fn wakes(&mut self) -> (Duration, Option<Request>) {
        let at = self.registration.poll_timeout().unwrap();
        let waited = at.since(self.now);
        self.now = at;
        self.registration.handle(at, Input::Tick);
        (waited, self.request())
    }

    fn told(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.events)
    }
}

const CHALLENGE: (&str, &str) = ("WWW-Authenticate", "Digest realm=\"carrier.test\", nonce=\"n1\", qop=\"auth\"");

#[test]
fn it_registers_with_its_password_and_renews_before_it_runs_out() {
    let mut rig = Rig::new();
    let first = rig.request().unwrap();
    insta::assert_snapshot!(String::from_utf8(first.to_bytes()).unwrap().replace('\r', ""), @r"
    REGISTER sip:carrier.test SIP/2.0
    Max-Forwards: 70
    From: <sip:4930123@carrier.test>;tag=tag
    To: <sip:4930123@carrier.test>
    Call-ID: call-id
    CSeq: 1 REGISTER
    Contact: <sip:4930123@10.0.0.1:5060;line=l1ne>;expires=600
    Expires: 600
    User-Agent: Plugboard
    Content-Length: 0
    ");
    let second = rig.answer(&first, 401, &[CHALLENGE]).unwrap();
    let answer = second.headers.get("Authorization").unwrap();
    assert!(answer.contains("username=\"4930123\"") && answer.contains("nonce=\"n1\""), "{answer}");
    assert_eq!(second.headers.cseq().unwrap().number, 2);
    let contact = "<sip:other@192.0.2.9>;expires=7, <sip:4930123@10.0.0.1:5060;line=l1ne>;expires=120";
    assert!(rig.answer(&second, 200, &[("Contact", contact)]).is_none());
    assert_eq!(rig.told(), [Output::Registered]);
    let (waited, again) = rig.wakes();
    assert!((90..=102).contains(&waited.as_secs()), "of the 120 s that were granted: {waited:?}");
    assert!(rig.registration.is_registered(rig.now));
    assert_eq!(again.unwrap().headers.get("Call-ID"), Some("call-id"));
}

#[test]
fn a_wrong_password_is_not_tried_again_for_minutes() {
    let mut rig = Rig::new();
    let first = rig.request().unwrap();
    let second = rig.answer(&first, 401, &[CHALLENGE]).unwrap();
    assert!(rig.answer(&second, 401, &[CHALLENGE]).is_none());
    let reason = "the registrar does not take the password: 401 Unauthorized";
    assert_eq!(rig.told(), [Output::Failed(reason.into())]);
    let (waited, again) = rig.wakes();
    assert!((150..=300).contains(&waited.as_secs()), "{waited:?}");
    assert!(again.unwrap().headers.get("Authorization").is_none());
}

#[test]
fn a_stale_nonce_is_answered_anew() {
    let mut rig = Rig::new();
    let first = rig.request().unwrap();
    let second = rig.answer(&first, 401, &[CHALLENGE]).unwrap();
    let stale = ("WWW-Authenticate", "Digest realm=\"carrier.test\", nonce=\"n2\", qop=\"auth\", stale=true");
    let third = rig.answer(&second, 401, &[stale]).unwrap();
    assert!(third.headers.get("Authorization").unwrap().contains("nonce=\"n2\""));
    assert!(rig.answer(&third, 200, &[]).is_none());
    assert_eq!(rig.told(), [Output::Registered]);
}

#[test]
fn a_registrar_that_wants_longer_registrations_gets_them() {
    let mut rig = Rig::new();
    let first = rig.request().unwrap();
    let second = rig.answer(&first, 423, &[("Min-Expires", "1800")]).unwrap();
    assert_eq!(second.headers.expires(), Some(1_800));
    assert!(rig.answer(&second, 423, &[("Min-Expires", "60")]).is_none(), "that makes no sense, and is no loop");
    assert_eq!(rig.told(), [Output::Failed("the registrar answers 423 Interval Too Brief".into())]);
}

#[test]
fn who_says_nothing_is_asked_less_and_less_often() {
    let mut rig = Rig::new();
    let mut waits = Vec::new();
    assert!(rig.request().is_some());
    for _ in 0..10 {
        rig.fails("no answer came");
        let (waited, request) = rig.wakes();
        assert!(request.is_some());
        waits.push(waited);
    }
    let mut most = Duration::from_secs(5);
    for waited in &waits {
        assert!((most / 2..=most).contains(waited), "{waits:?}");
        most = (most * 2).min(Duration::from_secs(300));
    }
    assert_eq!(rig.told()[..2], [Output::NextTarget, Output::Failed("no answer came".into())]);
}

#[test]
fn retry_after_is_kept_to() {
    let mut rig = Rig::new();
    let first = rig.request().unwrap();
    assert!(rig.answer(&first, 503, &[("Retry-After", "100 (busy)")]).is_none());
    let (waited, _) = rig.wakes();
    assert!((50..=100).contains(&waited.as_secs()), "{waited:?}");
    assert_eq!(rig.told()[0], Output::NextTarget, "another server of the same name may do better");
}

#[test]
fn a_registration_outlives_a_renewal_that_failed_until_it_runs_out() {
    let mut rig = Rig::new();
    let first = rig.request().unwrap();
    rig.answer(&first, 200, &[("Expires", "60")]);
    let (_, renewal) = rig.wakes();
    assert!(renewal.is_some());
    rig.fails("no answer came");
    assert!(rig.registration.is_registered(rig.now));
    assert!(!rig.registration.is_registered(Time::ZERO + Duration::from_secs(60)));
}

#[test]
fn another_address_of_ours_is_registered_at_once_and_the_old_one_taken_back() {
    let mut rig = Rig::new();
    let first = rig.request().unwrap();
    rig.answer(&first, 200, &[]);
    rig.local = "10.0.0.2:5060";
    rig.registration.handle(rig.now, Input::Moved);
    let moved = rig.request().unwrap();
    let contacts: Vec<_> = moved.headers.get_all("Contact").collect();
    assert_eq!(
        contacts,
        ["<sip:4930123@10.0.0.1:5060;line=l1ne>;expires=0", "<sip:4930123@10.0.0.2:5060;line=l1ne>;expires=600"]
    );
}

#[test]
fn it_takes_itself_back_and_answers_a_challenge_to_that_too() {
    let mut rig = Rig::new();
    let first = rig.request().unwrap();
    rig.answer(&first, 200, &[]);
    rig.registration.handle(rig.now, Input::Leave);
    let leave = rig.request().unwrap();
    assert_eq!(leave.headers.expires(), Some(0));
    let again = rig.answer(&leave, 401, &[CHALLENGE]).unwrap();
    assert_eq!(again.headers.expires(), Some(0));
    rig.told();
    assert!(rig.answer(&again, 200, &[]).is_none());
    assert_eq!(rig.told(), [Output::Left]);
    assert!(rig.registration.is_over() && rig.registration.poll_timeout().is_none());
}

#[test]
fn what_never_was_registered_is_not_taken_back() {
    let mut rig = Rig::new();
    assert!(rig.request().is_some());
    rig.fails("no answer came");
    rig.registration.handle(rig.now, Input::Leave);
    assert!(rig.request().is_none());
    assert!(rig.registration.is_over());
}
