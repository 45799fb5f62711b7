//! One call of a phone.

use plugboard_media::Codec;
use plugboard_sip::Request;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::secrecy::Secrecy;
use super::voice::Voice;

/// The payload type of G.729 (RFC 3551 section 6), which the switch does not speak.
const G729: u8 = 18;

/// Where a phone behind a NAT believes to be.
pub(crate) const HOME: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 168, 178, 20));

/// How far a call is, as the phone sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It calls; the last provisional status that it heard, 0 before the first.
    Calling(u16),
    /// It is called, and rings.
    Ringing,
    /// The two talk.
    Up,
    /// It is over; the final status of the INVITE that made it, or 200 when it was answered.
    Over(u16),
}

/// What became of the wish to give up a call that is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cancel {
    No,
    /// As soon as the first provisional response comes (RFC 3261 section 9.1).
    Wanted,
    Sent,
}

/// What a call does with T.38.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Image {
    /// It has no such gateway.
    Refuses,
    /// It has one.
    Takes,
    /// It speaks by it.
    Speaks,
}

/// One call: a dialog, or what may become one.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a habit of its own, which a story sets alone")]
pub(crate) struct Call {
    pub(crate) id: String,
    /// From and To of our requests.
    pub(crate) local: String,
    pub(crate) remote: String,
    /// The Request-URI of our requests.
    pub(crate) target: String,
    pub(crate) peer: SocketAddr,
    /// The last number of our own requests.
    pub(crate) cseq: u32,
    /// The INVITE that made it, ours or theirs.
    pub(crate) invite: Request,
    pub(crate) stage: Stage,
    pub(crate) cancel: Cancel,
    pub(crate) voice: Voice,
    pub(crate) secrecy: Secrecy,
    /// None: it speaks G.729 alone.
    pub(crate) codecs: Vec<Codec>,
    pub(crate) browser: bool,
    pub(crate) behind_nat: bool,
    pub(crate) image: Image,
    /// Our next description names no codec.
    pub(crate) codecless: bool,
    /// It describes no telephone-event.
    pub(crate) tones: bool,
    /// What our next description says.
    pub(crate) direction: &'static str,
    /// The ACKs of 2xx, by CSeq: each 2xx that comes again gets its own again.
    pub(crate) acks: BTreeMap<u32, Vec<u8>>,
    /// Reason headers of what ended it.
    pub(crate) reason: Option<String>,
    /// The final status of our last re-INVITE.
    pub(crate) reinvited: Option<u16>,
    /// The final status of our last REFER, and what was told of it.
    pub(crate) referred: Option<u16>,
    pub(crate) told: Vec<u16>,
    /// P-Asserted-Identity of the last request that had one.
    pub(crate) shown: Option<String>,
    /// The description that came before the answer.
    pub(crate) early: Option<Vec<u8>>,
    /// The last description that came.
    pub(crate) heard_direction: Option<(bool, bool)>,
    /// The number of the last reliable provisional response, sent or heard.
    pub(crate) rseq: u32,
    /// The final status of our last PRACK.
    pub(crate) pracked: Option<u16>,
    /// How many of ours were acknowledged.
    pub(crate) acknowledged: usize,
}

impl Call {
    pub(crate) const fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over(_))
    }

    /// Ends it once; a second end changes nothing.
    pub(crate) fn over(&mut self, status: u16) {
        if !self.is_over() {
            self.stage = Stage::Over(status);
        }
        self.voice.stop();
    }

    /// Goes on by T.38 where the far end's description wants it.
    pub(crate) fn take_image(&mut self, body: &[u8]) -> bool {
        let Some(address) = super::voice::read_image(body).filter(|_| self.image != Image::Refuses) else {
            return false;
        };
        self.image = Image::Speaks;
        self.voice.remote = Some(address);
        if let Some(fax) = &mut self.voice.fax {
            fax.speaks_packets();
        }
        true
    }

    /// Takes over the far end's description. Whether there was one.
    pub(crate) fn take_description(&mut self, body: &[u8]) -> bool {
        if self.take_image(body) {
            return true;
        }
        let Some(described) = super::voice::read(body, &self.codecs) else { return false };
        if self.image == Image::Speaks {
            self.image = Image::Takes;
        }
        self.voice.remote = Some(described.address);
        self.secrecy.take(&String::from_utf8_lossy(body));
        self.voice.codec = described.codec.unwrap_or(Codec::Pcmu);
        self.voice.keys_type = described.keys_type;
        self.voice.sends = described.hears && matches!(self.direction, "sendrecv" | "sendonly");
        self.heard_direction = Some((described.hears, described.speaks));
        true
    }

    /// The value of a Replaces header that names this dialog: its tags as the switch has them.
    pub(crate) fn as_replaces(&self) -> String {
        let tag = |address: &str| address.rsplit_once(";tag=").map(|(_, tag)| tag.to_owned()).unwrap_or_default();
        format!("{};to-tag={};from-tag={}", self.id, tag(&self.remote), tag(&self.local))
    }

    /// Our description.
    pub(crate) fn description(&self) -> String {
        if self.browser {
            return super::voice::write_browser(self.voice.local, self.direction);
        }
        if self.image == Image::Speaks {
            return super::voice::write_image(self.voice.local, self.voice.fec);
        }
        let types: Vec<u8> = match (self.codecless, self.codecs.as_slice()) {
            (true, _) => Vec::new(),
            (false, []) => vec![G729],
            (false, codecs) => codecs.iter().map(|codec| codec.payload_type()).collect(),
        };
        let mut address = self.voice.local;
        if self.behind_nat {
            address.set_ip(HOME);
        }
        let described = super::voice::write(address, &types, self.direction, self.secrecy.describe());
        if self.tones { super::voice::without_keys(&described) } else { described }
    }
}
