//! Events of the media side.

use crate::Metrics;
use crate::labels::{Label, label};
use crate::sip_events::whole;
use plugboard_model::{CallId, LegId};

/// RTP was relayed: what a media thread counted since it last said so.
///
/// A media thread says so each half second and when a leg closes, not once a packet.
#[derive(Debug, Clone, Copy)]
pub struct RtpRelayed {
    /// Packets.
    pub packets: u64,
    /// Their bytes, RTP headers included, UDP and IP headers not.
    pub bytes: u64,
}

impl RtpRelayed {
    /// Counts; no line, at any level: media threads do not log per turn.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.rtp_packets.inc_by(self.packets);
        metrics.families.rtp_bytes.inc_by(self.bytes);
    }
}

/// Audio was unpacked and packed anew for a far end that speaks another codec: what a media thread counted since it last said so.
#[derive(Debug, Clone, Copy)]
pub struct RtpTranscoded {
    /// Frames of 20 ms.
    pub frames: u64,
}

impl RtpTranscoded {
    /// Counts; no line, at any level: media threads do not log per turn.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.rtp_transcoded.inc_by(self.frames);
    }
}

label!(
    /// Why a packet was not relayed.
    RtpDropReason {
        /// Not RTP version 2 (RFC 3550 section 5.1), or of a payload type that was not agreed.
        NotRtp = "not_rtp",
        /// From an address that is not the leg's.
        Stranger = "stranger",
        /// The other side is on hold, has no address yet, or did not agree on such a payload.
        NoPeer = "no_peer",
        /// The socket took no more.
        SendFailed = "send_failed",
        /// A frame to be transcoded, or of a prompt, that the workers could not take in time.
        Late = "late",
    }
);

/// Packets were dropped.
#[derive(Debug, Clone, Copy)]
pub struct RtpDropped {
    /// Why.
    pub reason: RtpDropReason,
    /// How many.
    pub packets: u64,
}

impl RtpDropped {
    /// Counts and writes a line at trace level.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.rtp_dropped.inc_by(self.reason, self.packets);
        tracing::trace!(reason = self.reason.as_str(), packets = self.packets, "RTP dropped");
    }
}

label!(
    /// What is known of a leg from which no media comes.
    MediaSilence {
        /// It is asked whether it is there.
        Asked = "asked",
        /// It is there: it cannot be heard, or does not speak.
        OneWay = "one_way",
        /// It is not: the call was closed.
        Ended = "ended",
    }
);

/// Neither RTP nor RTCP comes from a leg that should be heard.
#[derive(Debug, Clone, Copy)]
pub struct MediaFellSilent<'a> {
    /// The call.
    pub call: &'a CallId,
    /// The leg.
    pub leg: LegId,
    /// What is known of it.
    pub silence: MediaSilence,
}

impl MediaFellSilent<'_> {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.media_silences.inc_by(self.silence, 1);
        tracing::info!(call_id = %self.call, leg_id = %self.leg, silence = self.silence.as_str(), "no media comes from a leg");
    }
}

/// How many UDP ports legs hold now; those that rest before they are used again are not held.
#[derive(Debug, Clone, Copy)]
pub struct PortsInUse(pub usize);

impl PortsInUse {
    /// Sets the gauge.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.rtp_ports.set(whole(self.0));
        tracing::trace!(count = self.0, "RTP ports in use");
    }
}

/// A leg needed a port and the range was used up.
#[derive(Debug, Clone, Copy)]
pub struct PortsExhausted<'a> {
    /// The call.
    pub call: &'a CallId,
    /// The leg.
    pub leg: LegId,
}

impl PortsExhausted<'_> {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.rtp_exhausted.inc();
        tracing::warn!(call_id = %self.call, leg_id = %self.leg,
            "no RTP port is free: widen the range or find out who holds them");
    }
}
