use super::*;
use crate::flow::Transport;
use crate::locate::{Families, Records};
use std::net::SocketAddr;

fn target(n: u8) -> Target {
    Target { transport: Transport::Udp, address: SocketAddr::from(([192, 0, 2, n], 5060)) }
}

fn spec(place: Place) -> TrunkSpec {
    TrunkSpec {
        routes: Vec::new(),
        owner: 9,
        place,
        uri: SipUri::parse("sip:carrier.test").unwrap(),
        from: "<sip:plugboard.test>".into(),
        probing: None,
        registration: None,
        agent: "Plugboard".into(),
        random: 7,
    }
}

fn probed(place: Place) -> TrunkSpec {
    let probing = Probing { every: Duration::from_secs(30), down_after: 2, up_after: 1 };
    TrunkSpec { probing: Some(probing), ..spec(place) }
}

fn registering(place: Place) -> TrunkSpec {
    let registration = RegistrationSpec {
        routes: Vec::new(),
        registrar: RequestUri::parse("sip:carrier.test").unwrap(),
        user: "493012".into(),
        domain: "carrier.test".into(),
        line: "l1ne".into(),
        call_id: "call-id".into(),
        tag: "tag".into(),
        expires: Duration::from_secs(600),
        login: None,
        agent: "Plugboard".into(),
        random: 7,
    };
    TrunkSpec { registration: Some(registration), ..spec(place) }
}

fn name() -> Place {
    Place::Name(Sought {
        host: "carrier.test".into(),
        port: Some(5060),
        transport: None,
        spoken: vec![Transport::Udp],
        families: Families { v4: true, v6: false },
    })
}

/// A trunk with its time; requests go out as soon as they are wanted.
struct Rig {
    trunk: Trunk,
    now: Time,
    sent: Vec<(ClientTx, Target, Request)>,
    told: Vec<Output>,
}

impl Rig {
    fn new(spec: TrunkSpec) -> Self {
        let mut rig = Self { trunk: Trunk::new(Time::ZERO, spec), now: Time::ZERO, sent: Vec::new(), told: Vec::new() };
        rig.drain();
        rig
    }

    fn drain(&mut self) {
        while let Some(output) = self.trunk.poll_output() {
            match output {
                Output::Send(tx, target) => {
                    let flow = Flow::udp(SocketAddr::from(([10, 0, 0, 1], 5060)), target.address);
                    let request = self.trunk.request(tx, flow).unwrap();
                    self.sent.push((tx, target, request));
                }
                other @ (Output::Ask(_) | Output::Changed | Output::Moved | Output::Left) => self.told.push(other),
            }
        }
    }

    fn tell(&mut self, input: Input<'_>) {
        self.trunk.handle(self.now, input);
        self.drain();
    }

    fn wakes(&mut self) {
        self.now = self.trunk.poll_timeout().unwrap();
        self.tell(Input::Tick);
    }

    fn answers(&mut self, status: u16) {
        let (tx, _, request) = self.sent.pop().unwrap();
        self.tell(Input::Response(tx, &Response::to_request(&request, status)));
    }

    fn is_silent(&mut self) {
        let (tx, ..) = self.sent.pop().unwrap();
        self.tell(Input::Failed(tx, "no answer came"));
    }

    fn finds(&mut self, addresses: &[u8]) {
        let addresses = addresses.iter().map(|n| target(*n).address.ip()).collect();
        let answer = Answer { records: Records::Addresses(addresses), ttl: Duration::from_secs(60) };
        self.tell(Input::Answered(Question::A("carrier.test".into()), Ok(answer)));
    }

    fn place(&mut self, tried: &[Target]) -> Result<(Target, bool), String> {
        self.trunk.place(self.now, tried).map(|placement| (placement.target, placement.has_more))
    }
}

#[test]
fn an_address_that_is_not_probed_is_up() {
    let mut rig = Rig::new(spec(Place::Target(target(1))));
    assert_eq!((rig.trunk.status(), rig.told.as_slice()), (&Status::Up, [Output::Changed].as_slice()));
    assert_eq!(rig.place(&[]), Ok((target(1), false)));
    assert!(rig.place(&[target(1)]).is_err());
    assert_eq!(rig.trunk.poll_timeout(), None);
}

#[test]
fn a_probed_one_goes_down_and_comes_up_and_says_why() {
    let mut rig = Rig::new(probed(Place::Target(target(1))));
    rig.wakes();
    let request = &rig.sent[0].2;
    assert_eq!(request.method, Method::Options);
    assert_eq!(request.uri.to_string(), "sip:carrier.test");
    rig.is_silent();
    assert_eq!(rig.trunk.status(), &Status::Up, "one lost packet is no fault");
    rig.wakes();
    rig.is_silent();
    assert_eq!(rig.trunk.status(), &Status::Down("UDP 192.0.2.1:5060: no answer came".into()));
    assert_eq!(rig.place(&[]), Err("UDP 192.0.2.1:5060: no answer came".into()));
    rig.wakes();
    rig.answers(405);
    assert_eq!(rig.trunk.status(), &Status::Up);
}

