//! The call machine told as telephone stories, in virtual time.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test stops at the first surprise, and looks at the one thing that it is about"
)]

mod collecting;
mod errand;
mod own_phones;
mod silence;
mod transfer;

use plugboard_call::{
    AskWhy, Begin, Call, CancelWhy, Input, Led, OfferedDevices, Op, Origin, Output, OwnForwards, Party, PlayId,
    Request, RingOrder, Urgency, Way,
};
use plugboard_model::{
    Audio, CallError, CallEvent, CallId, CallOutcome, CallRecord, Cause, CollectRequest, Collected, Direction,
    GatewayId, HostResult, LegId, NotConnected, OfficeId, PlayEnd, PlayOptions, RingBack, RouteId, RunId, ScenarioId,
    Time, UserId, WallTime,
};
use std::time::Duration;

const OP: Op = Op::Run { run: RunId(0), n: 0 };

struct Story {
    call: Call,
    now: Time,
    seen: Vec<Output>,
    told: Vec<Output>,
}

/// A scenario, reached by a route of its name.
fn led(name: &str) -> Led {
    let office = OfficeId::new("main").unwrap();
    Led { scenario: ScenarioId::new(&office, name).unwrap(), route: RouteId::new(&office, name).unwrap() }
}

fn user(number: &str) -> UserId {
    UserId::new(&OfficeId::new("main").unwrap(), number).unwrap()
}

impl Story {
    fn new(scenario: bool) -> Self {
        Self::of(scenario, Origin::Caller)
    }

    fn of(scenario: bool, origin: Origin) -> Self {
        let office = OfficeId::new("main").unwrap();
        let mut story = Self { call: Call::default(), now: Time::ZERO, seen: Vec::new(), told: Vec::new() };
        story.feed(Input::Begin(Box::new(Begin {
            id: CallId::new(office.clone(), WallTime(1_000), 7),
            wall: WallTime(1_000),
            direction: Direction::Internal,
            caller: "101".into(),
            caller_name: "Ann".into(),
            caller_user: Some(user("101")),
            caller_gateway: None,
            called: "100".into(),
            route: None,
            scenario: scenario.then(|| ScenarioId::new(&office, "welcome").unwrap()),
            forwarded: 0,
            call_back: false,
            origin,
        })));
        story
    }

    /// What is to be done; what is only told, to the journal and the scenario, is in `told`.
    fn feed(&mut self, input: Input) -> Vec<Output> {
        self.call.handle(self.now, input);
        let (told, outputs): (Vec<Output>, Vec<Output>) = std::iter::from_fn(|| self.call.poll_output())
            .filter(|output| !matches!(output, Output::Journal(_)))
            .partition(|output| matches!(output, Output::Rang { .. } | Output::HungUp { .. }));
        self.told.extend(told);
        self.seen.extend(outputs.iter().cloned());
        outputs
    }

    fn wait(&mut self, millis: u64) -> Vec<Output> {
        let end = Time(self.now.0 + millis * 1_000_000);
        let mut outputs = Vec::new();
        while let Some(at) = self.call.poll_timeout().filter(|at| *at <= end) {
            self.now = at;
            outputs.extend(self.feed(Input::Tick));
        }
        self.now = end;
        outputs
    }

    fn ask(&mut self, request: Request) -> Vec<Output> {
        self.feed(Input::Request { op: OP, request })
    }

    fn rings(&mut self, users: &[&str], order: RingOrder) -> Vec<Output> {
        let parties = users.iter().map(|name| Party::User(user(name))).collect();
        self.ask(Request::Ring { parties, order, ring_for: Duration::from_secs(20), ring_back: RingBack::Tone })
    }

    fn offers(&mut self, name: &str, devices: usize) -> Vec<Output> {
        let devices = (0..devices).map(|n| format!("sip:{name}@{n}")).collect();
        self.feed(Input::UserOffers {
            user: user(name),
            offer: Ok(OfferedDevices { devices, ring_for: None, waking: false, forwards: OwnForwards::default() }),
        })
    }

