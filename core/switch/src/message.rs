//! The messages between actors. A command is an imperative, an event is in the past tense, a question begins with Get.

mod errand;
mod gateways;
mod notices;
mod orders;
mod people;
mod queue;
mod watch;

pub(crate) use errand::{CallBack, Errand, FaxErrand, FaxTried, Originate, Report, end_of, end_of_cause};
pub use gateways::GatewayState;
pub(crate) use gateways::{GetGatewayState, LeaveGateway, UseGateway};
pub(crate) use notices::{
    DropNotice, ForgetNotices, GetNotice, GetNotices, NoticeKept, NoticeTried, RetryNotice, TakeNotice, Told,
};
pub use orders::{FaxRefused, NewFax, TakenFax};
pub(crate) use orders::{ForgetFaxOrders, GetFaxOrder, GetFaxOrders, OrderFax, WithdrawFax};
pub(crate) use people::{ChangeSettings, GetLastCaller, LastCaller, SettingsChanged};
pub(crate) use queue::{GetQueues, QueueNews, UseQueue};
pub(crate) use watch::{
    LegLamp, MailboxShows, PlaceShows, PressKey, Publish, PushGone, ShowTo, TakeSubscription, UseLamp, UserCall,
    UserShows, UserView, Watched,
};

use actix::{Message, Recipient};
use bytes::Bytes;
use plugboard_call::{CancelWhy, OfferedDevices};
use plugboard_media::{Codec, Event as MediaEvent, ImageTerms, MediaLeg, Room};
use plugboard_model::{CallId, Cause, LegEncryption, LegId, UserId};
use plugboard_office::RecordRule;
use plugboard_plugin::RunEvent;
use plugboard_sip::flow::Flow;
use plugboard_sip::locate::{Answer, NotFound, Question, Target};
use plugboard_sip::transaction::{Input as LayerInput, Output as LayerOutput, ServerTx};
use plugboard_sip::trunk::Placement;
use plugboard_sip::{Message as SipMessage, Request};
use std::sync::Arc;
use std::time::Duration;

use crate::channels::Channel;
use crate::snapshot::Snapshot;

/// Event: a message came from the network. From a listener to the shard's `SipActor`.
///
/// When the mailbox is full the message is dropped and counted: UDP senders repeat, and TCP peers are slowed.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Received {
    /// Over what.
    pub(crate) flow: Flow,
    /// The message.
    pub(crate) wire: Wire,
    /// When it was read. What it has waited since tells whether the shard keeps up.
    pub(crate) came: plugboard_model::Time,
}

/// A message as its listener has it.
#[derive(Debug)]
pub(crate) enum Wire {
    /// A datagram, not looked at.
    Datagram(Bytes),
    /// What a stream was cut into, which takes reading it.
    Framed(Box<SipMessage>),
    /// The beginning of what we sent and nobody took: its peer's host says so.
    Undelivered(Bytes),
}

/// Event: a connection ended. From a listener to every `SipActor`.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(crate) struct ConnectionClosed(pub(crate) Flow);

/// Command: something for the transaction layer. From legs and users to their `SipActor`.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct ToLayer(pub(crate) LayerInput);

/// Event: something of a leg's transactions. From `SipActor` to the `LegActor` that owns them.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct FromLayer(pub(crate) LayerOutput);

/// Command: from now on `owner` is this leg. From a new `LegActor` to its `SipActor`, before anything else.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Adopt {
    pub(crate) owner: u64,
    pub(crate) call: CallId,
    /// The SIP Call-ID, by which the call's messages are kept for its trace.
    pub(crate) sip_call_id: Box<str>,
    /// When the call began, by the switch's clock.
    pub(crate) began: plugboard_model::Time,
    pub(crate) leg: LegId,
    pub(crate) events: Recipient<FromLayer>,
    /// Asked whether another call may take the leg's place.
    pub(crate) join: Recipient<JoinAsked>,
}

/// Event: a leg is over; nothing more is for it. From `LegActor` to its `SipActor`.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(crate) struct Forget {
    pub(crate) owner: u64,
}

/// Event: a new call was refused; nothing more of it is kept. From `CallsActor` to the `SipActor` of its shard.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(crate) struct ForgetTrace {
    pub(crate) sip_call_id: String,
    pub(crate) call: CallId,
}

