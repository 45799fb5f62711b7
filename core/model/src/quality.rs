//! How a leg sounded: what RTP and RTCP tell of it.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a leg's media was like, from what came, what was sent, and what the far end reported of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegQuality {
    /// The codec agreed last, by its name in SDP.
    pub codec: String,
    /// Whether it was heard, and heard us.
    pub sound: Sound,
    /// RTP packets that came from it.
    pub received: u64,
    /// Those that its numbers promised and that did not come (RFC 3550 appendix A.3).
    pub lost: u64,
    /// Interarrival jitter at the end (RFC 3550 appendix A.8), in microseconds.
    pub jitter_us: u32,
    /// RTP packets that were sent to it.
    pub sent: u64,
    /// What it reported of those; `None`: it sent no report about them.
    pub far: Option<FarQuality>,
    /// From the switch to it and back, the mean of its reports, in microseconds (RFC 3550 section 6.4.1).
    pub round_trip_us: Option<u32>,
    /// How well it is heard: an estimated mean opinion score in hundredths, 100 to 450. `None`: nothing came.
    pub mos: Option<u16>,
    /// How well it hears us, by its own reports.
    pub far_mos: Option<u16>,
}

/// What the far end reported of what was sent to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FarQuality {
    /// Packets that it missed.
    pub lost: u64,
    /// Its jitter in its last report, in microseconds.
    pub jitter_us: u32,
}

/// Which way sound went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sound {
    /// Both ways, as far as is known.
    BothWays,
    /// Nothing came from it, though it was sent to: one-way audio, often a NAT or firewall on its side.
    NotHeard,
    /// It reports that nothing of what was sent arrived: one-way audio the other way.
    HearsNothing,
    /// It was heard, and no more at the end.
    FellSilent,
    /// Packets came, and nearly nothing but silence in them: a muted or broken microphone.
    Silent,
    /// Too short, or held, so that nothing can be said.
    Unknown,
    /// Both ways, and for some seconds in between nothing came from it.
    Gaps,
}

impl Sound {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::BothWays, Self::NotHeard, Self::HearsNothing, Self::FellSilent, Self::Silent, Self::Unknown, Self::Gaps];

    /// The word in metrics and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BothWays => "both_ways",
            Self::NotHeard => "not_heard",
            Self::HearsNothing => "hears_nothing",
            Self::FellSilent => "fell_silent",
            Self::Silent => "silent",
            Self::Unknown => "unknown",
            Self::Gaps => "gaps",
        }
    }
}

impl fmt::Display for Sound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a score is estimated from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Heard {
    /// The share of packets that are missing, 0 to 1.
    pub loss: f64,
    /// In milliseconds.
    pub jitter_ms: f64,
    /// There and back, in milliseconds; zero when it is not known.
    pub round_trip_ms: f64,
    /// How well the codec bears losses: `Bpl` of ITU-T G.113 appendix I.
    pub robustness: f64,
}

/// A mean opinion score in hundredths by the E-model (ITU-T G.107, defaults but for delay and loss): 450 is the best that
/// telephone audio gets.
///
/// Losses are taken as random. The listener's jitter buffer is taken as twice the jitter, at least 20 ms. Wideband codecs
/// are judged as telephone audio, so that scores can be compared.
pub fn mos(heard: Heard) -> u16 {
    /// The rating of a call without loss and delay.
    const BEST: f64 = 93.2;
    /// The longest delay that does not hinder a conversation, in ms.
    const EASY: f64 = 177.3;
    let loss = 100.0 * heard.loss.clamp(0.0, 1.0);
    // Packets of 20 ms are sent when they are full.
    let delay = heard.round_trip_ms / 2.0 + (2.0 * heard.jitter_ms).max(20.0) + 20.0;
    let by_delay = 0.024 * delay + 0.11 * (delay - EASY).max(0.0);
    let by_loss = 95.0 * loss / (loss + heard.robustness.max(1.0));
    let rating = (BEST - by_delay - by_loss).clamp(0.0, 100.0);
    let score = 1.0 + 0.035 * rating + rating * (rating - 60.0) * (100.0 - rating) * 7e-6;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 100 and 450")]
    let hundredths = (score.clamp(1.0, 4.5) * 100.0).round() as u16;
    hundredths
}

#[cfg(test)]
mod tests {
    use super::*;

    const G711: f64 = 25.1;

    fn score(loss: f64, jitter_ms: f64, round_trip_ms: f64) -> u16 {
        mos(Heard { loss, jitter_ms, round_trip_ms, robustness: G711 })
    }

    #[test]
    fn a_clean_call_is_as_good_as_telephone_audio_gets() {
        // R = 93.2 - 0.024 * 40.
        assert_eq!(score(0.0, 0.0, 0.0), 439);
    }

    #[test]
    fn losses_and_delays_cost_what_the_e_model_says() {
        // R = 93.2 - 0.96 - 95 * 5 / 30.1 = 76.5 and R = 93.2 - 0.024 * 440 - 0.11 * 262.7 = 53.7.
        assert_eq!(score(0.05, 0.0, 0.0), 388);
        assert_eq!(score(0.0, 0.0, 800.0), 277);
    }

    #[test]
    fn it_never_gets_better_by_more_loss_jitter_or_delay_and_stays_a_score() {
        let steps = [0.0, 0.01, 0.02, 0.05, 0.1, 0.3, 1.0];
        for pair in steps.windows(2) {
            let [less, more] = pair else { panic!("pairs") };
            assert!(score(*less, 5.0, 50.0) > score(*more, 5.0, 50.0));
            assert!(score(0.01, 500.0 * less, 50.0) >= score(0.01, 500.0 * more, 50.0));
            assert!(score(0.01, 5.0, 2_000.0 * less) >= score(0.01, 5.0, 2_000.0 * more));
        }
        assert!(score(0.01, 5.0, 20.0) > score(0.01, 5.0, 200.0));
        assert_eq!(score(1.0, 9e9, 9e9), 100);
        assert_eq!(score(-3.0, 0.0, 0.0), score(0.0, 0.0, 0.0));
    }
}