    /// The leg answers, and its user's slot is free.
    fn answers(&mut self, leg: u32) -> Vec<Output> {
        let mut outputs = self.feed(Input::LegAnswered(LegId(leg)));
        if outputs.iter().any(|output| matches!(output, Output::Claim { leg: claimed, .. } if claimed.0 == leg)) {
            outputs.extend(self.feed(Input::Claimed { leg: LegId(leg), granted: true }));
        }
        outputs
    }

    fn ended(&mut self, leg: u32, status: u16) -> Vec<Output> {
        self.feed(Input::LegEnded { leg: LegId(leg), cause: Cause::of(status) })
    }

    fn record(&self) -> &CallRecord {
        let mut records = self.seen.iter().filter_map(|output| match output {
            Output::Ended(record) => Some(record),
            _ => None,
        });
        let record = records.next().expect("the call has ended");
        assert!(records.next().is_none(), "one call, one outcome");
        record
    }
}

fn made_legs(outputs: &[Output]) -> Vec<u32> {
    outputs
        .iter()
        .filter_map(|output| if let Output::MakeLeg { leg, .. } = output { Some(leg.0) } else { None })
        .collect()
}

/// The leg sends a description before it answers.
fn early(leg: u32, rings: bool) -> Input {
    Input::LegEarlyMedia { leg: LegId(leg), rings }
}

fn way_through(gateway: GatewayId, number: String) -> Way {
    Way { gateway, number, at: None, urgency: Urgency::Usual, payer: None }
}

/// Rings so many numbers outside at once.
fn dials_outside(numbers: u32, ring_back: RingBack) -> Request {
    let gateway = GatewayId::new(&OfficeId::new("main").unwrap(), "outside").unwrap();
    let number = |n| Party::Outside { ways: vec![way_through(gateway.clone(), format!("+493{n}"))], phone: None };
    let order = if numbers == 1 { RingOrder::One } else { RingOrder::AtOnce };
    Request::Ring { parties: (0..numbers).map(number).collect(), order, ring_for: Duration::from_secs(60), ring_back }
}

/// Up to so many keys, `#` ends them; 5 s for the first, 2 s between.
fn collect(prompt: Option<&str>, max_digits: u8) -> Request {
    Request::Collect(CollectRequest {
        prompt: prompt.map(|name| Audio::Prompt(name.into())),
        max_digits,
        first_digit_ms: 5_000,
        inter_digit_ms: 2_000,
        end_digit: Some('#'),
    })
}

/// What was collected, where nothing else happened.
fn collected(outputs: &[Output]) -> &Collected {
    match outputs {
        [Output::Result { result: HostResult::Collected(Ok(collected)), .. }] => collected,
        other => panic!("{other:?}"),
    }
}

fn rang(outputs: &[Output]) -> Option<Result<Option<UserId>, NotConnected>> {
    outputs.iter().find_map(|output| match output {
        Output::Result { result: HostResult::Rang(rang), .. } => Some(rang.clone().map(|connected| connected.user)),
        _ => None,
    })
}

#[test]
fn r1_r3_r4_every_device_rings_and_nothing_is_bridged_before_the_answer() {
    let mut story = Story::new(true);
    assert!(story.rings(&["102"], RingOrder::One).contains(&Output::AskUser {
        user: user("102"),
        reserve: true,
        why: AskWhy::Offered
    }));
    assert_eq!(made_legs(&story.offers("102", 2)), [1, 2]);
    assert_eq!(story.feed(Input::LegRang(LegId(1))), [Output::RingCaller]);
    assert!(story.feed(Input::LegRang(LegId(2))).is_empty(), "the caller hears one ring-back");
    let answered = story.answers(2);
    let place = |wanted: &Output| answered.iter().position(|output| output == wanted);
    assert!(place(&Output::AnswerCaller) < place(&Output::Bridge { anchor: LegId::CALLER, peer: LegId(2) }));
    assert!(answered.contains(&Output::CancelLeg { leg: LegId(1), why: CancelWhy::CompletedElsewhere }));
    assert_eq!(rang(&answered), Some(Ok(Some(user("102")))));
    assert_eq!(story.call.talking_to(), Some(LegId(2)));
}