/// Command: a new call came in. From `SipActor` to `CallsActor` of the same shard, authenticated and routed to an office.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct TakeCall {
    pub(crate) id: CallId,
    pub(crate) tx: ServerTx,
    pub(crate) request: Request,
    pub(crate) flow: Flow,
    pub(crate) source: plugboard_office::Source,
    pub(crate) office: Arc<plugboard_office::Office>,
    /// Whether the caller has shown that he is who he says; only a call for help comes without.
    pub(crate) proven: bool,
}

/// Command: what a leg is to do. From `CallActor` to `LegActor`.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct DoLeg(pub(crate) LegCommand);

/// What a leg is to do.
#[derive(Debug)]
pub(crate) enum LegCommand {
    /// Tell the caller that it rings.
    Ring,
    /// Let the caller hear what comes before the answer, with this codec if he offered it.
    Progress { prefer: Option<Codec>, rings: bool },
    /// Answer the caller, with this codec if he offered it.
    Answer { prefer: Option<Codec> },
    /// Refuse the caller.
    Reject(Cause),
    /// Refuse him, and tell him why: in words of ours, never in those of another leg.
    RejectInWords(Cause),
    /// Stop calling.
    Cancel(CancelWhy),
    /// Hang up.
    End(Cause),
    /// End it for what its media came to: that is its cause.
    GiveUp(Cause),
    /// Begin the handshake of its media anew.
    ShakeAgain,
    /// Take on the REFER of the far end.
    AcceptTransfer,
    /// Refuse it.
    RejectTransfer(u16),
    /// Tell the far end how far the call is that it wanted.
    NotifyTransfer(u16),
    /// Ask the far end whether it is there.
    Ask,
    /// Tell its far end something in words.
    Say(String),
    /// Tell the far end of a digit by INFO.
    SendDigit { digit: char, duration: Duration },
    /// Offer the far end to go on by T.38: [`LegNews::ImageAnswered`] follows.
    OfferImage(ImageTerms),
    /// Answer the far end that wants to go on by T.38, or refuse it with this status: audio goes on then.
    AnswerImage(Result<ImageTerms, u16>),
    /// Offer the far end to go on by audio, after T.38.
    OfferAudio,
    /// Go on in the first of these codecs that the far end has named: [`LegNews::Speaks`] follows, whatever comes of it.
    Speak(Vec<Codec>),
    /// Show the far end whom it talks to now: a name and a number, and how it is written as an address.
    Identify(Shown),
}

/// Event: what happened to a leg. From `LegActor` to `CallActor`.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct LegEvent {
    pub(crate) leg: LegId,
    pub(crate) event: LegNews,
}

/// What happened to a leg.
#[derive(Debug)]
pub(crate) enum LegNews {
    /// The device that it rings at has a dialog with us: Call-ID, its tag and ours.
    Dialog([String; 3]),
    /// It rings.
    Rang,
    /// It may send sound before it answers; what was agreed, and whether it says that it rings.
    EarlyMedia { codec: Codec, rings: bool },
    /// It says that there is no sound before its answer, or no more.
    EarlySilence,
    /// It was answered; what was agreed.
    Answered { codec: Codec },
    /// What it speaks from now on, or still, after it was asked for something else.
    Speaks(Codec),
    /// It is over; its media is closed.
    Ended(Cause),
    /// The proxy before the device has lost it, as it said itself; that the leg is over follows.
    FlowLost,
    /// It is over as [`LegNews::Ended`] has it, and nobody was reached: another flow of the same device may be tried.
    FlowFailed(Cause),
    /// It is over as [`LegNews::Ended`] has it, and names others in its place: the URIs of a 3xx, best first.
    Redirected { cause: Cause, contacts: Vec<String> },
    /// The far end listens no longer, or listens again.
    Holds(bool),
    /// How its media is encrypted by what was agreed now; none: not, or not before a handshake.
    Encrypted(Option<LegEncryption>),
    /// The far end is there, as it was asked.
    Lives,
    /// The far end hands on whom it talks to (REFER).
    Refers { target: String },
    /// Another call wants to take its place; it exists, and how far it is fits.
    JoinAsked(Box<JoinAsked>),
    /// A digit by SIP INFO.
    Digit { digit: char, duration: Duration },
    /// The far end wants to go on by T.38, and can this: [`LegCommand::AnswerImage`] answers.
    ImageOffered(ImageTerms),
    /// The far end takes T.38, and can this; or refuses it, with this status: audio goes on.
    ImageAnswered(Result<ImageTerms, u16>),
    /// The far end is back from T.38 to audio.
    ImageOver,
    /// The far end takes its wish for T.38 back that was told by [`LegNews::ImageOffered`].
    ImageWithdrawn,
}

