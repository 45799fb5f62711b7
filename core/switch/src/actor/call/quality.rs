//! How the legs of a call sounded. The media threads tell it of each leg when it is closed, and the call's record waits for that.

use super::CallActor;
use crate::message::UnwatchMedia;
use crate::post::post;
use plugboard_media::{Codec, MediaLeg, Stats};
use plugboard_model::{CallRecord, FarQuality, Heard, LegId, LegQuality, Sound, Time, mos};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A media thread answers within a turn of its loop; one that does not in so long is in trouble, and the record does without it.
pub(super) const TOLD_WITHIN: Duration = Duration::from_secs(1);

/// A shorter call says nothing of which way sound went: the first packets of a phone may take a second.
const SAYS_SOMETHING: Duration = Duration::from_secs(3);
/// Two seconds of packets: so many were sent in vain where nothing came back.
const IN_VAIN: u64 = 100;
/// Five seconds of packets: nobody who talks is silent in nearly all of them.
const SILENT_FROM: u64 = 250;
/// Of Opus that leaves silence out, so many packets come in that time at the most.
const SILENT_OPUS: (Duration, u64) = (Duration::from_secs(10), 20);
/// So long nobody pauses who sends all the time: something is broken, or a key that mutes ends the stream.
const GAP_MS: u32 = 3_000;
/// Reports that speak of nothing that was sent: the first may have left before anything came.
const REPORTS_IN_VAIN: u32 = 2;
/// Reports come with so much delay that shorter streams are in none.
const SENT_FOR_REPORTS: u64 = 500;

/// What is known, and of which legs it is awaited.
#[derive(Debug, Default)]
pub(super) struct Qualities {
    /// A leg that is rung over another flow of its device has media anew.
    open: BTreeSet<MediaLeg>,
    told: BTreeMap<LegId, (LegQuality, Traits)>,
    /// Those that are not heard any more.
    fell_silent: BTreeSet<LegId>,
}

/// What tells which way sound went.
#[derive(Debug, Clone, Copy)]
struct Traits {
    codec: Codec,
    silent: u64,
    gap_ms: u32,
    quiet_ms: u32,
    reports: u32,
    about_us: u32,
}

impl Traits {
    /// Nearly nothing but silence came.
    fn says_nothing(&self, received: u64, up: Duration) -> bool {
        let (long, few) = SILENT_OPUS;
        let enough = received >= SILENT_FROM || (self.codec == Codec::Opus && up >= long && received >= few);
        enough && self.silent >= received - received / 50
    }
}

impl Qualities {
    pub(super) fn opened(&mut self, media: MediaLeg) {
        self.open.insert(media);
    }

    pub(super) fn closed(&mut self, leg: LegId, media: MediaLeg, stats: &Stats) {
        self.open.remove(&media);
        if let Some(codec) = stats.codec {
            let Stats { silent, gap_ms, quiet_ms, told, .. } = *stats;
            let (reports, about_us) = (told.reports, told.about_us);
            let traits = Traits { codec, silent, gap_ms, quiet_ms, reports, about_us };
            self.told.insert(leg, (quality(codec, stats), traits));
        }
    }

    pub(super) fn fell_silent(&mut self, leg: LegId) {
        self.fell_silent.insert(leg);
    }

    pub(super) fn heard(&mut self, leg: LegId) {
        self.fell_silent.remove(&leg);
    }

    /// Whether all has been told.
    pub(super) fn is_known(&self) -> bool {
        self.open.is_empty()
    }

    /// Adds what is known to a record.
    pub(super) fn fill(&self, record: &mut CallRecord) {
        for leg in &mut record.legs {
            let Some((quality, traits)) = self.told.get(&leg.leg) else { continue };
            let up = leg.answered.map_or(0, |answered| leg.ended.0.saturating_sub(answered.0));
            let up = Duration::from_millis(u64::try_from(up).unwrap_or(0));
            let sound = self.sound(leg.leg, up, quality, *traits);
            leg.quality = Some(LegQuality { sound, ..quality.clone() });
        }
    }

    fn sound(&self, leg: LegId, up: Duration, quality: &LegQuality, traits: Traits) -> Sound {
        let LegQuality { received, sent, .. } = *quality;
        if up < SAYS_SOMETHING {
            Sound::Unknown
        } else if received == 0 {
            if sent >= IN_VAIN { Sound::NotHeard } else { Sound::Unknown }
        } else if self.fell_silent.contains(&leg) || traits.quiet_ms >= GAP_MS {
            Sound::FellSilent
        } else if traits.reports >= REPORTS_IN_VAIN && traits.about_us == 0 && sent >= SENT_FOR_REPORTS {
            Sound::HearsNothing
        } else if traits.says_nothing(received, up) {
            Sound::Silent
        } else if traits.gap_ms >= GAP_MS {
            Sound::Gaps
        } else {
            Sound::BothWays
        }
    }
}