#[test]
fn r12_two_answers_leave_one_bridge_and_one_bye() {
    let mut story = Story::new(true);
    story.rings(&["102", "103"], RingOrder::AtOnce);
    story.offers("102", 1);
    story.offers("103", 1);
    assert_eq!(story.feed(Input::LegAnswered(LegId(1))), [Output::Claim { user: user("102"), leg: LegId(1) }]);
    assert!(story.feed(Input::LegAnswered(LegId(2))).is_empty(), "the second waits for the first claim");
    let won = story.feed(Input::Claimed { leg: LegId(1), granted: true });
    assert!(won.contains(&Output::EndLeg { leg: LegId(2), cause: Cause::normal() }));
    assert_eq!(won.iter().filter(|output| matches!(output, Output::Bridge { .. })).count(), 1);
}

#[test]
fn a_device_that_hangs_up_while_its_slot_is_asked_for_leaves_it_to_the_users_other_devices() {
    for answers_later in [false, true] {
        let mut story = Story::new(true);
        story.rings(&["102"], RingOrder::One);
        story.offers("102", 2);
        story.feed(Input::LegAnswered(LegId(1)));
        if !answers_later {
            story.feed(Input::LegAnswered(LegId(2)));
        }
        story.ended(1, 200);
        story.feed(Input::Claimed { leg: LegId(1), granted: true });
        if answers_later {
            story.feed(Input::LegAnswered(LegId(2)));
        }
        assert_eq!(story.call.talking_to(), Some(LegId(2)), "{answers_later}");
        // The answer to a second question: the call has him already.
        story.feed(Input::Claimed { leg: LegId(2), granted: false });
        assert_eq!(story.call.talking_to(), Some(LegId(2)), "{answers_later}");
        story.ended(2, 200);
        let released = story.seen.iter().filter(|output| **output == Output::Release { user: user("102") }).count();
        assert_eq!(released, 1, "{answers_later}: {:?}", story.seen);
    }
}

#[test]
fn a_user_who_took_another_call_loses_and_the_caller_rings_on() {
    let mut story = Story::new(true);
    story.rings(&["102", "103"], RingOrder::AtOnce);
    story.offers("102", 1);
    story.offers("103", 1);
    story.feed(Input::LegAnswered(LegId(1)));
    let denied = story.feed(Input::Claimed { leg: LegId(1), granted: false });
    assert_eq!(denied, [Output::EndLeg { leg: LegId(1), cause: Cause::of(486) }]);
    assert_eq!(story.feed(Input::LegAnswered(LegId(2))), [Output::Claim { user: user("103"), leg: LegId(2) }]);
    let won = story.feed(Input::Claimed { leg: LegId(2), granted: true });
    assert_eq!(rang(&won), Some(Ok(Some(user("103")))));
}

#[test]
fn a_user_who_is_rung_alone_takes_his_slot_with_the_answer_too() {
    let mut story = Story::new(false);
    let parties = vec![Party::User(user("102"))];
    let (ring_for, ring_back) = (Duration::from_secs(60), RingBack::Tone);
    let request = Request::Ring { parties, order: RingOrder::One, ring_for, ring_back };
    story.feed(Input::Request { op: Op::Direct, request });
    story.offers("102", 1);
    let answered = story.feed(Input::LegAnswered(LegId(1)));
    assert_eq!(answered, [Output::Claim { user: user("102"), leg: LegId(1) }]);
    let full = story.feed(Input::Claimed { leg: LegId(1), granted: false });
    assert!(full.contains(&Output::EndLeg { leg: LegId(1), cause: Cause::of(486) }));
    assert!(full.contains(&Output::RejectCaller(Cause::of(486))), "{full:?}");
}

