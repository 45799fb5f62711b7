//! Events of the media side.

use crate::Metrics;
use crate::labels::{Label, label};
use crate::sip_events::whole;
use plugboard_model::{
    CallId, FaxOutcome, FaxRecord, FaxTry, FaxTryEnd, LegEncryption, LegId, LegQuality, OrderId, Sound, TapeRecord,
    TapeWhy,
};

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
        /// Not sealed with the keys of an encrypted leg, or seen before.
        NotAuthentic = "not_authentic",
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

impl Label for Sound {
    const ALL: &'static [Self] = &Self::ALL;
    fn as_str(self) -> &'static str {
        Self::as_str(self)
    }
    fn index(self) -> usize {
        self as usize
    }
}

/// A leg with media is over, and this is how it sounded.
#[derive(Debug, Clone, Copy)]
pub struct LegSounded<'a> {
    /// The call.
    pub call: &'a CallId,
    /// The leg.
    pub leg: LegId,
    /// How.
    pub quality: &'a LegQuality,
}

impl LegSounded<'_> {
    /// Counts; writes a line when sound did not go both ways.
    pub fn emit(&self, metrics: &Metrics) {
        let (quality, families) = (self.quality, &metrics.families);
        let seconds = |microseconds: u32| f64::from(microseconds) / 1e6;
        families.leg_sound.inc(quality.sound);
        for mos in quality.mos.into_iter().chain(quality.far_mos) {
            families.leg_mos.observe(f64::from(mos) / 100.0);
        }
        if quality.received > 0 {
            let (received, lost) = (whole_u32(quality.received), whole_u32(quality.lost));
            families.leg_loss.observe(f64::from(lost) / (f64::from(received) + f64::from(lost)));
            families.leg_jitter.observe(seconds(quality.jitter_us));
        }
        if let Some(round_trip) = quality.round_trip_us {
            families.leg_round_trip.observe(seconds(round_trip));
        }
        match quality.sound {
            Sound::BothWays | Sound::Unknown => {
                tracing::debug!(call_id = %self.call, leg_id = %self.leg, sound = quality.sound.as_str(), "a leg's media is over");
            }
            Sound::NotHeard | Sound::HearsNothing | Sound::FellSilent | Sound::Silent | Sound::Gaps => {
                tracing::info!(
                    call_id = %self.call, leg_id = %self.leg, sound = quality.sound.as_str(),
                    received = quality.received, sent = quality.sent, "sound did not go both ways"
                );
            }
        }
    }
}

/// Packets of one leg: four billion are two years of talk.
fn whole_u32(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

label!(
    /// Where the keys of a leg's media came from.
    KeysFrom {
        /// The descriptions.
        Sdes = "sdes",
        /// A handshake.
        Dtls = "dtls",
        /// The handshake gave none: the leg was ended.
        Failed = "failed",
    }
);

/// A leg's media is encrypted from now on.
#[derive(Debug, Clone, Copy)]
pub struct LegSecured<'a> {
    /// The call.
    pub call: &'a CallId,
    /// The leg.
    pub leg: LegId,
    /// How.
    pub how: &'a LegEncryption,
}

impl LegSecured<'_> {
    /// Writes the line and counts. No key is in either.
    pub fn emit(&self, metrics: &Metrics) {
        let from = if self.how.keys == KeysFrom::Dtls.as_str() { KeysFrom::Dtls } else { KeysFrom::Sdes };
        metrics.families.legs_encrypted.inc(from);
        let (keys, suite) = (&self.how.keys, &self.how.suite);
        tracing::debug!(call_id = %self.call, leg_id = %self.leg, keys, suite, "a leg's media is encrypted");
    }
}

/// The handshake for a leg's media failed, so that the leg ends.
#[derive(Debug, Clone, Copy)]
pub struct LegNotSecured<'a> {
    /// The call.
    pub call: &'a CallId,
    /// The leg.
    pub leg: LegId,
    /// Why.
    pub why: &'static str,
}

impl LegNotSecured<'_> {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.legs_encrypted.inc(KeysFrom::Failed);
        tracing::warn!(call_id = %self.call, leg_id = %self.leg, why = self.why, "a leg's media could not be encrypted");
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

label!(
    /// Why a recording ended.
    RecordingEnd {
        /// Somebody ended it.
        Asked = "asked",
        /// The call ended.
        CallOver = "call_over",
        /// Nobody spoke.
        Silence = "silence",
        /// It was as long as it may be.
        Limit = "limit",
        /// The disk is full.
        DiskFull = "disk_full",
        /// The disk refused it.
        Disk = "disk",
        /// The switch ended before it did.
        Interrupted = "interrupted",
        /// Nobody can unpack what is spoken.
        Codec = "codec",
    }
);

impl From<&TapeWhy> for RecordingEnd {
    fn from(why: &TapeWhy) -> Self {
        match why {
            TapeWhy::Asked => Self::Asked,
            TapeWhy::CallOver => Self::CallOver,
            TapeWhy::Silence => Self::Silence,
            TapeWhy::Limit => Self::Limit,
            TapeWhy::DiskFull => Self::DiskFull,
            TapeWhy::Disk(_) => Self::Disk,
            TapeWhy::Interrupted => Self::Interrupted,
            TapeWhy::Codec(_) => Self::Codec,
        }
    }
}

/// A recording or a voice message begins.
#[derive(Debug, Clone, Copy)]
pub struct RecordingBegan<'a> {
    /// Which.
    pub tape: &'a TapeRecord,
}

impl RecordingBegan<'_> {
    /// Writes the line.
    pub fn emit(&self) {
        let TapeRecord { call, n, file, .. } = self.tape;
        tracing::info!(call_id = %call, n, file, "recording");
    }
}

