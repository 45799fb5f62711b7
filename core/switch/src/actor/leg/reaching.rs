//! Where a leg's media may go.

use plugboard_media::{Image, Negotiated};
use plugboard_model::is_public;
use std::net::{IpAddr, SocketAddr};

use super::LegActor;

/// Nobody vouches for the far end: its media goes to addresses of the internet alone. What it names inside of some network is taken for a
/// host behind a NAT, whose outside is where its signalling is; what comes from there finds the way back as with every NAT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// Where its signalling is.
    pub(crate) host: IpAddr,
}

impl Bounds {
    fn let_reach(self, named: SocketAddr) -> SocketAddr {
        // An address of zeros is no place, and a hold.
        let may = named.ip().is_unspecified() || is_public(named.ip());
        if may { named } else { SocketAddr::new(self.host, named.port()) }
    }
}

impl LegActor {
    pub(super) fn let_reach(&self, negotiated: Negotiated) -> Negotiated {
        let Some(bounds) = self.bounds else { return negotiated };
        let (remote_rtp, remote_rtcp) =
            (bounds.let_reach(negotiated.remote_rtp), bounds.let_reach(negotiated.remote_rtcp));
        Negotiated { remote_rtp, remote_rtcp, ..negotiated }
    }

    pub(super) fn let_reach_image(&self, image: Image) -> Image {
        let Some(bounds) = self.bounds else { return image };
        Image { address: bounds.let_reach(image.address), ..image }
    }
}