#[test]
fn r26_r27_our_timer_is_a_timeout_at_the_set_second() {
    let mut story = Story::new(true);
    let parties = vec![Party::User(user("102"))];
    let ring =
        Request::Ring { parties, order: RingOrder::One, ring_for: Duration::from_secs(7), ring_back: RingBack::Tone };
    story.ask(ring);
    story.offers("102", 1);
    assert_eq!(rang(&story.wait(6_999)), None);
    let over = story.wait(1);
    assert_eq!(rang(&over), Some(Err(NotConnected::Timeout)));
    assert!(over.contains(&Output::CancelLeg { leg: LegId(1), why: CancelWhy::TimeOver }));
    assert!(over.contains(&Output::Release { user: user("102") }), "the reserved slot is given back");
}

#[test]
fn r25_r28_each_end_of_the_callees_side_is_no_answer_with_the_best_cause() {
    for status in [404, 408, 480, 486, 600, 603, 607, 500, 488] {
        let mut story = Story::new(true);
        story.rings(&["102"], RingOrder::One);
        story.offers("102", 1);
        let over = story.ended(1, status);
        assert_eq!(rang(&over), Some(Err(NotConnected::NoAnswer(Cause::of(status)))), "{status}");
    }
}

#[test]
fn a_decline_stops_that_users_other_devices_but_nobody_elses() {
    let mut story = Story::new(true);
    story.rings(&["102", "103"], RingOrder::AtOnce);
    story.offers("102", 2);
    story.offers("103", 1);
    let declined = story.ended(1, 603);
    assert_eq!(declined, [Output::CancelLeg { leg: LegId(2), why: CancelWhy::Declined }]);
    let busy = story.ended(3, 486);
    assert_eq!(rang(&busy), Some(Err(NotConnected::NoAnswer(Cause::of(603)))));
}

#[test]
fn r5_a_user_who_cannot_be_rung_is_not_rung_and_the_outcome_says_why() {
    let mut story = Story::new(true);
    story.rings(&["102"], RingOrder::One);
    let busy = story.feed(Input::UserOffers { user: user("102"), offer: Err(Cause::of(486)) });
    assert!(made_legs(&busy).is_empty());
    assert_eq!(rang(&busy), Some(Err(NotConnected::NoAnswer(Cause::of(486)))));
}

#[test]
fn r29_a_caller_who_gives_up_leaves_no_leg_and_no_later_ring() {
    let mut story = Story::new(true);
    story.rings(&["102", "103"], RingOrder::AtOnce);
    story.offers("102", 1);
    let gone = story.ended(0, 487);
    assert!(gone.contains(&Output::CancelLeg { leg: LegId(1), why: CancelWhy::CallerGone }));
    assert_eq!(rang(&gone), Some(Err(NotConnected::CallerGone)));
    assert!(made_legs(&story.offers("103", 1)).is_empty(), "a device told late does not ring");
    story.ended(1, 487);
    assert_eq!(story.record().outcome, CallOutcome::Abandoned);
}

#[test]
fn a_callee_who_answers_as_the_caller_gives_up_is_not_bridged() {
    let mut story = Story::new(true);
    story.rings(&["102"], RingOrder::AtOnce);
    story.offers("102", 1);
    story.feed(Input::LegAnswered(LegId(1)));
    let gone = story.ended(0, 487);
    assert!(gone.contains(&Output::EndLeg { leg: LegId(1), cause: Cause::normal() }));
    let late = story.feed(Input::Claimed { leg: LegId(1), granted: true });
    assert_eq!(late, [Output::Release { user: user("102") }], "the slot won too late is given back");
    story.ended(1, 200);
    assert_eq!(story.record().outcome, CallOutcome::Abandoned);
}

#[test]
fn an_answered_caller_hears_ring_back_until_the_answer() {
    let mut story = Story::new(true);
    story.ask(Request::Answer);
    story.rings(&["102"], RingOrder::One);
    story.offers("102", 1);
    let rings = story.feed(Input::LegRang(LegId(1)));
    let [Output::Play { play, repeat: true, .. }] = rings.as_slice() else { panic!("{rings:?}") };
    let play = *play;
    let answered = story.answers(1);
    assert!(answered.contains(&Output::StopPlay { leg: LegId::CALLER, play }));
}

