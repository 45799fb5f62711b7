//! Whose calls a route is for, and which numbers: what belongs to what.

use crate::like::Glob;
use crate::{Goal, Pattern, Source, Spelled, Through, Whose};
use plugboard_model::{GatewayId, UserId};

impl Whose {
    /// Whether it is for what this one calls.
    pub(crate) fn is_from(&self, source: &Source) -> bool {
        match (self, source) {
            (Self::FromUsers, Source::User(_)) | (Self::FromGateways, Source::Gateway(_)) => true,
            (Self::FromUser(own), Source::User(user)) => own == user,
            (Self::FromGateway(own), Source::Gateway(gateway)) => own == gateway,
            (
                Self::FromUsers
                | Self::FromUser(_)
                | Self::FromGateways
                | Self::FromGateway(_)
                | Self::ToUsers
                | Self::ToUser(_)
                | Self::ToGateways
                | Self::ToGateway(_),
                Source::User(_) | Source::Gateway(_),
            ) => false,
        }
    }

    pub(crate) fn is_to_user(&self, user: &UserId) -> bool {
        *self == Self::ToUsers || matches!(self, Self::ToUser(own) if own == user)
    }

    pub(crate) fn is_to_gateway(&self, gateway: &GatewayId) -> bool {
        *self == Self::ToGateways || matches!(self, Self::ToGateway(own) if own == gateway)
    }

    /// Whether it is for calls on their way from somebody, not for those about to reach somebody.
    pub(crate) const fn is_from_somebody(&self) -> bool {
        match self {
            Self::FromUsers | Self::FromUser(_) | Self::FromGateways | Self::FromGateway(_) => true,
            Self::ToUsers | Self::ToUser(_) | Self::ToGateways | Self::ToGateway(_) => false,
        }
    }

    /// One is said more precisely than any.
    pub(crate) const fn precision(&self) -> u8 {
        match self {
            Self::FromUsers | Self::FromGateways | Self::ToUsers | Self::ToGateways => 0,
            Self::FromUser(_) | Self::FromGateway(_) | Self::ToUser(_) | Self::ToGateway(_) => 1,
        }
    }

    /// Whether every call that the other one is for is one for this.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self == other
            || matches!(
                (self, other),
                (Self::FromUsers, Self::FromUser(_))
                    | (Self::FromGateways, Self::FromGateway(_))
                    | (Self::ToUsers, Self::ToUser(_))
                    | (Self::ToGateways, Self::ToGateway(_))
            )
    }

    pub(crate) const fn is_to_somebody(&self) -> bool {
        matches!(self, Self::ToUsers | Self::ToUser(_) | Self::ToGateways | Self::ToGateway(_))
    }

    /// `from users`, `to the gateway outside`.
    pub fn words(&self) -> String {
        match self {
            Self::FromUsers => "from users".into(),
            Self::FromUser(user) => format!("from the user {}", user.name),
            Self::FromGateways => "from gateways".into(),
            Self::FromGateway(gateway) => format!("from the gateway {}", gateway.name),
            Self::ToUsers => "to users".into(),
            Self::ToUser(user) => format!("to the user {}", user.name),
            Self::ToGateways => "to gateways".into(),
            Self::ToGateway(gateway) => format!("to the gateway {}", gateway.name),
        }
    }
}

impl Pattern {
    /// A route for one number goes before one for many.
    pub(crate) const fn is_exact(&self) -> bool {
        matches!(self, Self::Exact(_))
    }

    /// How many characters it fixes.
    pub(crate) fn precision(&self) -> usize {
        match self {
            // There are no two that a call could take.
            Self::Exact(_) => 0,
            Self::Prefix(prefix) => prefix.chars().count(),
            Self::Like(like) => like.precision(),
        }
    }

    /// What every number of it begins with.
    pub(crate) fn lead(&self) -> String {
        match self {
            Self::Exact(number) => number.as_str().to_owned(),
            Self::Prefix(prefix) => prefix.clone(),
            Self::Like(like) => like.lead(),
        }
    }

    pub(crate) fn globs(&self) -> Vec<Glob> {
        match self {
            Self::Exact(number) => vec![Glob::one(number.as_str())],
            Self::Prefix(prefix) => vec![Glob::beginning(prefix)],
            Self::Like(like) => like.globs().cloned().collect(),
        }
    }

    /// Whether it is for this number. Plain numbers and prefixes are held against E.164 only where `e164` says one: for gateways that
    /// have a format. What people dial they are to find in the document.
    pub(crate) fn is_for(&self, number: &Spelled, e164: Option<&str>) -> bool {
        let spellings = || [Some(number.written.as_str()), e164].into_iter().flatten();
        match self {
            Self::Exact(own) => spellings().any(|text| text == own.as_str()),
            Self::Prefix(prefix) => spellings().any(|text| text.starts_with(prefix.as_str())),
            Self::Like(like) => like.is(number),
        }
    }

    /// A number in the spelling in which this is for it; as it came where it is for it so, or not at all.
    pub(crate) fn said(&self, number: &Spelled) -> String {
        let begins = |text: &&str| match self {
            Self::Exact(own) => *text == own.as_str(),
            Self::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Self::Like(_) => false,
        };
        let said = match self {
            Self::Like(like) => like.said(number),
            Self::Exact(_) | Self::Prefix(_) => {
                let spellings = [Some(number.written.as_str()), number.e164.as_deref()].into_iter().flatten();
                spellings.into_iter().find(begins).map(str::to_owned)
            }
        };
        said.unwrap_or_else(|| number.written.clone())
    }

    /// `any`, `0*`, `100`.
    pub fn words(&self) -> String {
        match self {
            Self::Exact(number) => number.to_string(),
            Self::Prefix(prefix) if prefix.is_empty() => "any number".into(),
            Self::Prefix(prefix) => format!("{prefix}*"),
            Self::Like(like) => like.to_string(),
        }
    }
}

impl Goal {
    /// Whether it names this gateway.
    pub(crate) fn leads_through(&self, gateway: &GatewayId) -> bool {
        match self {
            Self::Gateway { through: Through::One(own), .. } => own == gateway,
            Self::Gateway { through: Through::These(these), .. } => these.contains(gateway),
            Self::Gateway { through: Through::Group(_), .. }
            | Self::Scenario(_)
            | Self::User(_)
            | Self::Group(_)
            | Self::Refuse(_) => false,
        }
    }
}
