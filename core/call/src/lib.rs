//! What a call does next, as a state machine: no SIP, no RTP, no clock, no I/O.
//!
//! One [`Call`] stands for one conversation as the caller sees it. Its driver feeds [`Input`]s (what legs, users,
//! media and the scenario did), then drains [`Call::poll_output`] and carries the [`Output`]s out, then sets one timer
//! for [`Call::poll_timeout`]. The order is fixed: handle, drain, timer.
//!
//! What holds always, whatever the inputs:
//! - one [`Output::Ended`], the last output, after every leg has ended;
//! - every user slot that the call took is given back ([`Output::Release`]) before it;
//! - every request gets exactly one [`Output::Result`], or none once it was cancelled;
//! - two answers leave one bridge: the loser gets [`Output::EndLeg`].

mod call;
mod ear;
mod input;
pub mod integrations;
mod leg;
pub mod notices;
pub mod outbox;
mod output;
pub mod queue;
mod ring;
pub mod voicemail;

pub use call::{CALL_LENGTH_MAX, Call, FORWARDS_MAX, press_to_take};
pub use input::{
    Begin, Confirm, Forward, Input, Led, OfferedDevices, Onward, Op, Origin, OwnForwards, Park, Party, Phone,
    PlayFinish, Redirect, Request, RingOrder, Service, Transfer, Urgency, Way,
};
pub use output::{AskWhy, CancelWhy, Output, PlayId};