#[test]
fn who_is_still_asked_when_the_caller_leaves_has_his_place_back() {
    let mut story = Story::new(true);
    story.rings(&["102"], RingOrder::One);
    let over = story.ended(0, 200);
    assert!(over.contains(&Output::Release { user: user("102") }), "{over:?}");
}

#[test]
fn decision_11_when_the_callee_leaves_the_scenario_decides_and_its_end_hangs_up() {
    let mut story = Story::new(true);
    story.rings(&["102"], RingOrder::One);
    story.offers("102", 1);
    story.answers(1);
    let left = story.ended(1, 200);
    assert!(left.contains(&Output::Unbridged) && left.contains(&Output::Unbridge { peer: LegId(1) }));
    assert!(left.contains(&Output::Release { user: user("102") }));
    let over = story.feed(Input::ScenarioEnded);
    assert!(over.contains(&Output::EndLeg { leg: LegId::CALLER, cause: Cause::normal() }));
    story.ended(0, 200);
    assert_eq!(story.record().outcome, CallOutcome::Answered);
    assert_eq!(story.record().answered_by, Some(user("102")));
    assert_eq!(story.record().legs.len(), 2);
}

#[test]
fn a_direct_call_tells_the_caller_why_nobody_came() {
    let mut story = Story::new(false);
    let request = dials_outside(1, RingBack::Tone);
    assert_eq!(made_legs(&story.feed(Input::Request { op: Op::Direct, request })), [1]);
    let over = story.ended(1, 486);
    assert!(over.contains(&Output::RejectCaller(Cause::of(486))));
    story.ended(0, 486);
    assert_eq!(story.record().outcome, CallOutcome::NotAnswered(Cause::of(486)));
}

#[test]
fn r4_a_gateways_sound_takes_the_place_of_our_ring_back_until_it_answers_or_ends() {
    let mut story = Story::new(true);
    story.ask(Request::Answer);
    story.ask(dials_outside(1, RingBack::Tone));
    assert!(matches!(story.feed(Input::LegRang(LegId(1)))[..], [Output::Play { play: PlayId(0), .. }]));
    let bridged = story.feed(early(1, false));
    assert_eq!(
        bridged,
        [Output::EarlyBridge { anchor: LegId::CALLER, peer: LegId(1) }],
        "the tone gives way when there is a sound"
    );
    assert_eq!(story.feed(early(1, false)), [], "once is enough");
    assert_eq!(story.feed(Input::LegRang(LegId(1))), [], "it sounds already");
    assert_eq!(story.call.talking_to(), None, "nobody answered");
    let refused = story.ended(1, 404);
    assert_eq!(
        refused[..2],
        [Output::StopPlay { leg: LegId::CALLER, play: PlayId(0) }, Output::Unbridge { peer: LegId(1) }]
    );
    assert!(matches!(rang(&refused), Some(Err(NotConnected::NoAnswer(_)))));

    story.ask(dials_outside(1, RingBack::Tone));
    assert_eq!(
        story.feed(early(2, false)),
        [Output::EarlyBridge { anchor: LegId::CALLER, peer: LegId(2) }],
        "an announcement has no tone"
    );
    assert!(matches!(story.feed(Input::LegRang(LegId(2)))[..], [Output::Play { play: PlayId(1), .. }]), "now it rings");
    let answered = story.answers(2);
    assert!(answered.contains(&Output::Bridge { anchor: LegId::CALLER, peer: LegId(2) }));
    assert!(!answered.contains(&Output::Unbridge { peer: LegId(2) }), "{answered:?}");
}

#[test]
fn r4_an_unanswered_caller_is_told_what_the_gateway_says() {
    let mut story = Story::new(false);
    story.feed(Input::Request { op: Op::Direct, request: dials_outside(1, RingBack::Tone) });
    let bridge = Output::EarlyBridge { anchor: LegId::CALLER, peer: LegId(1) };
    assert_eq!(story.feed(early(1, false)), [Output::ProgressCaller { rings: false }, bridge]);
    assert_eq!(story.feed(Input::LegRang(LegId(1))), [Output::ProgressCaller { rings: true }]);
    assert_eq!(story.feed(early(1, true)), [], "he knows");
}