impl CallActor {
    /// The last that a media thread tells of a leg.
    pub(super) fn media_closed(&mut self, leg: LegId, media: MediaLeg, stats: &Stats) {
        self.qualities.closed(leg, media, stats);
    }

    /// Writes the record that waited for what media tells, when all is told or the time is over.
    pub(super) fn write_awaited_record(&mut self) {
        let Some(by) = self.record_by else { return };
        if !self.qualities.is_known() && self.now() < by {
            return;
        }
        self.record_by = None;
        let Some((mut record, until)) = self.afterwards.take() else { return };
        self.qualities.fill(&mut record);
        for (leg, quality) in record.legs.iter().filter_map(|leg| Some((leg.leg, leg.quality.as_ref()?))) {
            plugboard_metrics::LegSounded { call: &self.id, leg, quality }.emit(&self.env.metrics);
        }
        record.steps = self.journal.steps();
        self.write_record(&record);
        self.afterwards = Some((record, until));
    }

    /// When the record is written at the latest.
    pub(super) const fn record_due(&self) -> Option<Time> {
        self.record_by
    }

    /// Nothing more is awaited of media.
    pub(super) fn unwatch_media(&mut self) {
        for media in std::mem::take(&mut self.qualities.open) {
            post(&self.links.unwatch, UnwatchMedia(media));
        }
    }
}

fn quality(codec: Codec, stats: &Stats) -> LegQuality {
    let told = stats.told;
    let (sum, count) = told.round_trips;
    let round_trip_us = (count > 0).then(|| clamped(sum / u64::from(count)));
    let far = (told.about_us > 0).then(|| FarQuality {
        lost: u64::from(told.lost),
        jitter_us: clamped(u64::from(told.jitter_ticks) * 1_000_000 / u64::from(codec.clock_rate())),
    });
    // In samples of 125 us.
    let jitter_us = stats.jitter_samples.saturating_mul(125);
    let score = |lost: u64, of: u64, jitter_us: u32| {
        (of > 0).then(|| {
            mos(Heard {
                loss: share(lost, of),
                jitter_ms: f64::from(jitter_us) / 1_000.0,
                round_trip_ms: f64::from(round_trip_us.unwrap_or(0)) / 1_000.0,
                robustness: robustness(codec),
            })
        })
    };
    let promised = stats.packets_received.saturating_add(stats.lost);
    let received = stats.packets_received;
    LegQuality {
        codec: codec.name().to_owned(),
        sound: Sound::Unknown,
        received,
        lost: stats.lost,
        jitter_us,
        sent: stats.packets_sent,
        far,
        round_trip_us,
        mos: score(stats.lost, if received > 0 { promised } else { 0 }, jitter_us),
        far_mos: far.and_then(|far| score(far.lost.min(stats.packets_sent), stats.packets_sent, far.jitter_us)),
    }
}

/// `Bpl` of ITU-T G.113 appendix I: G.711 with concealment, G.722 alike. Opus has no figure there; with its forward error
/// correction it bears no less.
const fn robustness(codec: Codec) -> f64 {
    match codec {
        Codec::Pcmu | Codec::Pcma | Codec::G722 | Codec::Opus => 25.1,
    }
}

fn share(part: u64, of: u64) -> f64 {
    // In millionths, which is exact enough and loses nothing on its way.
    f64::from(clamped(part.saturating_mul(1_000_000) / of.max(1))) / 1_000_000.0
}

