//! What the world tells the call.

use plugboard_model::{
    Audio, CallId, Cause, CollectRequest, ConferenceRequest, Direction, FaxError, FaxReceived, FaxRequest, ForwardWhy,
    GatewayId, LegId, Mailbox, NotJoined, PlayOptions, RingBack, RouteId, RunId, ScenarioId, UserId, WallTime,
};
use std::time::Duration;

use crate::PlayId;

/// How the call came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    /// Its id.
    pub id: CallId,
    /// The wall clock at `Time::ZERO`.
    pub wall: WallTime,
    /// From where to where.
    pub direction: Direction,
    /// The caller's number, empty when withheld.
    pub caller: String,
    /// The caller's name.
    pub caller_name: String,
    /// The caller, when he is a user: his slot is taken, and he is never rung himself.
    pub caller_user: Option<UserId>,
    /// The gateway it came from.
    pub caller_gateway: Option<GatewayId>,
    /// The number called.
    pub called: String,
    /// The route's name, for people.
    pub route: Option<String>,
    /// The scenario that decides, if one does.
    pub scenario: Option<ScenarioId>,
    /// How often it was sent on before it came to us.
    pub forwarded: usize,
    /// Whoever called for help is called back: he is rung whatever his status.
    pub call_back: bool,
    /// Who made it.
    pub origin: Origin,
}

/// Who made a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// A caller, whose leg exists.
    #[default]
    Caller,
    /// The switch itself: there is no caller. Whoever answers [`Request::CallOut`] is who the call is about.
    Ours,
}

/// Who asked: the answer goes back there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// Host call `n` of a run.
    Run {
        /// The run.
        run: RunId,
        /// The host call.
        n: u32,
    },
    /// The call's own default treatment (a direct call): not connected ends the call with the cause.
    Direct,
    /// A transfer: not connected leads back to who wanted it.
    Transfer,
    /// A mailbox, on behalf of a run or of a feature code.
    Voicemail,
    /// A queue, on behalf of a run: the caller hears what he hears while somebody rings for him.
    Queue,
    /// The switch itself, in a call of [`Origin::Ours`]: whoever has the order.
    Errand,
}

/// Who is to be rung.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Party {
    /// Every device that the user offers.
    User(UserId),
    /// An outside number, through the first of these that takes the call.
    Outside {
        /// Best first; at least one.
        ways: Vec<Way>,
        /// What it is besides a number.
        phone: Option<Phone>,
    },
    /// A SIP address outside, for which no gateway stands.
    Address(String),
}

/// A phone outside that is rung in the place of somebody, or that has to show that a person answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone {
    /// Whose: he is asked whether he may be rung, and takes the call when it answers.
    pub of: Option<UserId>,
    /// What it has to show.
    pub confirm: Option<Confirm>,
}

/// Who answers has to press 1: a mobile's mailbox picks up as well, and would have the call (decision 13 of the requirements).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm {
    /// For so long it may be pressed, from the answer on.
    pub within: Duration,
    /// What he hears again and again meanwhile: the first of these that can be played.
    pub asks: Vec<Audio>,
}

impl Party {
    /// Its ways to the outside; a user has none.
    pub fn ways_mut(&mut self) -> &mut [Way] {
        match self {
            Self::User(_) | Self::Address(_) => &mut [],
            Self::Outside { ways, .. } => ways,
        }
    }
}

/// One way to an outside number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// The gateway.
    pub gateway: GatewayId,
    /// The number as the gateway wants it.
    pub number: String,
    /// Where the gateway itself has sent the call: one of its addresses, or its name.
    pub at: Option<String>,
    /// What the call is worth.
    pub urgency: Urgency,
    /// The user at whose cost it goes: who dialled, or who handed or sent it on.
    pub payer: Option<UserId>,
}

/// What a call to the outside is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Urgency {
    /// Limits hold, and what the called side answers is the answer.
    #[default]
    Usual,
    /// Only an answer is one: whatever else becomes of it, the next way is tried.
    Test,
    /// The same, and it takes a channel from another call.
    Help,
    /// The same, and it goes there even when the gateway is down.
    LastResort,
}

/// Whether ringing reserves the user's slot (decision 4 of the requirements).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RingOrder {
    /// One user, or one after the other: the slot is reserved before his devices ring.
    One,
    /// Several at once: nobody is reserved, the answer takes the slot.
    AtOnce,
}

