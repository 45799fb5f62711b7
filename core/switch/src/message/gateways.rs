//! What is asked of gateways from outside.

use actix::Message;
use plugboard_model::GatewayId;
use std::sync::Arc;

/// Command: take back what is registered, and ask no more. From the `Switch` to `GatewayActor`, when it ends or the gateway is
/// taken out of its office.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(crate) struct LeaveGateway;

/// Question: how is the gateway? Answered by each `GatewayActor`.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "GatewayState")]
pub(crate) struct GetGatewayState;

/// What a gateway's actor knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayState {
    /// Which.
    pub id: GatewayId,
    /// Calls through it now.
    pub calls: usize,
    /// As many as it takes.
    pub calls_max: u32,
    /// Of these, those that came from it.
    pub calls_in: usize,
    /// Why no call goes there; none when one can.
    pub down: Option<String>,
    /// Whether we are registered there; none where we are not to be.
    pub registered: Option<bool>,
    /// Where it is, as far as that is known.
    pub targets: Vec<String>,
    /// Nothing is done for it any more.
    pub left: bool,
}

/// Command: the office changed this gateway, or has now this realm. From the `Switch` to `GatewayActor`.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub(crate) struct UseGateway(pub(crate) Arc<plugboard_office::Gateway>, pub(crate) String);