#[test]
fn r4_nobody_hears_one_of_several_that_ring_nor_anybody_over_the_music_that_was_asked_for() {
    let mut several = Story::new(true);
    several.ask(dials_outside(2, RingBack::Tone));
    assert_eq!(several.feed(early(1, false)), [Output::RingCaller], "it rings, no more");
    let mut music = Story::new(true);
    music.ask(Request::Answer);
    music.ask(dials_outside(1, RingBack::Music));
    assert_eq!(music.feed(early(1, false)), []);
}

#[test]
fn keys_pressed_into_an_announcement_are_not_kept_for_the_next_menu() {
    let mut story = Story::new(true);
    story.ask(Request::Answer);
    story.ask(dials_outside(1, RingBack::Tone));
    story.feed(early(1, false));
    story.feed(Input::Digit { leg: LegId::CALLER, digit: '1' });
    story.ended(1, 486);
    let outputs = story.ask(collect(Some("menu"), 1));
    assert!(matches!(outputs[..], [Output::Play { .. }]), "{outputs:?}");
}

#[test]
fn r48_a_scenario_that_does_nothing_still_tells_the_caller() {
    let mut story = Story::new(true);
    assert!(story.feed(Input::ScenarioEnded).contains(&Output::RejectCaller(Cause::of(480))));
}

#[test]
fn r115_r116_whoever_is_on_hold_hears_music_and_both_may_hold() {
    let mut story = Story::new(true);
    story.rings(&["102"], RingOrder::One);
    story.offers("102", 1);
    story.answers(1);
    let holds = |leg, on| Input::LegHolds { leg: LegId(leg), on };
    let held = story.feed(holds(0, true));
    let [Output::Held { by: LegId(0), whom: Some(LegId(1)) }, Output::HoldMusic { leg: LegId(1), play }] = held[..]
    else {
        panic!("{held:?}")
    };
    assert!(story.feed(holds(0, true)).is_empty(), "he is on hold already");
    let both = story.feed(holds(1, true));
    assert!(matches!(both[..], [Output::Held { .. }, Output::HoldMusic { leg: LegId(0), .. }]), "{both:?}");
    let back = story.feed(holds(0, false));
    assert!(back.contains(&Output::Resumed { by: LegId(0), whom: Some(LegId(1)) }));
    assert!(back.contains(&Output::StopPlay { leg: LegId(1), play }));
    let apart = story.ended(1, 200);
    assert!(apart.iter().any(|output| matches!(output, Output::StopPlay { leg: LegId(0), .. })), "{apart:?}");
    let asked = story.ask(Request::NextEvent { timeout: Duration::from_secs(1) });
    let heard =
        |output: &Output| matches!(output, Output::Result { result: HostResult::Event(Ok(CallEvent::Held)), .. });
    assert!(asked.iter().any(heard), "{asked:?}");
}

#[test]
fn who_listens_to_nobody_when_he_is_connected_holds_the_other_one() {
    let mut story = Story::new(true);
    assert!(story.feed(Input::LegHolds { leg: LegId::CALLER, on: true }).is_empty(), "nobody is on hold yet");
    story.rings(&["102"], RingOrder::One);
    story.offers("102", 1);
    let connected = story.answers(1);
    assert!(connected.iter().any(|output| matches!(output, Output::HoldMusic { leg: LegId(1), .. })), "{connected:?}");
}

#[test]
fn a_second_step_does_not_steal_the_callers_ear() {
    let mut story = Story::new(true);
    let play = || Request::Play { audio: Audio::Prompt("welcome".into()), options: PlayOptions::default() };
    story.ask(play());
    let refused = story.feed(Input::Request { op: Op::Run { run: RunId(1), n: 0 }, request: play() });
    assert!(matches!(
        refused.as_slice(),
        [Output::Result { result: HostResult::Played(Err(CallError::NoMedia(_))), .. }]
    ));
    let stopped = story.feed(Input::Cancel { op: OP });
    assert!(matches!(stopped.as_slice(), [Output::StopPlay { .. }]));
}

