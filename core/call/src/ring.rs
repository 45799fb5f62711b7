//! One ringing: who was asked, which legs ring, who answered first.

use plugboard_model::{Audio, Cause, Connected, LegId, NotConnected, RingBack, Time, UserId, best_cause};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::input::{Forward, Onward, OwnForwards, Party};
use crate::{Op, PlayId};

/// A leg that may still answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rung {
    /// The end of its own user's answer time.
    pub(crate) until: Time,
    /// The place in [`Ring::chains`] of what led to it.
    pub(crate) chain: Option<usize>,
}

/// An answered phone that has to show that a person answers.
#[derive(Debug)]
pub(crate) struct Confirming {
    /// What it hears; none between two times.
    pub(crate) play: Option<PlayId>,
    /// When it hears it again.
    pub(crate) again: Option<Time>,
    /// What can be played.
    pub(crate) asks: VecDeque<Audio>,
}

/// A user who has not told all of his devices yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// Phones of his outside, which ring as well.
    pub(crate) phones: Vec<Party>,
    /// None of his devices is wanted, or none can be rung.
    pub(crate) phones_only: bool,
    /// The place in [`Ring::chains`] of what led to him.
    pub(crate) chain: Option<usize>,
    /// How many he has told.
    pub(crate) devices: usize,
    /// The end of his own answer time, once he has told the first of them or that they wake up.
    pub(crate) until: Option<Time>,
}

/// Those who are tried one after the other in the place of somebody who has sent the call on.
#[derive(Debug)]
pub(crate) struct Chain {
    /// On whose behalf; he who sent the call on stands last.
    pub(crate) forwards: Vec<Forward>,
    left: VecDeque<Onward>,
}

impl Chain {
    pub(crate) fn new(forwards: Vec<Forward>, targets: Vec<Onward>) -> Self {
        Self { forwards, left: targets.into() }
    }
}

/// A ringing that goes on.
#[derive(Debug)]
pub(crate) struct Ring {
    pub(crate) op: Op,
    pub(crate) began: Time,
    pub(crate) until: Time,
    /// What an answered caller is to hear.
    pub(crate) tone: RingBack,
    /// The tone or music that an answered caller hears.
    pub(crate) back: Option<PlayId>,
    /// The gateway's leg that the caller hears before it answers, in place of a tone of ours.
    pub(crate) early: Option<LegId>,
    /// That leg has said that it rings.
    pub(crate) rang: bool,
    /// Users that have not told all of their devices yet.
    pub(crate) asking: BTreeMap<UserId, Asked>,
    /// Users that were asked; nobody is asked twice.
    pub(crate) asked: BTreeSet<UserId>,
    /// Legs that may still answer.
    pub(crate) legs: BTreeMap<LegId, Rung>,
    /// On whose behalf everybody is rung.
    pub(crate) forwards: Vec<Forward>,
    /// Those who are tried in the place of others. Each is a leg's doing, so that there are no more than legs.
    pub(crate) chains: Vec<Chain>,
    /// Where the calls of users who ring go if they do not answer.
    pub(crate) own: BTreeMap<UserId, OwnForwards>,
    /// The answered leg whose user is asked for his slot.
    pub(crate) claiming: Option<LegId>,
    /// Users whose slot this call got for a device that ended before it was told: their other devices need not ask again.
    pub(crate) granted: BTreeSet<UserId>,
    /// Legs that answered while another's slot was asked for, in order.
    pub(crate) answered: VecDeque<LegId>,
    /// Phones that answered and have to show that a person did.
    pub(crate) confirming: BTreeMap<LegId, Confirming>,
    causes: Vec<Cause>,
    timed_out: bool,
}

impl Ring {
    pub(crate) fn new(op: Op, began: Time, until: Time, tone: RingBack) -> Self {
        Self {
            op,
            began,
            until,
            tone,
            back: None,
            early: None,
            rang: false,
            asking: BTreeMap::new(),
            asked: BTreeSet::new(),
            legs: BTreeMap::new(),
            forwards: Vec::new(),
            chains: Vec::new(),
            own: BTreeMap::new(),
            claiming: None,
            granted: BTreeSet::new(),
            answered: VecDeque::new(),
            confirming: BTreeMap::new(),
            causes: Vec::new(),
            timed_out: false,
        }
    }

    /// Somebody or some device cannot be reached.
    pub(crate) fn failed(&mut self, cause: Cause) {
        self.causes.push(cause);
    }

    /// Our own timer ended a leg.
    pub(crate) fn timed_out(&mut self) {
        self.timed_out = true;
    }

    /// Takes a leg out: it answered, ended or was told to stop. What it was, if it was in.
    pub(crate) fn forget(&mut self, leg: LegId) -> Option<Rung> {
        self.answered.retain(|waiting| *waiting != leg);
        self.confirming.remove(&leg);
        if self.claiming == Some(leg) {
            self.claiming = None;
        }
        self.legs.remove(&leg)
    }

    /// Whether this leg is all that is rung.
    pub(crate) fn rings_only(&self, leg: LegId) -> bool {
        self.asking.is_empty() && self.legs.len() == 1 && self.legs.contains_key(&leg)
    }

    /// Nobody is left who could answer.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.asking.is_empty() && self.legs.is_empty()
    }

    /// Why nobody was connected (decision 2 of the requirements).
    pub(crate) fn verdict(&self) -> NotConnected {
        if self.timed_out {
            return NotConnected::Timeout;
        }
        NotConnected::NoAnswer(best_cause(&self.causes).unwrap_or_else(|| Cause::of(480)))
    }

    /// Who answered.
    pub(crate) fn connected(&self, now: Time, user: Option<UserId>, number: String) -> Connected {
        let rang_ms = u32::try_from(now.since(self.began).as_millis()).unwrap_or(u32::MAX);
        Connected { user, number, rang_ms }
    }

    /// The next moment at which a leg or the whole ringing gives up.
    pub(crate) fn next_timeout(&self) -> Time {
        let again = self.confirming.values().filter_map(|confirming| confirming.again);
        self.legs.values().map(|rung| rung.until).chain(again).fold(self.until, Time::min)
    }

    /// Takes whoever comes next out of a chain of which nobody rings any more; and which chain it is.
    pub(crate) fn next_in_chain(&mut self) -> Option<(usize, Onward)> {
        let rings = |chain: usize| {
            self.legs.values().any(|rung| rung.chain == Some(chain))
                || self.asking.values().any(|asked| asked.chain == Some(chain))
        };
        let idle: Vec<bool> = (0..self.chains.len()).map(|chain| !rings(chain)).collect();
        let mut chains = self.chains.iter_mut().enumerate().zip(idle);
        chains.find_map(|((place, chain), idle)| Some((place, if idle { chain.left.pop_front() } else { None }?)))
    }
}
