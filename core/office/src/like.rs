//! Numbers that a document means: one, or all that look like it.

use crate::NumberPlan;
use plugboard_model::Dialled;

/// Characters of one: those of the longest thing to dial.
const LEN_MAX: usize = 64;
/// Stands for one character.
const ANY: char = '?';
/// At the end: for whatever follows, also for nothing.
const REST: char = '*';

/// A number with or without wildcards: `?` is one character, `*` at the end whatever follows.
///
/// It is compared as it is written and in E.164, with what was dialled or told and with that in E.164: `030*` is also `+4930123`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Like {
    text: String,
    written: Glob,
    /// In E.164, where that is written otherwise.
    e164: Option<Glob>,
}

/// A number in the ways in which it can be written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spelled {
    /// As it came; empty when nobody told one.
    pub written: String,
    /// `+4930123`.
    pub e164: Option<String>,
}

/// Characters, `None` for any, and whether more may follow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Glob {
    places: Vec<Option<char>>,
    open: bool,
}

impl Like {
    /// Reads one.
    ///
    /// # Errors
    /// Why it is none.
    pub fn new(text: &str, plan: NumberPlan<'_>) -> Result<Self, String> {
        let is_name = text.chars().any(|c| c.is_ascii_alphabetic());
        let separates = |c: &char| !is_name && matches!(c, '-' | '.' | '(' | ')' | ' ');
        let text: String = text.chars().filter(|c| !separates(c)).collect();
        if text.is_empty() || text.len() > LEN_MAX {
            return Err(format!("a number has 1 to {LEN_MAX} characters"));
        }
        let allowed = |(place, c): (usize, char)| {
            c.is_ascii_alphanumeric() || matches!(c, ANY | REST | '#' | '.' | '_' | '-') || (c == '+' && place == 0)
        };
        if let Some((_, bad)) = text.char_indices().find(|at| !allowed(*at)) {
            return Err(format!("{bad:?} cannot be part of a number"));
        }
        let written = Glob::read(&text);
        let fixed: String = written.places.iter().map_while(|place| *place).collect();
        let in_e164 = if written.is_one() {
            Dialled::new(&text).ok().and_then(|number| plan.e164(&number)).map(String::from)
        } else {
            plan.e164_lead(&fixed).map(|lead| format!("{lead}{}", text.get(fixed.len()..).unwrap_or_default()))
        };
        let e164 = in_e164.map(|text| Glob::read(&text)).filter(|glob| *glob != written);
        Ok(Self { text, written, e164 })
    }

    /// As it was written, without separators.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it means this number.
    pub fn is(&self, number: &Spelled) -> bool {
        let spellings = || [Some(number.written.as_str()), number.e164.as_deref()].into_iter().flatten();
        !number.written.is_empty() && self.globs().any(|glob| spellings().any(|text| glob.is(text)))
    }

    /// A number that it means as this writes such numbers: `+4930123` is `030123` to `030*`.
    pub(crate) fn said(&self, number: &Spelled) -> Option<String> {
        let spellings = || [Some(number.written.as_str()), number.e164.as_deref()].into_iter().flatten();
        if let Some(text) = spellings().find(|text| self.written.is(text)) {
            return Some(text.to_owned());
        }
        let e164 = self.e164.as_ref()?;
        let text = spellings().find(|text| e164.is(text))?;
        let rest: String = text.chars().skip(e164.lead().chars().count()).collect();
        Some(self.written.lead() + &rest)
    }

    /// How many characters it fixes.
    pub(crate) fn precision(&self) -> usize {
        self.written.places.iter().flatten().count()
    }

    /// What it always begins with, as it is written.
    pub(crate) fn lead(&self) -> String {
        self.written.lead()
    }

    /// The same for each way to write what it means.
    pub(crate) fn meaning(&self) -> &Glob {
        self.e164.as_ref().unwrap_or(&self.written)
    }

    pub(crate) fn globs(&self) -> impl Iterator<Item = &Glob> {
        std::iter::once(&self.written).chain(&self.e164)
    }
}

impl std::fmt::Display for Like {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Glob {
    /// This text and no other.
    pub(crate) fn one(text: &str) -> Self {
        Self { places: text.chars().map(Some).collect(), open: false }
    }

    /// Whatever begins so.
    pub(crate) fn beginning(text: &str) -> Self {
        Self { open: true, ..Self::one(text) }
    }

    fn read(text: &str) -> Self {
        let fixed = text.strip_suffix(REST);
        let places = fixed.unwrap_or(text).chars().map(|c| Some(c).filter(|c| *c != ANY)).collect();
        Self { places, open: fixed.is_some() }
    }

