//! What the call asks of the world, in order.

use plugboard_model::{
    Audio, CallRecord, Cause, ConferenceRequest, FaxRequest, HostResult, JournalEvent, LegId, Mailbox, TapeWhy, UserId,
};
use std::time::Duration;

use crate::{Led, Op, Party};

/// A playback within its call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlayId(pub u32);

/// Why a ringing device stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelWhy {
    /// Another answered: no missed call there (RFC 3326).
    CompletedElsewhere,
    /// The caller gave up.
    CallerGone,
    /// The ring time is over.
    TimeOver,
    /// The user declined on another device of his (600, 603, 607).
    Declined,
    /// The user sent the call on from another device of his.
    Forwarded,
}

/// Why a user is rung.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskWhy {
    /// A scenario or a group offers him.
    Offered,
    /// Somebody dialled him, or hands a call on to him.
    Direct,
    /// A call that he handed on comes back: never refused.
    Recall,
    /// He called for help and is called back: never refused.
    CallBack,
    /// A phone of his outside is rung, and none of his devices: whether he is logged in does not matter.
    OnHisPhone,
}

/// What the call asks of the world.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Write this down before anything that follows acts.
    Journal(JournalEvent),
    /// Ask a user for his devices; answered by `Input::UserOffers`.
    AskUser {
        /// Who.
        user: UserId,
        /// Take his slot now (decision 4).
        reserve: bool,
        /// Why he is rung.
        why: AskWhy,
    },
    /// Take the user's slot for this answered leg if it is free; answered by `Input::Claimed`.
    Claim {
        /// Who.
        user: UserId,
        /// For this leg.
        leg: LegId,
    },
    /// The caller's own slot is in use: never refused.
    Occupy {
        /// Who.
        user: UserId,
    },
    /// Give the user's slot back.
    Release {
        /// Who.
        user: UserId,
    },
    /// Send an INVITE; the leg then tells what happens, and one `Input::LegEnded` at last.
    MakeLeg {
        /// The new leg.
        leg: LegId,
        /// To whom; outside, through the first of the ways that are left.
        party: Party,
        /// The device's place in `OfferedDevices::devices`; 0 for outside numbers.
        device: usize,
    },
    /// Stop a called leg that is not answered yet.
    CancelLeg {
        /// Which.
        leg: LegId,
        /// Why.
        why: CancelWhy,
    },
    /// Tell the unanswered caller that it rings (SIP 180).
    RingCaller,
    /// Let the unanswered caller hear what comes before the answer (SIP 180 or 183 with a session description).
    ProgressCaller {
        /// It rings (180): he makes his own ring-back until there is a sound.
        rings: bool,
    },
    /// Answer the caller (SIP 200).
    AnswerCaller,
    /// Refuse the unanswered caller with this final response.
    RejectCaller(Cause),
    /// End an answered leg (SIP BYE).
    EndLeg {
        /// Which.
        leg: LegId,
        /// Why, for the Reason header.
        cause: Cause,
    },
    /// Play to a leg; ring-back gives way to a bridged leg that is heard. Ends by itself (`Input::PlayEnded`) or by [`Output::StopPlay`].
    Play {
        /// To whom.
        leg: LegId,
        /// Names it.
        play: PlayId,
        /// What.
        audio: Audio,
        /// At most so long.
        max: Option<Duration>,
        /// Begin again at the end.
        repeat: bool,
    },
    /// Stop a playback; no `Input::PlayEnded` follows.
    StopPlay {
        /// To whom.
        leg: LegId,
        /// Which.
        play: PlayId,
    },
    /// Return a leg's voice to it, or stop it.
    Echo {
        /// Whose.
        leg: LegId,
        /// On or off.
        on: bool,
    },
    /// Begin a tape of what a leg says.
    Dictate {
        /// Whose words.
        leg: LegId,
    },
    /// ... and end it. What the recorder ended itself ([`crate::Input::DictationOver`]) needs no such end.
    StopDictating {
        /// Whose words.
        leg: LegId,
        /// Why.
        why: TapeWhy,
    },
    /// Let a leg's far end send a fax. [`crate::Input::Faxed`] says what became of it.
    Fax {
        /// Which.
        leg: LegId,
        /// How.
        request: FaxRequest,
    },
    /// Let a machine of ours send its fax to a leg. [`crate::Input::Faxed`] says what became of it.
    SendFax {
        /// To whom.
        leg: LegId,
    },
    /// End that, wherever it is; what came is kept.
    EndFax {
        /// Which.
        leg: LegId,
    },
    /// Seat a leg in a room. [`crate::Input::NotSeated`] says that it could not be.
    Sit {
        /// Whom.
        leg: LegId,
        /// Where and how.
        seat: ConferenceRequest,
    },
    /// Take a leg out of its room.
    Stand {
        /// Whom.
        leg: LegId,
    },
    /// Let two legs hear each other.
    Bridge {
        /// The one that the call is about: the caller, or who stays after he left.
        anchor: LegId,
        /// The other leg.
        peer: LegId,
    },
    /// The same before this leg answers; [`Output::Bridge`] or [`Output::Unbridge`] follows.
    EarlyBridge {
        /// As in [`Output::Bridge`].
        anchor: LegId,
        /// The other leg.
        peer: LegId,
    },
    /// ... and no longer.
    Unbridge {
        /// The other leg.
        peer: LegId,
    },
    /// Let a leg that is on hold hear what the office has for that; as a playback it ends by [`Output::StopPlay`].
    HoldMusic {
        /// Which.
        leg: LegId,
        /// Names it.
        play: PlayId,
    },
    /// For the scenario: somebody who is called rings. Once for each leg.
    Rang {
        /// Which.
        leg: LegId,
    },
    /// For the scenario: somebody who was in the call has hung up, or was hung up on.
    HungUp {
        /// Which.
        leg: LegId,
    },
    /// For the scenario: somebody puts somebody on hold.
    Held {
        /// Who.
        by: LegId,
        /// Whom, unless he talks to nobody.
        whom: Option<LegId>,
    },
    /// For the scenario: ... and takes him back.
    Resumed {
        /// Who.
        by: LegId,
        /// Whom, unless he talks to nobody.
        whom: Option<LegId>,
    },
    /// The answer to a request.
    Result {
        /// Who asked.
        op: Op,
        /// The answer.
        result: HostResult,
    },
    /// The transfer that this leg wants is taken on (SIP 202).
    AcceptTransfer {
        /// Which.
        leg: LegId,
    },
    /// ... or refused.
    RejectTransfer {
        /// Which.
        leg: LegId,
        /// The final status.
        status: u16,
    },
    /// Tell the leg that wanted the transfer how far it is; from 200 on it is the last word.
    NotifyTransfer {
        /// Which.
        leg: LegId,
        /// 180, or a final status.
        status: u16,
    },
    /// Ask a leg whether it is there: `Input::LegLives` follows, or its end.
    AskLeg {
        /// Which.
        leg: LegId,
    },
    /// Begin to count a leg's silence anew: it need not be heard before, and has to be from now on.
    Listen {
        /// To whom.
        leg: LegId,
    },
    /// Show a leg whom it talks to now.
    Identify {
        /// Which.
        leg: LegId,
        /// Whom.
        other: LegId,
    },
    /// This leg stands for another call: [`Output::EndLeg`] of it tells that call, and [`crate::Input::LegEnded`] follows when that
    /// call lets go.
    Joint {
        /// The new leg.
        leg: LegId,
    },
    /// A forward or a transfer leads to this scenario: it begins for the anchor, in place of the one that ran, and tells by
    /// [`crate::Input::ScenarioEnded`] when it has no more steps.
    BeginScenario {
        /// Which, and by which route.
        led: Led,
        /// Whose forward or transfer it is: he pays for whom it calls.
        by: Option<UserId>,
        /// What he dialled who handed the anchor on.
        called: Option<String>,
    },
    /// A transfer leads to a mailbox: the anchor hears it, in place of the scenario that ran. Its end is asked for as a hanging up.
    OpenMailbox {
        /// Which.
        mailbox: Option<Mailbox>,
    },
    /// For the scenario: the caller talks to somebody now.
    Bridged,
    /// For the scenario: the callee left, the caller is still there.
    Unbridged,
    /// For the scenario: the caller is gone.
    CallerGone,
    /// The last output: every leg is over. The one outcome that history, metrics and events derive from.
    Ended(Box<CallRecord>),
}
