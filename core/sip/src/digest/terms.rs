//! What a device is asked to prove itself with.

use super::{Algorithm, Protection};

/// Which algorithms a device is offered, and no other is accepted from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Algorithms {
    /// MD5 only: the default, since a phone that knows no SHA-256 stops at a challenge that it cannot read.
    #[default]
    Md5,
    /// SHA-256 only.
    Sha256,
    /// Two challenges, SHA-256 first (RFC 8760 section 2.4).
    Both,
    /// `MD5-sess` only.
    Md5Sess,
    /// `SHA-256-sess` only.
    Sha256Sess,
}

/// Whether answers are to cover the body as well (`qop=auth-int`, RFC 7616 section 3.4.3). A proxy on the way that changes
/// a body, as some routers do to session descriptions, makes such answers wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Integrity {
    /// `auth` alone is offered: the default.
    #[default]
    No,
    /// The device chooses.
    Offered,
    /// `auth-int` alone is offered.
    Required,
}

/// What a device is offered, and nothing else is accepted from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Terms {
    /// By which hash.
    pub algorithms: Algorithms,
    /// Over what.
    pub integrity: Integrity,
}

impl From<Algorithms> for Terms {
    fn from(algorithms: Algorithms) -> Self {
        Self { algorithms, integrity: Integrity::No }
    }
}

impl Algorithms {
    /// The algorithms, best first.
    pub const fn list(self) -> &'static [Algorithm] {
        match self {
            Self::Md5 => &[Algorithm::Md5],
            Self::Sha256 => &[Algorithm::Sha256],
            Self::Both => &[Algorithm::Sha256, Algorithm::Md5],
            Self::Md5Sess => &[Algorithm::Md5Sess],
            Self::Sha256Sess => &[Algorithm::Sha256Sess],
        }
    }
}

impl Integrity {
    /// The value of `qop` in a challenge.
    pub(super) const fn qop(self) -> &'static str {
        match self {
            Self::No => "auth",
            Self::Offered => "auth,auth-int",
            Self::Required => "auth-int",
        }
    }

    /// Whether an answer with this `qop` was offered; `None`: an answer after RFC 2069, which covers what `auth` does.
    pub(super) const fn allows(self, protection: Option<Protection>) -> bool {
        match (self, protection) {
            (Self::No | Self::Offered, None | Some(Protection::Request))
            | (Self::Offered | Self::Required, Some(Protection::Body)) => true,
            (Self::No, Some(Protection::Body)) | (Self::Required, None | Some(Protection::Request)) => false,
        }
    }
}