/// Somebody as others are shown him.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// Empty when there is none.
    pub(crate) name: String,
    /// Empty when it is withheld.
    pub(crate) number: String,
    /// Name and address as From has them.
    pub(crate) address: String,
}

/// Question: may a call take the place of this dialog? From `CallActor` to the `SipActor` of the dialog's shard, from there by way
/// of the `LegActor` to the `CallActor` of the dialog; the answer goes to `wish.answer`.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct JoinAsked {
    pub(crate) replaces: plugboard_sip::Replaces,
    pub(crate) wish: Wish,
}

/// Question: may a call be taken that rings this user? From `CallActor` by way of his `UserActor` to the `CallActor` that rings
/// him; the answer goes to `wish.answer`.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct TakeRinging {
    pub(crate) whom: UserId,
    pub(crate) wish: Wish,
    /// Where else he may ring.
    pub(crate) calls: std::collections::VecDeque<Recipient<TakeRinging>>,
}

/// Question: may the call be taken that is parked? From `CallActor` to the `CallActor` of the parked call; the answer goes to
/// `wish.answer`.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct TakeParked(pub(crate) Wish);

/// Who wants to be joined with a call.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) by: UserId,
    /// Who will be there in place of whom the call has.
    pub(crate) joint: Box<Joint>,
    pub(crate) answer: JoinAnswer,
}

/// Where the answer to a wish goes: exactly one, also when whoever was asked is gone.
#[derive(Debug)]
pub(crate) struct JoinAnswer(Option<Recipient<JoinAnswered>>);

impl JoinAnswer {
    pub(crate) const fn to(call: Recipient<JoinAnswered>) -> Self {
        Self(Some(call))
    }

    pub(crate) fn give(mut self, answer: Result<Box<Joint>, u16>) {
        if let Some(call) = self.0.take() {
            crate::post::post(&call, JoinAnswered(answer));
        }
    }
}

impl Drop for JoinAnswer {
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            crate::post::post(&call, JoinAnswered(Err(481)));
        }
    }
}

impl Wish {
    /// It may not, with this status.
    pub(crate) fn refuse(self, status: u16) {
        self.answer.give(Err(status));
    }
}

impl JoinAsked {
    /// It may not, with this status.
    pub(crate) fn refuse(self, status: u16) {
        self.wish.refuse(status);
    }
}

/// Event: the answer to [`JoinAsked`]: the other call, or a final status. From the dialog's `CallActor`, or who finds that there is none.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct JoinAnswered(pub(crate) Result<Box<Joint>, u16>);

/// A call as another one knows it that it is joined with.
#[derive(Debug, Clone)]
pub(crate) struct Joint {
    pub(crate) call: CallId,
    /// Who is there.
    pub(crate) shown: Shown,
    /// His media leg.
    pub(crate) media: MediaLeg,
    pub(crate) codec: Option<Codec>,
    /// Whether he may or must be recorded.
    pub(crate) record: RecordRule,
    pub(crate) news: Recipient<JointNews>,
}

/// Event: something of the call that this one is joined with. From `CallActor` to `CallActor`.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct JointNews {
    /// From which.
    pub(crate) call: CallId,
    pub(crate) news: JointEvent,
}

/// What happens to a call that another one is joined with.
#[derive(Debug)]
pub(crate) enum JointEvent {
    /// It lets go.
    Over(Cause),
    /// Who is there now.
    Shows(Shown),
    /// Where it hears our side, when the two are on different media threads.
    HearsAt(std::net::SocketAddr),
}

/// Event: something of media. From the media plane's sink to the shard's `CallsActor`, which knows whose it is.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct MediaHappened(pub(crate) MediaEvent);

/// Event: something of a call's runs, in order. From the plugin threads' sink to the shard's `CallsActor`, which hands it
/// to that call's `CallActor`.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct RunHappened {
    pub(crate) call: CallId,
    pub(crate) events: Vec<RunEvent>,
}

/// Event: a call's media leg did something. From `CallsActor` to `CallActor`.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct LegMedia {
    pub(crate) leg: LegId,
    pub(crate) event: MediaEvent,
}

/// Command: media events of this leg are for this call. From `CallActor` to `CallsActor`.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(crate) struct WatchMedia {
    pub(crate) media: MediaLeg,
    pub(crate) call: CallId,
    pub(crate) leg: LegId,
}