#[test]
fn a_parameter_out_of_range_is_refused_with_the_range() {
    let mut story = Story::new(true);
    let options = PlayOptions { max_ms: Some(1), ..PlayOptions::default() };
    let refused = story.ask(Request::Play { audio: Audio::Prompt("welcome".into()), options });
    let [Output::Result { result: HostResult::Played(Err(CallError::Invalid(why))), .. }] = refused.as_slice() else {
        panic!("{refused:?}")
    };
    assert!(why.contains("100 to 3,600,000"));
}

#[test]
fn a_digit_ends_a_prompt_that_may_be_stopped() {
    let mut story = Story::new(true);
    let options = PlayOptions { stop_on_digit: true, ..PlayOptions::default() };
    story.ask(Request::Play { audio: Audio::Prompt("welcome".into()), options });
    let stopped = story.feed(Input::Digit { leg: LegId::CALLER, digit: '5' });
    assert!(
        stopped.iter().any(|o| matches!(o, Output::Result { result: HostResult::Played(Ok(PlayEnd::Digit('5'))), .. }))
    );
}

#[test]
fn a_leg_whose_end_is_lost_does_not_keep_the_call_for_ever() {
    let mut story = Story::new(true);
    story.rings(&["102"], RingOrder::One);
    story.offers("102", 1);
    story.ended(0, 487);
    story.wait(40_000);
    assert_eq!(story.record().outcome, CallOutcome::Abandoned);
    assert_eq!(story.call.poll_timeout(), None);
}

#[test]
fn decision_4_a_user_taken_by_another_call_stops_ringing_here_and_the_others_ring_on() {
    let mut story = Story::new(true);
    story.rings(&["102", "103"], RingOrder::AtOnce);
    story.offers("102", 2);
    story.offers("103", 1);
    let taken = story.feed(Input::UserTaken(user("102")));
    let stopped: Vec<_> =
        taken.iter().filter(|o| matches!(o, Output::CancelLeg { why: CancelWhy::CompletedElsewhere, .. })).collect();
    assert_eq!(stopped.len(), 2);
    assert_eq!(rang(&taken), None, "103 still rings");
    assert_eq!(rang(&story.ended(3, 480)), Some(Err(NotConnected::NoAnswer(Cause::of(486)))));
}

#[test]
fn our_own_503_is_told_and_that_of_another_is_500() {
    for (input, told) in [
        (Input::LegNotMade { leg: LegId(1), cause: Cause::of(503) }, 503),
        (Input::LegEnded { leg: LegId(1), cause: Cause::of(503) }, 500),
    ] {
        let mut story = Story::new(false);
        let parties = vec![Party::User(user("102"))];
        let (ring_for, ring_back) = (Duration::from_secs(60), RingBack::Tone);
        let request = Request::Ring { parties, order: RingOrder::One, ring_for, ring_back };
        story.feed(Input::Request { op: Op::Direct, request });
        story.offers("102", 1);
        assert!(story.feed(input).contains(&Output::RejectCaller(Cause::of(told))));
        story.ended(0, told);
        assert_eq!(story.record().legs[1].cause.status, 503, "the record keeps what the leg was told");
    }
}

#[test]
fn whoever_rang_beside_the_winner_is_given_back_too() {
    let mut story = Story::new(true);
    story.rings(&["102", "103"], RingOrder::AtOnce);
    story.offers("102", 1);
    story.offers("103", 1);
    let won = story.answers(1);
    assert!(won.contains(&Output::Release { user: user("103") }), "{won:?}");
    assert!(!won.contains(&Output::Release { user: user("102") }), "{won:?}");
}