/// ... and has ended.
#[derive(Debug, Clone, Copy)]
pub struct RecordingEnded<'a> {
    /// Which.
    pub tape: &'a TapeRecord,
}

impl RecordingEnded<'_> {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        let TapeRecord { call, n, file, end: Some(end), .. } = self.tape else { return };
        metrics.families.recordings.inc_by(RecordingEnd::from(&end.why), 1);
        metrics.families.recordings_missing.inc_by(std::time::Duration::from_millis(end.missing_ms).as_secs_f64());
        let (why, length_ms, missing_ms) = (end.why.as_str(), end.length_ms, end.missing_ms);
        if let TapeWhy::Disk(reason) = &end.why {
            tracing::error!(call_id = %call, n, file, length_ms, reason, "the disk ended a recording: the call goes on");
        } else if let TapeWhy::Codec(codec) = &end.why {
            tracing::error!(call_id = %call, n, file, codec, "a call cannot be recorded: its codec cannot be unpacked");
        } else if end.why.is_fault() {
            tracing::error!(call_id = %call, n, file, length_ms, why, "the disk ended a recording: the call goes on");
        } else if missing_ms > 0 {
            tracing::warn!(call_id = %call, n, file, length_ms, missing_ms, why, "the disk did not keep up with a recording");
        } else {
            tracing::info!(call_id = %call, n, file, length_ms, why, "a recording ended");
        }
    }
}

label!(
    /// How a fax ended.
    FaxEnd {
        /// Both machines say that all went well.
        Done = "done",
        /// The far end is no fax machine.
        NoFax = "no_fax",
        /// It failed.
        Failed = "failed",
    }
);

label!(
    /// How a try to send a fax ended.
    FaxTryLabel {
        /// Every page was confirmed.
        Sent = "sent",
        /// Busy.
        Busy = "busy",
        /// Nobody answered.
        NoAnswer = "no_answer",
        /// A person answered.
        NoFax = "no_fax",
        /// Not allowed, or no such number.
        Refused = "refused",
        /// No call came to be.
        NotReached = "not_reached",
        /// Machines talked, and failed.
        Failed = "failed",
        /// A limit of ours stood against it that passes by itself.
        Limited = "limited",
        /// Given up: it had waited too long.
        TooOld = "too_old",
        /// Given up: it came out of a backup.
        Restored = "restored",
    }
);

/// A try to send a fax is over.
#[derive(Debug, Clone, Copy)]
pub struct FaxTried<'a> {
    /// Of which order.
    pub order: &'a OrderId,
    /// What came of it.
    pub tried: &'a FaxTry,
}

impl FaxTried<'_> {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        let FaxTry { call, end, pages, t38, corrected, .. } = self.tried;
        let label = match end {
            FaxTryEnd::Sent => FaxTryLabel::Sent,
            FaxTryEnd::Busy => FaxTryLabel::Busy,
            FaxTryEnd::NoAnswer => FaxTryLabel::NoAnswer,
            FaxTryEnd::NoFax => FaxTryLabel::NoFax,
            FaxTryEnd::Refused(_) => FaxTryLabel::Refused,
            FaxTryEnd::NotReached(_) => FaxTryLabel::NotReached,
            FaxTryEnd::Failed(_) => FaxTryLabel::Failed,
            FaxTryEnd::Limited(_) => FaxTryLabel::Limited,
            FaxTryEnd::TooOld => FaxTryLabel::TooOld,
            FaxTryEnd::Restored => FaxTryLabel::Restored,
        };
        metrics.families.fax_tries.inc(label);
        metrics.families.fax_pages_sent.inc_by(u64::try_from(pages.len()).unwrap_or(0));
        let call = call.as_ref().map(tracing::field::display);
        let (order, pages, bit_rate) = (self.order, pages.len(), pages.last().map(|page| page.bit_rate));
        let (end, reason) = (end.as_str(), end.reason());
        if matches!(label, FaxTryLabel::Sent) {
            tracing::info!(call_id = call, %order, pages, bit_rate, t38, corrected, "a fax was sent");
        } else {
            tracing::warn!(call_id = call, %order, pages, bit_rate, t38, corrected, end, reason, "a fax was not sent");
        }
    }
}

/// So many orders to send a fax are not over.
#[derive(Debug, Clone, Copy)]
pub struct FaxOrdersHeld(pub usize);

impl FaxOrdersHeld {
    /// Sets the gauge.
    pub fn emit(&self, metrics: &Metrics) {
        metrics.families.fax_orders.set(i64::try_from(self.0).unwrap_or(i64::MAX));
    }
}

/// A fax machine of ours is done, and its document kept or refused.
#[derive(Debug, Clone, Copy)]
pub struct FaxEnded<'a> {
    /// Which.
    pub fax: &'a FaxRecord,
}

impl FaxEnded<'_> {
    /// Writes the line and counts.
    pub fn emit(&self, metrics: &Metrics) {
        let FaxRecord { call, n, pages, bit_rate, corrected, files, .. } = self.fax;
        let (end, reason) = match &self.fax.end {
            FaxOutcome::Done => (FaxEnd::Done, None),
            FaxOutcome::NoFax => (FaxEnd::NoFax, None),
            FaxOutcome::Failed(reason) => (FaxEnd::Failed, Some(reason)),
        };
        metrics.families.faxes.inc_by(end, 1);
        metrics.families.fax_pages.inc_by(u64::from(*pages));
        let file = files.first().map(|file| file.file.as_str());
        if let Some(reason) = reason {
            tracing::warn!(call_id = %call, n, pages, bit_rate, corrected, file, reason, "a fax failed");
        } else {
            let end = self.fax.end.as_str();
            tracing::info!(call_id = %call, n, pages, bit_rate, corrected, file, end, "a fax ended");
        }
    }
}