/// Question: may somebody listen to the talk of this user? From a `CallActor` to the one in which he talks.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Supervise {
    pub(crate) whom: UserId,
    pub(crate) by: UserId,
    pub(crate) answer: Recipient<Supervised>,
    /// Told when there is nothing more to listen to.
    pub(crate) over: Recipient<SupervisedOver>,
}

/// Answer to [`Supervise`]: where they sit, whom a whisper is for, and who is told when it is enough.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Supervised(pub(crate) Result<(Room, MediaLeg, Recipient<SuperviseNo>), Cause>);

/// Command: this one listens no more. From the `CallActor` of who listened.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct SuperviseNo {
    pub(crate) over: Recipient<SupervisedOver>,
}

/// Event: the talk that is listened to is over. To the `CallActor` of who listens.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(crate) struct SupervisedOver;

/// Event: nothing more of a media leg is awaited, though its thread did not say that it is closed. From `CallActor` to `CallsActor`.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(crate) struct UnwatchMedia(pub(crate) MediaLeg);

/// Event: a call is over; its actor stops. From `CallActor` to `CallsActor`.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(crate) struct CallOver(pub(crate) CallId);

/// Command: end a call. From the outside to every `CallsActor`; the answer says whether it was there.
#[derive(Debug, Clone, Message)]
#[rtype(result = "bool")]
pub(crate) struct HangUpCall {
    pub(crate) call: CallId,
    pub(crate) cause: Cause,
}

/// Command: end every call. At the drain's limit.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(crate) struct HangUpAll(pub(crate) Cause);

/// Command: end this call. From `CallsActor` to `CallActor`.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(crate) struct EndCall(pub(crate) Cause);

/// Question: which calls are there? Answered by each `CallsActor`.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Vec<LiveCall>")]
pub(crate) struct GetCalls;

/// A call that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveCall {
    /// Which.
    pub id: CallId,
    /// The caller's number.
    pub caller: String,
    /// The number called.
    pub called: String,
    /// When it began.
    pub began: plugboard_model::WallTime,
    /// The route that it took.
    pub route: Option<String>,
    /// The scenario that it runs.
    pub scenario: Option<plugboard_model::ScenarioId>,
}

/// Question: what do you hold for calls? Answered by every `SipActor` and `CallsActor`, each for its part.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "Holdings")]
pub(crate) struct GetHoldings;

/// What the switch holds for calls that go on; once they are over and the timers of SIP have run out, nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holdings {
    /// Calls.
    pub calls: usize,
    /// Legs with a SIP session.
    pub legs: usize,
    /// SIP transactions; they outlive their calls by up to 32 s.
    pub transactions: usize,
    /// Media legs whose events are waited for.
    pub media: usize,
    /// Subscriptions; they outlive calls.
    pub subscriptions: usize,
    /// Rooms in which somebody is.
    pub rooms: usize,
    /// Users who talk, as often as they do.
    pub talks: usize,
    /// Callers who wait until somebody is free.
    pub waiting: usize,
}

/// Command: from now on new calls are refused with 503. To every `SipActor`.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(crate) struct Drain;

/// Command: from now on new calls use this snapshot. To every `SipActor` and `CallsActor`; running calls keep theirs.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(crate) struct UseSnapshot(pub(crate) Arc<Snapshot>);

/// Question: may this call ring you, and where? From `CallActor` to `UserActor`; the answer goes to `reply`.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct OfferCall {
    pub(crate) call: CallId,
    pub(crate) kind: plugboard_office::OfferKind,
    /// The user's own forwards apply.
    pub(crate) follows: bool,
    /// What he dials to call back.
    pub(crate) caller: Option<plugboard_model::Dialled>,
    /// One that called for help is rung even when it is not registered.
    pub(crate) device: Option<Device>,
    /// How long he writes the call up when it is over.
    pub(crate) wrap_up: std::time::Duration,
    pub(crate) reply: Recipient<UserOffered>,
    /// Told when another call takes him meanwhile.
    pub(crate) taken: Recipient<UserTaken>,
    /// Asked when somebody wants to take the call in his place.
    pub(crate) take: Recipient<TakeRinging>,
}

/// Event: another call took the user that this call rings. From `UserActor` to `CallActor`.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(crate) struct UserTaken(pub(crate) UserId);

/// Event: a user's answer to an offer. From `UserActor` to `CallActor`.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct UserOffered {
    pub(crate) user: UserId,
    /// The devices in words for the call, and each one's address and flow in the same order.
    pub(crate) offer: Result<(OfferedDevices, Vec<Device>), NotOffered>,
    /// Where the call goes once he was rung.
    pub(crate) forward: Option<plugboard_office::Forwards>,
}