/// Rings one number outside, through these gateways.
fn dials_through(gateways: &[&str]) -> Request {
    let office = OfficeId::new("main").unwrap();
    let way = |name: &&str| way_through(GatewayId::new(&office, name).unwrap(), "+4930".into());
    let parties = vec![Party::Outside { ways: gateways.iter().map(way).collect(), phone: None }];
    let (order, ring_for) = (RingOrder::One, Duration::from_secs(60));
    Request::Ring { parties, order, ring_for, ring_back: RingBack::Tone }
}

/// The gateways of the legs that were made.
fn through(outputs: &[Output]) -> Vec<String> {
    let gateway = |output: &Output| match output {
        Output::MakeLeg { party: Party::Outside { ways, .. }, .. } => {
            ways.first().map(|way| way.gateway.name.to_string())
        }
        _ => None,
    };
    outputs.iter().filter_map(gateway).collect()
}

fn ends(leg: u32, status: u16) -> Input {
    Input::LegEnded { leg: LegId(leg), cause: Cause::of(status) }
}

#[test]
fn a_call_outside_goes_on_to_the_next_gateway_and_ends_with_the_best_answer() {
    let mut story = Story::new(true);
    assert_eq!(through(&story.feed(Input::Request { op: OP, request: dials_through(&["a", "b", "c"]) })), ["a"]);
    assert_eq!(through(&story.feed(ends(1, 503))), ["b"]);
    let not_made = Input::LegNotMade { leg: LegId(2), cause: Cause::of(503) };
    assert_eq!(through(&story.feed(not_made)), ["c"]);
    let over = story.feed(ends(3, 486));
    assert_eq!(through(&over), Vec::<String>::new());
    assert_eq!(rang(&over), Some(Err(NotConnected::NoAnswer(Cause::of(486)))));
}

#[test]
fn a_gateway_with_more_addresses_is_tried_again_before_the_next_one() {
    let mut story = Story::new(true);
    story.feed(Input::Request { op: OP, request: dials_through(&["a", "b"]) });
    story.feed(Input::LegHasMore(LegId(1)));
    assert_eq!(through(&story.feed(ends(1, 408))), ["a"]);
    story.feed(Input::LegHasMore(LegId(2)));
    assert_eq!(through(&story.feed(ends(2, 500))), ["b"], "500 is said of the call, not of the address");
    assert_eq!(through(&story.feed(ends(3, 500))), Vec::<String>::new());
}

#[test]
fn nobody_who_picks_up_is_an_answer_and_so_is_what_the_called_side_says() {
    for (rings, status) in [(true, 408), (false, 480), (false, 404), (false, 603), (false, 401)] {
        let mut story = Story::new(true);
        story.feed(Input::Request { op: OP, request: dials_through(&["a", "b"]) });
        if rings {
            story.feed(Input::LegRang(LegId(1)));
        }
        assert_eq!(through(&story.feed(ends(1, status))), Vec::<String>::new(), "{status}");
    }
}

#[test]
fn r42_the_scenario_hears_of_each_that_rings_and_of_each_that_hangs_up() {
    let mut story = Story::new(true);
    story.feed(Input::Request { op: OP, request: dials_through(&["a", "b"]) });
    story.feed(ends(1, 503));
    assert_eq!(story.told, [], "one that never rang was never in the call");
    story.feed(Input::LegRang(LegId(2)));
    story.feed(Input::LegRang(LegId(2)));
    assert_eq!(story.told, [Output::Rang { leg: LegId(2) }], "once, however often it says so");
    story.answers(2);
    story.feed(ends(2, 200));
    story.feed(ends(0, 200));
    assert_eq!(story.told[1..], [Output::HungUp { leg: LegId(2) }, Output::HungUp { leg: LegId(0) }]);
}

#[test]
fn r42_a_gateway_that_is_heard_before_its_answer_rings_as_well() {
    let mut story = Story::new(true);
    story.feed(Input::Request { op: OP, request: dials_through(&["a"]) });
    story.feed(early(1, false));
    story.feed(early(1, true));
    assert_eq!(story.told, [Output::Rang { leg: LegId(1) }]);
}
