//! Concealment for codecs that have none of their own, in the way of ITU-T G.711 Appendix I: the last period of the voice
//! goes on and fades, and what comes after the gap is blended in.

use plugboard_media::Rate;

/// Voices have 66 to 400 Hz: periods of 2.5 to 15 ms.
const PERIOD_MIN_MICROS: usize = 2_500;
const PERIOD_MAX_MICROS: usize = 15_000;

/// What is compared to find the period.
const WINDOW_MICROS: usize = 20_000;

/// Seams are blended over so long.
const BLEND_MICROS: usize = 2_500;

/// Full loudness for so long, then it fades to nothing by [`FADED_MICROS`].
const LOUD_MICROS: usize = 10_000;
const FADED_MICROS: usize = 60_000;

/// Follows what is heard and goes on with it for a while.
#[derive(Debug)]
pub(crate) struct Concealer {
    rate: Rate,
    /// The last that was heard or made up: the longest period and the window before it.
    history: Vec<i16>,
    /// The period that is repeated; 0: nothing is made up now.
    period: usize,
    /// Samples made up since the last real one.
    made: usize,
}

impl Concealer {
    pub(crate) fn new(rate: Rate) -> Self {
        let history = vec![0; count(rate, PERIOD_MAX_MICROS + WINDOW_MICROS)];
        Self { rate, history, period: 0, made: 0 }
    }

    /// Samples that came, from `from` on: their begin is blended with what was made up before.
    pub(crate) fn heard(&mut self, samples: &mut [i16], from: usize) {
        let Some(fresh) = samples.get_mut(from..) else { return };
        if self.period > 0 {
            let length = count(self.rate, BLEND_MICROS).min(fresh.len());
            let going_on: Vec<i16> = self.made_up(length);
            for (at, (real, made)) in fresh.iter_mut().zip(going_on).enumerate() {
                *real = mixed(made, *real, at + 1, length);
            }
            (self.period, self.made) = (0, 0);
        }
        self.remember(fresh);
    }

    /// Appends samples in the place of what did not come.
    pub(crate) fn fill(&mut self, count: usize, samples: &mut Vec<i16>) {
        if self.period == 0 {
            self.period = self.find_period();
            self.made = 0;
        }
        let made = self.made_up(count);
        samples.extend(&made);
    }

    /// Goes on with the last period. Each sample is the one a period before it, so that seams never open; the loudness is
    /// laid over what is given away, not over what is repeated.
    fn made_up(&mut self, count: usize) -> Vec<i16> {
        let mut given = Vec::with_capacity(count);
        for _ in 0..count {
            let next = self.history.len().checked_sub(self.period).and_then(|at| self.history.get(at)).copied();
            let next = next.unwrap_or(0);
            self.history.push(next);
            given.push(self.faded(next));
            self.made += 1;
        }
        self.forget();
        given
    }

    fn faded(&self, sample: i16) -> i16 {
        let (loud, silent) = (count(self.rate, LOUD_MICROS), count(self.rate, FADED_MICROS));
        mixed(sample, 0, self.made.clamp(loud, silent) - loud, silent - loud)
    }

    /// The distance at which the last 20 ms are most like themselves.
    fn find_period(&self) -> usize {
        let window = count(self.rate, WINDOW_MICROS);
        let from = self.history.len().saturating_sub(window);
        let now = self.history.get(from..).unwrap_or_default();
        let [shortest, longest] = [PERIOD_MIN_MICROS, PERIOD_MAX_MICROS].map(|micros| count(self.rate, micros));
        let likeness = |lag: usize| {
            let before = self.history.get(from.saturating_sub(lag)..).unwrap_or_default();
            let (mut product, mut power) = (0_i64, 1_i64);
            for (one, other) in now.iter().zip(before) {
                product += i64::from(*one) * i64::from(*other);
                power += i64::from(*other) * i64::from(*other);
            }
            // Of the same sign as the product, and comparable between lags: the square of the cosine, times the power of `now`.
            i128::from(product) * i128::from(product.abs()) / i128::from(power)
        };
        (shortest..=longest).max_by_key(|lag| likeness(*lag)).unwrap_or(longest)
    }

    fn remember(&mut self, samples: &[i16]) {
        self.history.extend_from_slice(samples);
        self.forget();
    }

    fn forget(&mut self) {
        let over = self.history.len().saturating_sub(count(self.rate, PERIOD_MAX_MICROS + WINDOW_MICROS));
        self.history.drain(..over);
    }
}

fn count(rate: Rate, micros: usize) -> usize {
    rate.frame() * micros / 20_000
}

/// `part` of `whole` on the way from one sample to another.
fn mixed(from: i16, to: i16, part: usize, whole: usize) -> i16 {
    let [part, whole] = [part, whole.max(1)].map(|count| i32::try_from(count).unwrap_or(1));
    let value = (i32::from(from) * (whole - part) + i32::from(to) * part) / whole;
    i16::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn saw(count: usize) -> Vec<i16> {
        (0..count).map(|n| i16::try_from(n % 80).unwrap() * 100 - 4_000).collect()
    }

    #[test]
    fn a_period_goes_on_without_a_seam_and_fades() {
        let mut concealer = Concealer::new(Rate::Narrow);
        let mut samples = saw(800);
        concealer.heard(&mut samples, 0);
        concealer.fill(80, &mut samples);
        assert_eq!(samples, saw(880), "ten milliseconds are as loud as before");
        concealer.fill(480, &mut samples);
        assert!(samples[1_280..].iter().all(|sample| *sample == 0), "after sixty it is silent");
    }

    #[test]
    fn what_comes_back_is_blended_in_and_then_itself() {
        let mut concealer = Concealer::new(Rate::Narrow);
        let mut samples = saw(800);
        concealer.heard(&mut samples, 0);
        concealer.fill(160, &mut samples);
        let from = samples.len();
        samples.resize(from + 160, 1_000);
        concealer.heard(&mut samples, from);
        assert!(samples[from..from + 18].iter().any(|sample| *sample != 1_000));
        assert!(samples[from + 20..].iter().all(|sample| *sample == 1_000));
    }

    #[test]
    fn silence_is_concealed_by_silence() {
        let mut concealer = Concealer::new(Rate::Wide);
        let mut samples = Vec::new();
        concealer.fill(320, &mut samples);
        assert_eq!(samples, [0; 320]);
    }
}
