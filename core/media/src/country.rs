//! The call progress tones of countries, as a table: ITU-T E.180 supplement 2, where it gives a range its middle. Cadences are
//! milliseconds of tone and silence in turn.

use plugboard_model::Tone;

/// What sounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wave {
    /// One frequency, in Hz.
    One(u16),
    /// Two at once.
    Two(u16, u16),
    /// The first one, as loud as the second one swings.
    Swelling(u16, u16),
}

use Wave::{One, Swelling, Two};

/// One period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub(crate) wave: Wave,
    pub(crate) cadence_ms: &'static [u32],
}

type Row = (&'static str, Wave, &'static [u32], Wave, &'static [u32], &'static [u32]);

/// Country, ring-back, busy, congestion; the last one has the frequency of busy.
#[rustfmt::skip]
const COUNTRIES: &[Row] = &[
    ("at", One(420), &[1_000, 5_000], One(420), &[400, 400], &[200, 200]),
    ("au", Two(413, 438), &[400, 200, 400, 2_000], One(425), &[375, 375], &[375, 375]),
    ("be", One(425), &[1_000, 3_000], One(425), &[500, 500], &[167, 167]),
    ("bg", One(425), &[1_000, 4_000], One(425), &[500, 500], &[250, 250]),
    ("br", One(425), &[1_000, 4_000], One(425), &[250, 250], &[250, 250, 750, 250]),
    ("by", One(425), &[800, 3_200], One(425), &[400, 400], &[200, 200]),
    ("ca", Two(440, 480), &[2_000, 4_000], Two(480, 620), &[500, 500], &[250, 250]),
    ("ch", One(425), &[1_000, 4_000], One(425), &[500, 500], &[200, 200]),
    ("cn", One(450), &[1_000, 4_000], One(450), &[350, 350], &[700, 700]),
    ("cy", One(425), &[1_500, 3_000], One(425), &[500, 500], &[250, 250]),
    ("cz", One(425), &[1_000, 4_000], One(425), &[330, 330], &[165, 165]),
    ("de", One(425), &[1_000, 4_000], One(425), &[480, 480], &[240, 240]),
    ("dk", One(425), &[1_000, 4_000], One(425), &[500, 500], &[200, 200]),
    ("ee", One(425), &[1_000, 4_000], One(425), &[300, 300], &[200, 200]),
    ("es", One(425), &[1_500, 3_000], One(425), &[200, 200], &[200, 200, 200, 200, 200, 600]),
    ("fi", One(425), &[1_000, 4_000], One(425), &[300, 300], &[200, 200]),
    ("fr", One(440), &[1_500, 3_500], One(440), &[500, 500], &[250, 250]),
    ("gb", Two(400, 450), &[400, 200, 400, 2_000], One(400), &[375, 375], &[400, 350, 225, 525]),
    ("gr", One(425), &[1_000, 4_000], One(425), &[300, 300], &[200, 200]),
    ("hr", One(425), &[1_000, 4_000], One(425), &[500, 500], &[250, 250]),
    ("hu", One(425), &[1_250, 3_750], One(425), &[300, 300], &[300, 300]),
    ("ie", Two(400, 450), &[400, 200, 400, 2_000], One(425), &[500, 500], &[250, 250]),
    ("il", One(400), &[1_000, 3_000], One(400), &[500, 500], &[250, 250]),
    ("in", Swelling(400, 25), &[400, 200, 400, 2_000], One(400), &[750, 750], &[250, 250]),
    ("it", One(425), &[1_000, 4_000], One(425), &[500, 500], &[200, 200]),
    ("jp", Swelling(400, 16), &[1_000, 2_000], One(400), &[500, 500], &[500, 500]),
    ("kz", One(425), &[1_000, 4_000], One(425), &[350, 350], &[175, 175]),
    ("lt", One(425), &[1_000, 4_000], One(425), &[350, 350], &[200, 200]),
    ("lu", One(425), &[1_000, 4_000], One(425), &[480, 480], &[240, 240]),
    ("lv", One(425), &[1_000, 4_000], One(425), &[300, 300], &[200, 200]),
    ("mt", One(425), &[1_500, 3_000], One(425), &[500, 500], &[250, 250]),
    ("mx", One(425), &[1_000, 4_000], One(425), &[250, 250], &[250, 250]),
    ("nl", One(425), &[1_000, 4_000], One(425), &[500, 500], &[250, 250]),
    ("no", One(425), &[1_000, 4_000], One(425), &[500, 500], &[200, 200]),
    ("nz", Two(400, 450), &[400, 200, 400, 2_000], One(400), &[500, 500], &[250, 250]),
    ("pl", One(425), &[1_000, 4_000], One(425), &[500, 500], &[500, 500]),
    ("pt", One(425), &[1_000, 5_000], One(425), &[500, 500], &[200, 200]),
    ("ro", One(450), &[1_850, 4_150], One(450), &[167, 167], &[500, 500]),
    ("ru", One(425), &[800, 3_200], One(425), &[400, 400], &[200, 200]),
    ("se", One(425), &[1_000, 5_000], One(425), &[250, 250], &[250, 750]),
    ("si", One(425), &[1_000, 4_000], One(425), &[500, 500], &[250, 250]),
    ("sk", One(425), &[1_000, 4_000], One(425), &[330, 330], &[165, 165]),
    ("tr", One(450), &[2_000, 4_000], One(450), &[500, 500], &[200, 200, 200, 200, 200, 200, 600, 200]),
    ("ua", One(425), &[1_000, 4_000], One(425), &[300, 300], &[200, 200]),
    ("us", Two(440, 480), &[2_000, 4_000], Two(480, 620), &[500, 500], &[250, 250]),
];