    /// What everything like it begins with.
    fn lead(&self) -> String {
        self.places.iter().map_while(|place| *place).collect()
    }

    fn is_one(&self) -> bool {
        !self.open && self.places.iter().all(Option::is_some)
    }

    fn is(&self, text: &str) -> bool {
        let mut rest = text.chars();
        let begins = self.places.iter().all(|place| match (place, rest.next()) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(wanted), Some(found)) => *wanted == found,
        });
        begins && (self.open || rest.next().is_none())
    }

    /// Whether some text is like both.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        let fits = |(one, two): (&Option<char>, &Option<char>)| one.is_none() || two.is_none() || one == two;
        let long_enough = match self.places.len().cmp(&other.places.len()) {
            std::cmp::Ordering::Less => self.open,
            std::cmp::Ordering::Equal => true,
            std::cmp::Ordering::Greater => other.open,
        };
        long_enough && self.places.iter().zip(&other.places).all(fits)
    }

    /// Whether every text that is like the other one is like this.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        let fits = |(own, theirs): (&Option<char>, &Option<char>)| own.is_none() || own == theirs;
        let long_enough = if self.open {
            self.places.len() <= other.places.len()
        } else {
            !other.open && self.places.len() == other.places.len()
        };
        long_enough && self.places.iter().zip(&other.places).all(fits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spelled(written: &str) -> Spelled {
        let plan = NumberPlan::of("de", Some("30"));
        let e164 = Dialled::new(written).ok().and_then(|number| plan.e164(&number)).map(String::from);
        Spelled { written: written.into(), e164 }
    }

    #[test]
    fn a_number_is_like_another_however_both_are_written() {
        for (like, number, is) in [
            ("101", "101", true),
            ("101", "1010", false),
            ("10?", "101", true),
            ("10?", "10", false),
            ("10?", "1012", false),
            ("10*", "10", true),
            ("10*", "1012", true),
            ("*", "1", true),
            ("*", "", false),
            ("+49 30 1234567", "0301234567", true),
            ("0301234567", "+49301234567", true),
            ("0301234567", "0049301234567", true),
            ("030*", "+49301234567", true),
            ("030*", "0049301234567", true),
            ("030*", "+49401234567", false),
            ("00*", "0033123456789", true),
            ("00*", "0301234567", false),
            ("00*", "+49301234567", false),
            ("0049*", "+49301234567", true),
            ("+4930*", "0301234567", true),
            ("0049*", "+49301234567", true),
            ("+4930123????", "030 1234567", true),
            ("+4930123???", "030 1234567", false),
            ("*43", "*43", true),
            ("*43", "*431", false),
            ("*4*", "*43", true),
            ("Sales", "Sales", true),
        ] {
            let read = Like::new(like, NumberPlan::of("de", Some("30"))).unwrap();
            assert_eq!(read.is(&spelled(number)), is, "{like} and {number}");
        }
        // Where numbers of the country have no prefix.
        let plan = NumberPlan::of("es", None);
        let number = |text: &str| Spelled {
            written: text.into(),
            e164: plan.e164(&Dialled::new(text).unwrap()).map(String::from),
        };
        for (like, text, is) in [
            ("91*", "911234567", true),
            ("91*", "+34911234567", true),
            ("91*", "0034911234567", true),
            ("91*", "+34921234567", false),
            ("91???????", "+34911234567", true),
            ("+3491*", "911234567", true),
            ("00*", "+34911234567", false),
        ] {
            assert_eq!(Like::new(like, plan).unwrap().is(&number(text)), is, "{like} and {text} in Spain");
        }
        for (text, reason) in [
            ("", "a number has 1 to 64 characters"),
            ("1 2!", "'!' cannot be part of a number"),
            ("1+2", "'+' cannot be part of a number"),
        ] {
            assert_eq!(Like::new(text, NumberPlan::of("de", None)), Err(reason.to_owned()));
        }
    }

    fn globs() -> impl Strategy<Value = (Glob, Glob, String)> {
        let glob = || "[12?]{0,3}[*]?".prop_map(|text| Glob::read(&text));
        (glob(), glob(), "[12]{0,4}")
    }

    proptest! {
        #[test]
        fn what_covers_and_what_overlaps_is_seen_in_each_text((one, two, text) in globs()) {
            prop_assert!(!(one.is(&text) && two.is(&text)) || one.overlaps(&two));
            prop_assert!(!(one.covers(&two) && two.is(&text)) || one.is(&text));
            prop_assert_eq!(one.overlaps(&two), two.overlaps(&one));
        }
    }
}
