//! Which of many spans a day lies in.

use crate::{Date, Span};

/// Days of a leap year.
const DAYS: usize = 366;

/// Spans by day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Index {
    /// First and last day of those of one year and their places, by first day.
    once: Vec<(Date, Date, usize)>,
    /// The last day of all of `once` up to each.
    reach: Vec<Date>,
    /// The place for each day of a leap year, if there are spans of each year.
    yearly: Vec<Option<usize>>,
}

impl Index {
    /// Spans with their places.
    pub(crate) fn of(spans: impl Iterator<Item = Span>) -> Self {
        let (mut once, mut yearly) = (Vec::new(), Vec::new());
        for (place, span) in spans.enumerate() {
            match span {
                Span::Once(first, last) => once.push((first, last, place)),
                Span::Yearly(..) => {
                    yearly.resize(DAYS, None);
                    for (day, found) in leap_year().zip(yearly.iter_mut()) {
                        if span.has(day) {
                            found.get_or_insert(place);
                        }
                    }
                }
            }
        }
        once.sort_unstable();
        let last = |reach: &mut Option<Date>, last: Date| {
            *reach = (*reach).max(Some(last));
            *reach
        };
        let reach = once.iter().map(|(_, last, _)| *last).scan(None, last).collect();
        Self { once, reach, yearly }
    }

    /// The place of a span that the day lies in.
    pub(crate) fn find(&self, date: Date) -> Option<usize> {
        let begun = self.once.partition_point(|(first, ..)| *first <= date);
        let ending = self.once.iter().zip(&self.reach).take(begun).rev();
        let of_a_year = ending.take_while(|(_, reach)| **reach >= date).find(|((_, last, _), _)| *last >= date);
        let of_each = self.yearly.get(date.in_leap_year()).copied().flatten();
        // Whichever was written first.
        of_a_year.map(|((.., place), _)| *place).into_iter().chain(of_each).min()
    }
}

fn leap_year() -> impl Iterator<Item = Date> {
    let first = Date::parse("2024-01-01").unwrap_or_default();
    std::iter::successors(Some(first), |day| Some(day.after())).take(DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn span() -> impl Strategy<Value = Span> {
        let day = (2025_u32..2028, 1_u32..13, 1_u32..29)
            .prop_map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}"));
        let yearly = (1_u32..13, 1_u32..32).prop_map(|(month, day)| format!("{month:02}-{day:02}"));
        let text = prop_oneof![
            day.clone(),
            (day.clone(), day).prop_map(|(a, b)| if a <= b { format!("{a}..{b}") } else { format!("{b}..{a}") }),
            yearly.clone(),
            (yearly.clone(), yearly).prop_map(|(a, b)| format!("{a}..{b}")),
        ];
        text.prop_filter_map("a day that there is", |text| Span::parse(&text))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_day_is_found_in_the_spans_that_have_it(spans in proptest::collection::vec(span(), 0..12)) {
            let index = Index::of(spans.iter().copied());
            let first = Date::parse("2024-12-25").unwrap();
            for day in std::iter::successors(Some(first), |day| Some(day.after())).take(4 * 366) {
                let found = index.find(day);
                prop_assert_eq!(found.is_some(), spans.iter().any(|span| span.has(day)), "{}", day);
                if let Some(place) = found {
                    prop_assert!(spans[place].has(day), "{}", day);
                }
            }
        }
    }
}