/// Germany's, and with their 425 Hz known in most of Europe: where a country's own are not in the table.
const USUAL: &Row = &("de", One(425), &[1_000, 4_000], One(425), &[480, 480], &[240, 240]);

/// Whose tones a caller knows.
#[derive(Debug, Clone, Copy)]
pub struct Country(&'static Row);

impl Default for Country {
    /// Germany.
    fn default() -> Self {
        Self(USUAL)
    }
}

impl PartialEq for Country {
    fn eq(&self, other: &Self) -> bool {
        self.code() == other.code()
    }
}

impl Eq for Country {}

impl Country {
    /// By its two letters (ISO 3166-1), in either case; the kingdom also as `uk`. `None`: it is not in the table.
    pub fn of_code(code: &str) -> Option<Self> {
        let code = code.to_ascii_lowercase();
        let code = if code == "uk" { "gb" } else { code.as_str() };
        COUNTRIES.iter().find(|(known, ..)| *known == code).map(Self)
    }

    /// All of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        COUNTRIES.iter().map(Self)
    }

    /// Its two letters.
    pub const fn code(self) -> &'static str {
        self.0.0
    }

    pub(crate) const fn pattern(self, tone: Tone) -> Pattern {
        let &(_, rings, ring_back, engaged, busy, congestion) = self.0;
        match tone {
            Tone::RingBack => Pattern { wave: rings, cadence_ms: ring_back },
            Tone::Busy => Pattern { wave: engaged, cadence_ms: busy },
            Tone::Congestion => Pattern { wave: engaged, cadence_ms: congestion },
            // The tone of recorders, E.180 section 8.
            Tone::Beep => Pattern { wave: One(1_400), cadence_ms: &[400] },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The countries of the European Union, and those that an office of ours is known to be in.
    const WANTED: &str = "at be bg hr cy cz dk ee fi fr de gr hu ie it lv lt lu mt nl pl pt ro sk si es se \
                          uk gb ch ua kz il tr cn jp in br au ca us ru no";

    #[test]
    fn each_country_that_is_wanted_has_tones_of_its_own() {
        for code in WANTED.split_whitespace() {
            let country = Country::of_code(&code.to_ascii_uppercase());
            assert_eq!(country.map(Country::code), Some(if code == "uk" { "gb" } else { code }));
        }
        assert_eq!(Country::of_code("xx"), None);
        assert_eq!(Country::default(), Country::of_code("DE").unwrap());
    }

    #[test]
    fn the_table_is_in_order_and_nobody_is_in_it_twice() {
        let codes: Vec<&str> = Country::all().map(Country::code).collect();
        assert!(codes.is_sorted_by(|one, next| one < next), "{codes:?}");
    }

    #[test]
    fn what_is_busy_can_be_told_from_what_rings_and_each_period_ends_in_silence() {
        for country in Country::all() {
            let [ring_back, busy, congestion] =
                [Tone::RingBack, Tone::Busy, Tone::Congestion].map(|tone| country.pattern(tone));
            for pattern in [ring_back, busy, congestion] {
                assert!(pattern.cadence_ms.len().is_multiple_of(2), "{}", country.code());
                assert!(pattern.cadence_ms.iter().all(|part| (100..=6_000).contains(part)), "{}", country.code());
            }
            let period = |pattern: Pattern| pattern.cadence_ms.iter().sum::<u32>();
            assert!(period(ring_back) >= 3_000 && period(busy) <= 1_500, "{}", country.code());
        }
    }
}
