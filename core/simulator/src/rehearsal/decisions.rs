//! What is decided in a rehearsal, and what else could have been.

use plugboard_model::UserId;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::plan::{Does, Plan, ServiceDoes};

/// Something that somebody could have done otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// What the caller keys; `None`: he hangs up.
    Keys(Option<String>),
    /// What all do who are rung at once.
    Rung(Does),
    /// What a service does.
    Service(ServiceDoes),
}

/// Decides what a plan leaves open.
#[derive(Debug, Clone)]
pub(crate) struct Decisions {
    plan: Plan,
    /// The question that comes next.
    question: usize,
    explores: Option<Exploration>,
}

/// The way of one call among many.
#[derive(Debug, Clone, Default)]
struct Exploration {
    /// What is decided for this call, by number; all after it goes the usual way.
    way: Vec<usize>,
    /// What was chosen at each place, and how many ways there were.
    taken: Vec<(usize, usize)>,
    /// What callers may key.
    keys: Vec<String>,
}

impl Decisions {
    /// All that is open goes the usual way.
    pub(crate) fn planned(plan: &Plan) -> Self {
        Self { plan: plan.clone(), question: 0, explores: None }
    }

    /// What is open goes this way.
    pub(crate) fn exploring(plan: &Plan, keys: &BTreeSet<String>, way: Vec<usize>) -> Self {
        let explores = Exploration { way, taken: Vec::new(), keys: keys.iter().cloned().collect() };
        Self { explores: Some(explores), ..Self::planned(plan) }
    }

    /// The plan, with all that was decided so far.
    pub(crate) const fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The ways that branch off this one: what was chosen up to a place, and something else there.
    pub(crate) fn other_ways(&self) -> Vec<Vec<usize>> {
        let Some(Exploration { way, taken, .. }) = &self.explores else { return Vec::new() };
        let mut ways = Vec::new();
        for (place, (_, of)) in taken.iter().enumerate().skip(way.len()) {
            let before = || taken.iter().take(place).map(|(chosen, _)| *chosen);
            ways.extend((1..*of).map(|other| before().chain([other]).collect()));
        }
        ways
    }

    /// What the caller keys at the next question; `None`: he hangs up.
    pub(crate) fn keys(&mut self, since: Duration) -> Option<String> {
        let place = self.question;
        self.question += 1;
        if let Some(planned) = self.plan.keys.get(place) {
            return Some(planned.clone());
        }
        let keyed = |keys: &Exploration| {
            let nothing = [Choice::Keys(Some(String::new()))];
            let keys = keys.keys.iter().map(|key| Choice::Keys(Some(key.clone())));
            nothing.into_iter().chain(keys).chain([Choice::Keys(None)]).collect()
        };
        let options = self.explores.as_ref().map(keyed).unwrap_or_default();
        match self.choose(options) {
            Some(Choice::Keys(Some(keys))) => {
                self.plan.keys.push(keys.clone());
                Some(keys)
            }
            Some(Choice::Keys(None)) => {
                self.plan.hangs_up = Some(since + Duration::from_secs(1));
                None
            }
            Some(Choice::Rung(_) | Choice::Service(_)) | None => Some(String::new()),
        }
    }

    /// What these users do, who are rung at the same time. One for whom it is decided is asked no second time.
    pub(crate) fn rung(&mut self, users: &[UserId]) -> BTreeMap<UserId, Does> {
        let open: Vec<&UserId> = users.iter().filter(|user| self.plan.of(user).is_none()).collect();
        if !open.is_empty() {
            let does = self.someone();
            for user in open {
                self.plan.people.insert(user.clone(), does);
            }
        }
        users.iter().map(|user| (user.clone(), self.plan.of(user).unwrap_or(USUALLY))).collect()
    }

    /// The same of a number behind a gateway.
    pub(crate) fn outside(&mut self, number: &str) -> Does {
        if let Some(does) = self.plan.of_outside(number) {
            return does;
        }
        let does = self.someone();
        self.plan.outside.insert(number.to_owned(), does);
        does
    }

    fn someone(&mut self) -> Does {
        let options = [USUALLY, Does::Ignores, Does::Refuses(Duration::from_secs(1), 486)].map(Choice::Rung);
        match self.choose(options.into()) {
            Some(Choice::Rung(does)) => does,
            Some(Choice::Keys(_) | Choice::Service(_)) | None => USUALLY,
        }
    }

    /// What a service does.
    pub(crate) fn service(&mut self, name: &str) -> ServiceDoes {
        if let Some(does) = self.plan.services.get(name) {
            return does.clone();
        }
        let empty = ServiceDoes::Answers { status: 200, body: "{}".into(), after: Duration::from_millis(200) };
        let options = [ServiceDoes::Down, empty, ServiceDoes::Slow].map(Choice::Service);
        let does = match self.choose(options.into()) {
            Some(Choice::Service(does)) => does,
            Some(Choice::Keys(_) | Choice::Rung(_)) | None => ServiceDoes::Down,
        };
        self.plan.services.insert(name.to_owned(), does.clone());
        does
    }

    /// The first is the usual one. `None`: nothing is explored.
    fn choose(&mut self, options: Vec<Choice>) -> Option<Choice> {
        let explores = self.explores.as_mut()?;
        let place = explores.taken.len();
        let chosen = explores.way.get(place).copied().unwrap_or(0);
        explores.taken.push((chosen, options.len()));
        options.into_iter().nth(chosen)
    }
}

/// What people do, if nothing else is said.
const USUALLY: Does = Does::Answers(Plan::ANSWERS_AFTER);
