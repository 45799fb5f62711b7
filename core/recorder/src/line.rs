//! The samples of one side that came and are not in the file yet.

/// Samples that may lie beyond what came out: the window, what a stream may be astray and a packet, at the wider rate, twice.
const LINE_MAX: usize = 64_000;

/// Samples one after the other, from the first that did not come out. Copied by whole packets: a recording must cost little beside the
/// relaying of its call.
#[derive(Debug)]
pub(crate) struct Line<T>(Vec<T>);

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self(Vec::new())
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
        if let Some(place) = self.0.get_mut(from..from + over.len()) {
            place.copy_from_slice(over);
        }
        self.0.extend_from_slice(beyond);
        debug_assert!(self.0.len() >= end, "all of it lies there");
    }

    /// The first samples, at most so many.
    pub(crate) fn first(&self, count: usize) -> &[T] {
        self.0.get(..count).unwrap_or(&self.0)
    }

    /// Forgets them. What stays is moved, half a second of sound at the most: a ring would come out in two pieces.
    pub(crate) fn forget(&mut self, count: usize) {
        self.0.drain(..count.min(self.0.len()));
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
        let mut last = line.first(usize::MAX).to_vec();
        line.forget(usize::MAX);
        assert!(line.is_empty());
        assert_eq!((last.len(), last.split_off(LINE_MAX - 2)), (LINE_MAX, vec![1, 2]));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        /// Each sample by itself, as the words say it.
        #[test]
        fn sound_lies_where_it_was_put(
            steps in proptest::collection::vec((0_usize..40, proptest::collection::vec(1_u8.., 0..20), 0_usize..30), 0..40),
        ) {
            let (mut line, mut plain) = (Line::default(), Vec::new());
            for (from, sound, count) in steps {
                line.lay(from, &sound, 0);
                // Silence is laid up to a packet's place, whether there is sound in it or not.
                while plain.len() < from {
                    plain.push(0);
                }
                for (n, sample) in sound.into_iter().enumerate() {
                    match plain.get_mut(from + n) {
                        Some(place) => *place = sample,
                        None => plain.push(sample),
                    }
                }
                let rest = plain.split_off(count.min(plain.len()));
                prop_assert_eq!(line.first(count), std::mem::replace(&mut plain, rest));
                line.forget(count);
            }
        }
    }
}