/// Something asked of the call by a run or by its default treatment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Answer the caller.
    Answer,
    /// Play to the caller.
    Play {
        /// What.
        audio: Audio,
        /// How long, and what stops it.
        options: PlayOptions,
    },
    /// Collect digits from the caller.
    Collect(CollectRequest),
    /// Return the caller's voice.
    Echo {
        /// For how long.
        max: Duration,
    },
    /// Let the caller talk in a room.
    Confer(ConferenceRequest),
    /// Take down what the caller says. Answered as a playback is: by the key that ended it, as time over, or as finished when the
    /// recorder ended it ([`Input::DictationOver`]).
    Dictate {
        /// The key that ends it; others are passed over.
        stop_on: char,
        /// At most so long.
        max: Duration,
    },
    /// Put the caller aside, with the office's music on hold, until [`Input::Join`] without a leg fetches him.
    Park {
        /// Where, for people.
        place: String,
        /// At most so long.
        max: Duration,
    },
    /// Let the caller send a fax.
    ReceiveFax(FaxRequest),
    /// Send a fax to whom the call is about.
    SendFax {
        /// For so long at most.
        max: Duration,
    },
    /// Wait for the next event.
    NextEvent {
        /// At most so long.
        timeout: Duration,
    },
    /// End the call.
    HangUp(Cause),
    /// Call somebody from whom nobody called: a call of [`Origin::Ours`] alone asks for it, once. Who answers first is who the call is
    /// about from then on, and hears nothing yet; when nobody does, the call ends.
    CallOut {
        /// Whom; resolved by the office, at most 256.
        parties: Vec<Party>,
        /// With or without reservation.
        order: RingOrder,
        /// For how long.
        ring_for: Duration,
    },
    /// Let the caller hear what became of his feature code, and end the call: as done, or with this cause.
    Tell(Result<(), Cause>),
    /// Ring, and connect the first who answers.
    Ring {
        /// Whom; resolved from targets by the office, at most 256.
        parties: Vec<Party>,
        /// With or without reservation.
        order: RingOrder,
        /// For how long.
        ring_for: Duration,
        /// What the caller hears.
        ring_back: RingBack,
    },
}

/// The devices a user offers for a call, by place in the switch's own list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedDevices {
    /// What to show of each, such as its contact address; the leg is told its place here.
    pub devices: Vec<String>,
    /// His own answer time, when it is shorter than the step's (R6).
    pub ring_for: Option<Duration>,
    /// More of his devices may wake up: another answer follows, with those that did or with none.
    pub waking: bool,
    /// Where the call goes if he does not answer.
    pub forwards: OwnForwards,
}

/// Where a user's call goes once he was rung, as the office resolves it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnForwards {
    /// When his devices are busy or decline.
    pub busy: Option<Onward>,
    /// When he has not answered for so long.
    pub no_answer: Option<(Duration, Onward)>,
    /// When his devices cannot be reached.
    pub unreachable: Option<Onward>,
}

/// How media ended a playback by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlayFinish {
    /// The audio was over.
    Finished,
    /// The set time was over.
    TimeOver,
    /// Missing or broken, with the reason.
    NotPlayable(String),
}

/// Somebody who has sent a call on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// Who, if he is a user.
    pub user: Option<UserId>,
    /// What was called: his name in the office, or the number outside.
    pub number: String,
    /// Why.
    pub why: ForwardWhy,
}

/// A scenario, and what led there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Led {
    /// Which.
    pub scenario: ScenarioId,
    /// By this route: it says what the scenario may do.
    pub route: RouteId,
}

/// Where a call is sent on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Onward {
    /// Who is rung: resolved by the office.
    pub parties: Vec<Party>,
    /// With or without reservation.
    pub order: RingOrder,
    /// The number, for people.
    pub to: String,
    /// The scenario that begins there, in place of people.
    pub scenario: Option<Box<Led>>,
}

/// What a call is handed on to that is nobody who rings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Service {
    /// A scenario begins for who is handed on.
    Scenario(Led),
    /// He hears the messages of this mailbox, when he knows its PIN; without one he is asked which.
    Mailbox(Option<Mailbox>),
}

/// A called leg is over, and names others in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// Which.
    pub leg: LegId,
    /// As what it is over.
    pub cause: Cause,
    /// Whom it names, best first, as far as the office lets it; tried one after the other.
    pub targets: Vec<Onward>,
    /// Why.
    pub why: ForwardWhy,
}

/// How somebody is handed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    /// Who hands on whom he talks to.
    pub by: LegId,
    /// To whom: resolved by the office, at most 256. None where a service takes him.
    pub parties: Vec<Party>,
    /// What takes him in place of people.
    pub service: Option<Service>,
    /// With or without reservation.
    pub order: RingOrder,
    /// For how long.
    pub ring_for: Duration,
    /// Whether `by` is rung when nobody answers and he has left.
    pub recall: bool,
    /// The number, for people.
    pub to: String,
}

/// How a call is put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Park {
    /// Who parks whom he talks to.
    pub by: LegId,
    /// Where, for people.
    pub place: String,
    /// When he is rung if nobody fetches the call.
    pub after: Duration,
    /// For how long.
    pub ring_for: Duration,
    /// How often; then the call ends.
    pub rounds: u32,
}

