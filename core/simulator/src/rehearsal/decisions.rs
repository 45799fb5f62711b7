//! What is decided in a rehearsal, and what else could have been.

use plugboard_model::UserId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::answers::Answers;
use super::plan::{CarrierDoes, DatabaseDoes, Does, Plan, ServiceDoes};

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
    /// What services and databases may answer.
    answers: Arc<Answers>,
}

impl Decisions {
    /// All that is open goes the usual way.
    pub(crate) fn planned(plan: &Plan) -> Self {
        Self { plan: plan.clone(), question: 0, explores: None }
    }

    /// What is open goes this way.
    pub(crate) fn exploring(plan: &Plan, keys: &BTreeSet<String>, answers: &Arc<Answers>, way: Vec<usize>) -> Self {
        let keys = keys.iter().cloned().collect();
        let explores = Exploration { way, taken: Vec::new(), keys, answers: Arc::clone(answers) };
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
        let keyed = |explores: &Exploration| {
            let keys = explores.keys.iter().map(|key| Some(key.clone()));
            [Some(String::new())].into_iter().chain(keys).chain([None]).collect()
        };
        match self.choose(keyed) {
            Some(Some(keys)) => {
                self.plan.keys.push(keys.clone());
                Some(keys)
            }
            Some(None) => {
                self.plan.hangs_up = Some(since + Duration::from_secs(1));
                None
            }
            None => Some(String::new()),
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
        let options = |_: &Exploration| vec![USUALLY, Does::Ignores, Does::Refuses(Duration::from_secs(1), 486)];
        self.choose(options).unwrap_or(USUALLY)
    }

    /// What a service does.
    pub(crate) fn service(&mut self, name: &str) -> ServiceDoes {
        if let Some(does) = self.plan.services.get(name) {
            return does.clone();
        }
        let does = self.choose(|explores| explores.answers.of_service(name)).unwrap_or(ServiceDoes::Down);
        self.plan.services.insert(name.to_owned(), does.clone());
        does
    }

    /// What a database does when it is asked a query.
    pub(crate) fn database(&mut self, database: &str, query: &str) -> DatabaseDoes {
        if let Some(does) = self.plan.of_query(database, query) {
            return does.clone();
        }
        let does = self.choose(|explores| explores.answers.of_query(database, query)).unwrap_or(DatabaseDoes::Down);
        self.plan.databases.insert(format!("{database}/{query}"), does.clone());
        does
    }

    /// What becomes of mails.
    pub(crate) fn mail(&mut self) -> CarrierDoes {
        let does = self.plan.mail.unwrap_or_else(|| self.carrier());
        self.plan.mail = Some(does);
        does
    }

    /// What becomes of text messages.
    pub(crate) fn texts(&mut self) -> CarrierDoes {
        let does = self.plan.texts.unwrap_or_else(|| self.carrier());
        self.plan.texts = Some(does);
        does
    }

    fn carrier(&mut self) -> CarrierDoes {
        self.choose(|_| vec![CarrierDoes::Takes, CarrierDoes::Refuses]).unwrap_or(CarrierDoes::Takes)
    }

    /// The first is the usual one. `None`: nothing is explored.
    fn choose<T>(&mut self, options: impl FnOnce(&Exploration) -> Vec<T>) -> Option<T> {
        let explores = self.explores.as_mut()?;
        let options = options(explores);
        let place = explores.taken.len();
        let chosen = explores.way.get(place).copied().unwrap_or(0);
        explores.taken.push((chosen, options.len()));
        options.into_iter().nth(chosen)
    }
}

/// What people do, if nothing else is said.
const USUALLY: Does = Does::Answers(Plan::ANSWERS_AFTER);
