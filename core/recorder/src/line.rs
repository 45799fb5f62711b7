//! The samples of one side that came and are not in the file yet.

use std::collections::VecDeque;

/// Samples that may lie beyond what came out: the window, what a stream may be astray and a packet, at the wider rate, twice.
const LINE_MAX: usize = 64_000;

/// Samples one after the other, from the first that did not come out. Copied by whole packets: a recording must cost little beside the
/// relaying of its call.
#[derive(Debug)]
pub(crate) struct Line<T>(VecDeque<T>);

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T: Copy> Line<T> {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts sound so many samples behind the first; where nothing came before it there is silence. No stream goes further than it may
    /// be astray: what lies beyond is left out.
    pub(crate) fn lay(&mut self, from: usize, sound: &[T], silence: T) {
        let Some(end) = from.checked_add(sound.len()).filter(|end| *end <= LINE_MAX) else { return };
        if self.0.len() < from {
            self.0.resize(from, silence);
        }
        let (over, beyond) = sound.split_at(sound.len().min(self.0.len() - from));
        let (front, back) = self.0.as_mut_slices();
        let begin = from.min(front.len());
        let (into_front, into_back) = over.split_at(over.len().min(front.len() - begin));
        if let Some(place) = front.get_mut(begin..begin + into_front.len()) {
            place.copy_from_slice(into_front);
        }
        let begin = from.saturating_sub(front.len());
        if let Some(place) = back.get_mut(begin..begin + into_back.len()) {
            place.copy_from_slice(into_back);
        }
        self.0.extend(beyond);
        debug_assert!(self.0.len() >= end, "all of it lies there");
    }

    /// Gives the first samples, at most so many, as they lie in two pieces, and forgets them.
    pub(crate) fn take(&mut self, count: usize, mut each: impl FnMut(&[T])) {
        let count = count.min(self.0.len());
        let (front, back) = self.0.as_slices();
        let (first, rest) = (count.min(front.len()), count.saturating_sub(front.len()));
        each(front.get(..first).unwrap_or_default());
        each(back.get(..rest).unwrap_or_default());
        self.0.drain(..count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_lies_too_far_is_left_out() {
        let mut line = Line::default();
        line.lay(LINE_MAX - 1, &[1, 2], 0);
        line.lay(usize::MAX, &[1, 2], 0);
        assert!(line.is_empty());
        line.lay(LINE_MAX - 2, &[1, 2], 0);
        let mut last = Vec::new();
        line.take(usize::MAX, |piece| last.extend_from_slice(piece));
        assert_eq!((last.len(), last.split_off(LINE_MAX - 2)), (LINE_MAX, vec![1, 2]));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        /// As a plain list would do it, also where the ring that holds them turns round.
        #[test]
        fn sound_lies_where_it_was_put(
            steps in proptest::collection::vec((0_usize..40, proptest::collection::vec(1_u8.., 0..20), 0_usize..30), 0..40),
        ) {
            let (mut line, mut plain) = (Line::default(), Vec::new());
            for (from, sound, count) in steps {
                line.lay(from, &sound, 0);
                if plain.len() < from + sound.len() {
                    plain.resize((from + sound.len()).max(plain.len()), 0);
                }
                plain[from..from + sound.len()].copy_from_slice(&sound);
                let mut taken = Vec::new();
                line.take(count, |piece| taken.extend_from_slice(piece));
                let rest = plain.split_off(count.min(plain.len()));
                prop_assert_eq!(taken, std::mem::replace(&mut plain, rest));
            }
        }
    }
}