/// What the world tells the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// First, once: the caller's leg exists and is unanswered.
    Begin(Box<Begin>),
    /// A run or the default treatment asks for something.
    Request {
        /// Who asks.
        op: Op,
        /// What.
        request: Request,
    },
    /// The asker is gone: undo what it asked, no result.
    Cancel {
        /// Who asked.
        op: Op,
    },
    /// The scenario has no more steps: the call ends unless people talk, and then when they stop.
    ScenarioEnded,
    /// A user answers [`crate::Output::AskUser`].
    UserOffers {
        /// Who.
        user: UserId,
        /// His devices, or why he cannot be rung.
        offer: Result<OfferedDevices, Cause>,
    },
    /// ... or he wants the call to go elsewhere at once.
    UserForwards {
        /// Who.
        user: UserId,
        /// Why.
        why: ForwardWhy,
        /// Where, or why the office does not let it go there.
        to: Result<Onward, Cause>,
    },
    /// A user answers [`crate::Output::Claim`].
    Claimed {
        /// For this leg.
        leg: LegId,
        /// Whether the slot is ours.
        granted: bool,
    },
    /// Another call took this user while we ring him: his devices stop, without a missed call (decision 4).
    UserTaken(UserId),
    /// A leg to a gateway goes to one of several addresses that it has: if that one fails, the gateway may be tried again.
    LegHasMore(LegId),
    /// A called leg rings (SIP 180 or 183).
    LegRang(LegId),
    /// The called side may send sound before it answers: a 18x with a session description (RFC 3960 section 3).
    LegEarlyMedia {
        /// Which.
        leg: LegId,
        /// It says that it rings (a 180), so that there may be no sound.
        rings: bool,
    },
    /// ... and says that there is no sound any more: the caller hears ring-back again.
    LegEarlySilence(LegId),
    /// A called leg was answered.
    LegAnswered(LegId),
    /// A leg is over: told exactly once for each leg that was made, whoever ended it.
    LegEnded {
        /// Which.
        leg: LegId,
        /// Why.
        cause: Cause,
    },
    /// A leg could not be made: no port, no channel, no such device. In place of [`Input::LegEnded`].
    LegNotMade {
        /// Which.
        leg: LegId,
        /// Why.
        cause: Cause,
    },
    /// A called leg is over and others are to be rung in its place (RFC 3261 section 8.1.3.4). In place of [`Input::LegEnded`].
    LegRedirected(Redirect),
    /// A leg puts whoever it talks to on hold, or takes him back (RFC 3264 section 8.4). It was answered already: what
    /// else a new offer changes is a matter of its own media.
    LegHolds {
        /// Which.
        leg: LegId,
        /// On hold, or back.
        on: bool,
    },
    /// Hand on whom this leg talks to: he is connected to whoever answers, this leg is let go. By REFER, or by the switch.
    /// It must talk to somebody ([`crate::Call::may_hand_on`]); else it is refused with 481.
    Transfer(Transfer),
    /// Put aside whom this leg talks to: he hears music until [`Input::Join`] without a leg fetches him; this leg is let go. As
    /// [`Input::Transfer`] it needs somebody to be put aside.
    Park(Park),
    /// This leg gives its place to another call: whom it talks to is connected to who stays there. Without a leg, the
    /// caller of a call that is nothing yet is. The new leg is told by [`crate::Output::Joint`].
    Join {
        /// Whose place the other call takes.
        leaving: Option<LegId>,
        /// The other call, for people.
        other: String,
    },
    /// Neither RTP nor RTCP came from a leg for long, though it should speak.
    LegSilent {
        /// Which.
        leg: LegId,
        /// Whether it was ever heard: who was not may be behind something that lets nothing through, and is not asked.
        heard: bool,
    },
    /// A leg answers [`crate::Output::AskLeg`]: it is there. One that is not is over, by [`Cause::silent`].
    LegLives(LegId),
    /// A leg that was silent is heard again.
    LegHeard(LegId),
    /// A digit was pressed (RFC 4733 or INFO).
    Digit {
        /// By whom.
        leg: LegId,
        /// `0-9 * # A-D`.
        digit: char,
    },
    /// A playback ended by itself.
    PlayEnded {
        /// Which.
        play: PlayId,
        /// How.
        finish: PlayFinish,
    },
    /// The recorder has ended what [`crate::Output::Dictate`] began: a silence, the longest length, the disk.
    DictationOver,
    /// Keys that were pressed and asked for by nobody yet are no answers to what is asked next.
    ForgetKeys,
    /// [`crate::Output::Sit`] found no seat, for this reason.
    NotSeated(NotJoined),
    /// The caller is a fax machine: who wants to receive from it need not wait for those who ring or talk to it.
    FaxHeard,
    /// What became of [`crate::Output::Fax`] or [`crate::Output::SendFax`].
    Faxed(Result<FaxReceived, FaxError>),
    /// The switch or an admin ends the call.
    HangUp(Cause),
    /// The time of [`crate::Call::poll_timeout`] has come.
    Tick,
}