fn clamped(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_media::Told;
    use plugboard_model::{CallId, CallOutcome, Cause, LegRecord, OfficeId, WallTime};

    const LEG: LegId = LegId(1);
    const MEDIA: MediaLeg = MediaLeg(7);

    fn stats(received: u64, sent: u64) -> Stats {
        Stats { packets_received: received, packets_sent: sent, codec: Some(Codec::Pcma), ..Stats::default() }
    }

    /// What the record says of a leg that was up for so many seconds.
    fn told(qualities: &Qualities, seconds: i64) -> LegQuality {
        let id = CallId::new(OfficeId::new("main").unwrap(), WallTime(0), 1);
        let leg = LegRecord {
            leg: LEG,
            user: None,
            gateway: None,
            party: String::new(),
            began: WallTime(0),
            answered: Some(WallTime(0)),
            ended: WallTime(1_000 * seconds),
            cause: Cause::normal(),
            quality: None,
            encryption: None,
        };
        let mut record = CallRecord { legs: vec![leg], ..CallRecord::bare(id, WallTime(0), CallOutcome::Answered) };
        qualities.fill(&mut record);
        record.legs.remove(0).quality.unwrap()
    }

    fn sound(stats: &Stats, seconds: i64) -> Sound {
        let mut qualities = Qualities::default();
        qualities.closed(LEG, MEDIA, stats);
        told(&qualities, seconds).sound
    }

    #[test]
    fn which_way_sound_went_is_named() {
        assert_eq!(sound(&stats(500, 500), 10), Sound::BothWays);
        assert_eq!(sound(&stats(0, 500), 10), Sound::NotHeard);
        assert_eq!(sound(&stats(0, 99), 10), Sound::Unknown, "hardly anything was sent to it");
        assert_eq!(sound(&stats(0, 500), 2), Sound::Unknown, "too short");
        assert_eq!(sound(&Stats { silent: 490, ..stats(500, 500) }, 10), Sound::Silent);
        assert_eq!(sound(&Stats { silent: 489, ..stats(500, 500) }, 10), Sound::BothWays);
        assert_eq!(sound(&Stats { gap_ms: 2_999, ..stats(500, 500) }, 20), Sound::BothWays);
        assert_eq!(sound(&Stats { gap_ms: 3_000, ..stats(500, 500) }, 20), Sound::Gaps);
        assert_eq!(sound(&Stats { quiet_ms: 3_000, ..stats(500, 500) }, 20), Sound::FellSilent);
        let sparse = Stats { codec: Some(Codec::Opus), silent: 30, ..stats(30, 500) };
        assert_eq!(sound(&sparse, 12), Sound::Silent, "silence that is left out is few packets");
        assert_eq!(sound(&Stats { codec: Some(Codec::Pcma), ..sparse }, 12), Sound::BothWays);
        let deaf = Stats { told: Told { reports: 2, ..Told::default() }, ..stats(500, 500) };
        assert_eq!(sound(&deaf, 10), Sound::HearsNothing);
        let hears = Stats { told: Told { reports: 2, about_us: 1, ..Told::default() }, ..stats(500, 500) };
        assert_eq!(sound(&hears, 10), Sound::BothWays);
    }

    #[test]
    fn a_leg_that_fell_silent_is_named_until_it_is_heard_again() {
        let mut qualities = Qualities::default();
        qualities.closed(LEG, MEDIA, &stats(500, 500));
        qualities.fell_silent(LEG);
        assert_eq!(told(&qualities, 10).sound, Sound::FellSilent);
        qualities.heard(LEG);
        assert_eq!(told(&qualities, 10).sound, Sound::BothWays);
    }

    #[test]
    fn a_leg_that_has_media_anew_is_waited_for() {
        let (mut qualities, first) = (Qualities::default(), MediaLeg(6));
        qualities.opened(first);
        qualities.opened(MEDIA);
        qualities.closed(LEG, first, &Stats::default());
        assert!(!qualities.is_known());
        qualities.closed(LEG, MEDIA, &stats(500, 500));
        assert!(qualities.is_known());
        assert_eq!(told(&qualities, 10).sound, Sound::BothWays);
    }

    #[test]
    fn figures_are_in_the_units_that_they_name() {
        let far = Told { reports: 3, about_us: 3, lost: 50, jitter_ticks: 160, round_trips: (300_000, 3) };
        let stats = Stats { lost: 56, jitter_samples: 80, told: far, ..stats(1_000, 1_000) };
        let quality = quality(Codec::Pcma, &stats);
        assert_eq!((quality.lost, quality.jitter_us, quality.round_trip_us), (56, 10_000, Some(100_000)));
        assert_eq!(quality.far, Some(FarQuality { lost: 50, jitter_us: 20_000 }));
        let expect = |lost, of, jitter_ms| {
            mos(Heard { loss: share(lost, of), jitter_ms, round_trip_ms: 100.0, robustness: 25.1 })
        };
        assert_eq!(quality.mos, Some(expect(56, 1_056, 10.0)));
        assert_eq!(quality.far_mos, Some(expect(50, 1_000, 20.0)));
        assert!(quality.mos.unwrap() < 400, "a loss of 5 % is heard");
    }

    #[test]
    fn what_was_never_heard_has_no_score() {
        let quality = quality(Codec::Opus, &stats(0, 10));
        assert_eq!((quality.mos, quality.far_mos, quality.far), (None, None, None));
    }
}