/// Why a user's devices are not rung.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NotOffered {
    /// He cannot be had, and the caller is told why.
    Refused(Cause),
    /// His calls go there: a number as he would dial it.
    Forwards { why: plugboard_model::ForwardWhy, to: plugboard_model::Dialled },
}

/// Where a device is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Device {
    /// The registered contact: the Request-URI to use.
    pub(crate) contact: String,
    /// The flow that it registered over.
    pub(crate) flow: Flow,
    /// The proxies that lead to it: the values of Route.
    pub(crate) path: Vec<String>,
    /// Its other flows (RFC 5626), the best first; these have no others.
    pub(crate) others: Vec<Device>,
}

/// Question: is the slot ours? From `CallActor` to `UserActor`; the answer goes to `reply`.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct ClaimSlot {
    pub(crate) call: CallId,
    pub(crate) leg: LegId,
    pub(crate) reply: Recipient<SlotClaimed>,
}

/// Event: the answer to a claim. From `UserActor` to `CallActor`.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(crate) struct SlotClaimed {
    pub(crate) leg: LegId,
    pub(crate) granted: bool,
}

/// Command: the user's own call takes his slot; or his part in a call is over. From `CallActor` to `UserActor`.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(crate) enum UseSlot {
    /// He calls himself.
    Occupy(CallId),
    /// His part is over.
    Release(CallId),
}

/// Command: handle this REGISTER, authenticated. From `SipActor` to `UserActor`, which answers with [`ToLayer`].
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Register {
    pub(crate) tx: ServerTx,
    pub(crate) request: Request,
    pub(crate) flow: Flow,
    pub(crate) reply: Recipient<ToLayer>,
}

/// Event: a way to a device of the user is gone. To his `UserActor`.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(crate) enum LoseFlow {
    /// A connection that he registered over ended. From the `SipActor` that took the REGISTER.
    Connection(Flow),
    /// Nobody was reached at this contact over this flow. From a `CallActor` that rang it.
    Unanswered { contact: String, flow: Flow },
    /// A proxy says that what is beyond it is gone. From a `CallActor` that rang it or talked with it.
    Failed { contact: String, flow: Flow },
}

/// Question: what is registered? Answered by each `UserActor`.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "UserState")]
pub(crate) struct GetUserState;

/// What a user's actor knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserState {
    /// As actions see him.
    pub user: plugboard_model::DirectoryUser,
    /// What he has set.
    pub settings: plugboard_office::UserSettings,
    /// His registered contacts.
    pub contacts: Vec<RegisteredContact>,
    /// Calls that he has or that ring him.
    pub calls: usize,
}

/// A registered contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisteredContact {
    /// The contact URI.
    pub contact: String,
    /// Over what it registered.
    pub flow: Flow,
    /// Seconds until it expires.
    pub expires_in: u64,
}

/// Command: the office changed this user. From the `Switch` to `UserActor`.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(crate) struct UseUser(pub(crate) Arc<plugboard_office::User>);

/// Question: may one more call go through the gateway, and where? From `CallActor` to `GatewayActor`; the answer goes to
/// `reply`, at once unless the gateway's name is still looked for.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct AdmitCall {
    pub(crate) leg: LegId,
    /// Where the call was already.
    pub(crate) tried: Vec<Target>,
    pub(crate) urgency: plugboard_call::Urgency,
    pub(crate) reply: Recipient<CallAdmitted>,
    /// Told to end the call when a call for help needs its channel.
    pub(crate) end: Recipient<EndCall>,
}

/// Event: the gateway's answer. From `GatewayActor` to `CallActor`.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct CallAdmitted {
    pub(crate) leg: LegId,
    pub(crate) admitted: Result<(Placement, Channel), Cause>,
}

/// Event: a call to this address of the gateway got no answer, or a 503. From `CallActor` to `GatewayActor`.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(crate) struct TargetFailed(pub(crate) Target);

/// Event: an answer of DNS. From whoever asks for us to the `GatewayActor` that asked.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct NameAnswered {
    /// The trunk that asked.
    pub(crate) owner: u64,
    pub(crate) question: Question,
    pub(crate) answer: Result<Answer, NotFound>,
}

/// Command: what comes back to this owner's requests is for this gateway. From `GatewayActor` to its `SipActor`, before its
/// first request.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Hire {
    pub(crate) owner: u64,
    pub(crate) events: Recipient<FromLayer>,
}