#[test]
fn a_name_leads_to_its_addresses_and_a_call_to_the_next_one() {
    let mut rig = Rig::new(spec(name()));
    assert_eq!(rig.trunk.status(), &Status::Starting("carrier.test is looked for".into()));
    assert_eq!(rig.told, [Output::Ask(Question::A("carrier.test".into())), Output::Changed]);
    rig.finds(&[1, 2]);
    assert_eq!(rig.trunk.status(), &Status::Up);
    assert_eq!(rig.place(&[]), Ok((target(1), true)));
    assert_eq!(rig.place(&[target(1)]), Ok((target(2), false)));
    rig.tell(Input::CallFailed(target(1)));
    assert_eq!(rig.place(&[]), Ok((target(2), true)), "later calls begin with the other");
    rig.now = rig.now + crate::locate::BAD_FOR;
    assert_eq!(rig.place(&[]), Ok((target(1), true)));
}

#[test]
fn a_name_that_does_not_exist_is_down() {
    let mut rig = Rig::new(spec(name()));
    let nothing = Err(NotFound::Nothing { ttl: Duration::from_secs(60) });
    rig.tell(Input::Answered(Question::A("carrier.test".into()), nothing));
    assert_eq!(rig.trunk.status(), &Status::Down("no address of carrier.test is known".into()));
    rig.wakes();
    rig.finds(&[1]);
    assert_eq!(rig.trunk.status(), &Status::Up);
}

#[test]
fn of_several_addresses_only_those_that_answer_are_called() {
    let mut rig = Rig::new(probed(name()));
    rig.finds(&[1, 2]);
    for _ in 0..2 {
        rig.wakes();
        rig.wakes();
        for (tx, to, request) in std::mem::take(&mut rig.sent) {
            if to == target(1) {
                rig.tell(Input::Failed(tx, "no answer came"));
            } else {
                rig.tell(Input::Response(tx, &Response::to_request(&request, 200)));
            }
        }
    }
    assert_eq!(rig.trunk.status(), &Status::Up);
    assert_eq!(rig.place(&[]), Ok((target(2), false)));
    rig.told.clear();
    while !rig.told.iter().any(|told| matches!(told, Output::Ask(_))) {
        rig.wakes();
    }
    rig.finds(&[1]);
    assert!(matches!(rig.trunk.status(), Status::Down(_)), "the other is not its address any more");
}

#[test]
fn one_that_registers_is_up_while_it_is_registered() {
    let mut rig = Rig::new(registering(Place::Target(target(1))));
    assert_eq!(rig.trunk.status(), &Status::Starting("it is being registered".into()));
    rig.answers(200);
    assert_eq!((rig.trunk.status(), rig.trunk.is_registered(rig.now)), (&Status::Up, Some(true)));
    rig.wakes();
    rig.answers(403);
    assert_eq!(rig.trunk.status(), &Status::Up, "the registration has not run out");
    while rig.trunk.status() == &Status::Up {
        rig.wakes();
        if !rig.sent.is_empty() {
            rig.answers(403);
        }
    }
    assert_eq!(rig.now, Time::ZERO + Duration::from_secs(600), "as soon as it has run out");
    assert_eq!(rig.trunk.status(), &Status::Down("the registrar answers 403 Forbidden".into()));
    rig.wakes();
    assert_eq!(rig.trunk.status(), &Status::Down("the registrar answers 403 Forbidden".into()), "while it asks again");
    rig.answers(200);
    assert_eq!(rig.trunk.status(), &Status::Up);
}

#[test]
fn a_registrar_that_is_silent_is_left_for_the_next_address() {
    let mut rig = Rig::new(registering(name()));
    rig.finds(&[1, 2]);
    assert_eq!(rig.sent[0].1, target(1));
    rig.is_silent();
    assert_eq!(rig.trunk.status(), &Status::Down("no answer came".into()));
    rig.wakes();
    assert_eq!(rig.sent[0].1, target(2));
    rig.answers(200);
    assert_eq!(rig.trunk.status(), &Status::Up);
}

#[test]
fn who_leaves_takes_his_registration_back_and_wants_nothing_more() {
    let mut rig = Rig::new(registering(Place::Target(target(1))));
    rig.answers(200);
    rig.tell(Input::Leave);
    assert_eq!(rig.sent[0].2.headers.expires(), Some(0));
    rig.answers(200);
    assert!(rig.told.contains(&Output::Left));
    assert_eq!(rig.trunk.poll_timeout(), None);
    let mut plain = Rig::new(probed(Place::Target(target(1))));
    plain.tell(Input::Leave);
    assert!(plain.told.contains(&Output::Left));
    assert_eq!(plain.trunk.poll_timeout(), None);
}

#[test]
fn who_leaves_when_its_name_leads_nowhere_any_more_wants_nothing_more_either() {
    let mut rig = Rig::new(registering(name()));
    rig.finds(&[1]);
    rig.answers(200);
    rig.now = rig.now + Duration::from_secs(60);
    rig.tell(Input::Tick);
    let nothing = Err(NotFound::Nothing { ttl: Duration::from_secs(60) });
    rig.tell(Input::Answered(Question::A("carrier.test".into()), nothing));
    assert!(rig.trunk.targets().is_empty(), "{:?}", rig.trunk.targets());
    rig.tell(Input::Leave);
    assert!(rig.told.contains(&Output::Left), "{:?}", rig.told);
}
