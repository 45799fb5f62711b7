//! Events that others are told of: who may ask for them, what they are told, and how it is written.
//!
//! - [`Notifier`]: the subscriptions of a shard (RFC 6665). Contents come in, NOTIFYs go out.
//! - [`Publications`]: what a user's devices say of him (RFC 3903).
//! - [`Package`] names what can be asked for, [`Content`] is what is told: [`DialogInfo`], [`Presence`], [`Messages`], [`Features`].
//!
//! The XML of these bodies is written here by hand, since everything in it is ours, and read by roxmltree, which no other
//! package names.

mod dialog_info;
mod features;
mod notifier;
mod package;
mod presence;
mod publication;
mod subscription;
mod summary;
mod xml;

pub use dialog_info::{DIALOGS_MAX, DialogInfo, DialogState, Direction, EventDialog, Party};
pub use features::{FeatureWish, Features, Forward, ForwardKind};
pub use notifier::{Asked, Input, LIMITS, Notifier, NotifierLimits, Output};
pub use package::{ALLOW_EVENTS, Body, Content, Package};
pub use presence::{Activity, Presence, Published};
pub use publication::{PUBLICATIONS_MAX, Publications, publishes_presence};
pub use subscription::Reason;
pub use summary::Messages;
pub use xml::{BODY_LEN_MAX, XmlFault};
