//! Who asks which system beside the telephone, when, and how long: a machine for all offices.
//!
//! What holds always, whatever comes:
//! - each look-up ends once, at most [`LOOK_UP_WITHIN`] after it began, and found nothing unless an integration said otherwise in its time;
//! - an integration has no more runs at once than its office lets it, and one that fails again and again is left alone for a while;
//! - a number that several ask for at once is asked for once, and what is known of it is not asked again for a while;
//! - what an integration is told of calls that are over takes no place that whoever waits for a look-up could have had.

use plugboard_model::{AskedNumber, FoundContact, IntegrationAnswer, IntegrationAsk, Name, OfficeId, Time};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// All integrations of an office together have so long: a caller waits.
pub const LOOK_UP_WITHIN: Duration = Duration::from_secs(5);
/// Look-ups that go on at once; one more finds nothing: twice the calls that come to a large switch in five seconds.
pub const LOOK_UPS_MAX: usize = 1_024;
/// Nobody waits for what an integration is told.
const TOLD_WITHIN: Duration = Duration::from_secs(30);
/// A scenario that finds a contact rings who is responsible for him right after that.
const FOUND_KEPT: Duration = Duration::from_secs(60);
/// Whoever is not known is being written down just now.
const UNKNOWN_KEPT: Duration = Duration::from_secs(10);
/// Numbers whose contact is kept.
const KEPT_MAX: usize = 4_096;
/// Failures in a row after which an integration is left alone ...
const FAILURES_MAX: u32 = 5;
/// ... for so long at first, twice as long each time more ...
const PAUSE: Duration = Duration::from_secs(10);
/// ... and no longer than this.
const PAUSE_MAX: Duration = Duration::from_mins(5);

/// What an office lets one of its integrations do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntegrationRules {
    /// Its name.
    pub id: Name,
    /// How long it may take for one answer.
    pub timeout: Duration,
    /// Its runs at once.
    pub at_once: u32,
    /// Whether it finds contacts.
    pub finds: bool,
    /// Whether it knows who is responsible for one.
    pub knows_responsible: bool,
    /// Whether it is told of calls that are over.
    pub logs: bool,
}

/// Why an integration is not told something now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTold {
    /// The office has it no more, or it takes no calls any more.
    #[error("the office has no such integration that takes calls")]
    Gone,
    /// It has failed again and again.
    #[error("it failed several times, and is left alone for a while")]
    LeftAlone,
    /// It is told something else.
    #[error("it is told something else just now")]
    Busy,
}

/// One look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct LookUp(u64);

/// What the machine wants done, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntegrationsOutput {
    /// Call an integration's export; [`Integrations::ended`] says what came of it.
    Start {
        /// The run.
        run: u64,
        /// Whose integration.
        office: OfficeId,
        /// Which.
        integration: Name,
        /// What it is asked.
        ask: IntegrationAsk,
    },
    /// Nobody waits for this run any more.
    Cancel {
        /// The run.
        run: u64,
        /// Whose it is.
        office: OfficeId,
    },
    /// A look-up is over.
    Found {
        /// Which.
        look_up: LookUp,
        /// The integration and its contact; `None`: nobody knows the number, or nobody said so in time.
        found: Option<(Name, FoundContact)>,
    },
    /// What an integration was told has come through, or why not.
    Told {
        /// The run.
        run: u64,
        /// Whether it has noted it.
        noted: Result<(), String>,
    },
}

type Key = (OfficeId, AskedNumber);

/// The machine.
#[derive(Debug, Default)]
pub struct Integrations {
    offices: BTreeMap<OfficeId, Vec<IntegrationRules>>,
    state: BTreeMap<(OfficeId, Name), State>,
    look_ups: BTreeMap<Key, Asking>,
    runs: BTreeMap<u64, Run>,
    kept: BTreeMap<Key, Kept>,
    /// The same, by when they are forgotten.
    forgotten_at: BTreeSet<(Time, Key)>,
    next: u64,
    outbox: VecDeque<IntegrationsOutput>,
}

/// What is known of an integration.
#[derive(Debug, Default)]
struct State {
    runs: u32,
    /// It is told something, by one run at a time beside those of look-ups.
    told: bool,
    failures: u32,
    pauses: u32,
    left_alone: Option<Time>,
}

#[derive(Debug)]
struct Asking {
    waiting: Vec<LookUp>,
    until: Time,
    /// Those that were asked, and are not asked again.
    asked: BTreeSet<Name>,
    /// Whether each of them has said that it does not know.
    sure: bool,
    run: Option<u64>,
}

#[derive(Debug)]
struct Run {
    office: OfficeId,
    integration: Name,
    until: Time,
    purpose: Purpose,
}

/// What a run is for.
#[derive(Debug)]
enum Purpose {
    LookUp {
        number: AskedNumber,
        /// The contact for whom the responsible ones are asked.
        of: Option<Box<FoundContact>>,
    },
    Tell,
}

#[derive(Debug)]
struct Kept {
    until: Time,
    found: Option<(Name, FoundContact)>,
}

impl Integrations {
    /// From now on offices have these, the first ones first. What is under way goes on; nothing is known any more.
    pub fn follow(&mut self, offices: BTreeMap<OfficeId, Vec<IntegrationRules>>) {
        self.offices = offices;
        self.kept.clear();
        self.forgotten_at.clear();
        let offices = &self.offices;
        let there = |(office, id): &(OfficeId, Name)| {
            offices.get(office).is_some_and(|rules| rules.iter().any(|one| one.id == *id))
        };
        self.state.retain(|which, state| state.runs > 0 || state.told || there(which));
    }

    /// Somebody asks who has a number.
    pub fn find(&mut self, now: Time, office: OfficeId, number: AskedNumber) -> LookUp {
        self.next += 1;
        let (look_up, key) = (LookUp(self.next), (office, number));
        self.forget(now);
        if let Some(kept) = self.kept.get(&key) {
            self.outbox.push_back(IntegrationsOutput::Found { look_up, found: kept.found.clone() });
        } else if let Some(asking) = self.look_ups.get_mut(&key) {
            asking.waiting.push(look_up);
        } else if self.look_ups.len() >= LOOK_UPS_MAX {
            self.outbox.push_back(IntegrationsOutput::Found { look_up, found: None });
        } else {
            let until = now + LOOK_UP_WITHIN;
            let asking = Asking { waiting: vec![look_up], until, asked: BTreeSet::new(), sure: true, run: None };
            self.look_ups.insert(key.clone(), asking);
            self.ask_next(now, &key);
        }
        look_up
    }

    /// Tells an integration something that nobody waits for; [`IntegrationsOutput::Told`] says of the run what came of it.
    ///
    /// # Errors
    /// [`NotTold`]: nothing was begun.
    pub fn tell(&mut self, now: Time, office: OfficeId, id: &Name, ask: IntegrationAsk) -> Result<u64, NotTold> {
        self.rules(&office, id).filter(|rules| rules.logs).ok_or(NotTold::Gone)?;
        let state = self.state.entry((office.clone(), id.clone())).or_default();
        if state.told {
            return Err(NotTold::Busy);
        }
        if !state.lets_pass(now) {
            return Err(NotTold::LeftAlone);
        }
        state.told = true;
        self.next += 1;
        let (run, integration) = (self.next, id.clone());
        let (until, purpose) = (now + TOLD_WITHIN, Purpose::Tell);
        self.runs.insert(run, Run { office: office.clone(), integration: integration.clone(), until, purpose });
        self.outbox.push_back(IntegrationsOutput::Start { run, office, integration, ask });
        Ok(run)
    }

    /// A run has ended; what it said, or why it said nothing.
    pub fn ended(&mut self, now: Time, run: u64, said: Result<IntegrationAnswer, String>) {
        let Some(Run { office, integration, purpose, .. }) = self.runs.remove(&run) else { return };
        let told = matches!(purpose, Purpose::Tell);
        self.note(now, &office, &integration, told, said.is_ok());
        let (number, of) = match purpose {
            Purpose::LookUp { number, of } => (number, of.map(|contact| *contact)),
            Purpose::Tell => {
                let noted = said.map(drop);
                return self.outbox.push_back(IntegrationsOutput::Told { run, noted });
            }
        };
        let key = (office, number);
        if self.look_ups.get(&key).is_none_or(|asking| asking.run != Some(run)) {
            return;
        }
        match (said, of) {
            (Ok(IntegrationAnswer::Responsible(responsible)), Some(contact)) => {
                self.conclude(now, &key, Some((integration, FoundContact { responsible, ..contact })));
            }
            // He is found, whoever is responsible for him.
            (Ok(IntegrationAnswer::Contacts(_) | IntegrationAnswer::Noted) | Err(_), Some(contact)) => {
                self.conclude(now, &key, Some((integration, contact)));
            }
            (Ok(IntegrationAnswer::Contacts(found)), None) => match found.into_iter().next() {
                Some(contact) => self.found(now, &key, integration, contact),
                None => self.ask_next(now, &key),
            },
            (Ok(IntegrationAnswer::Responsible(_) | IntegrationAnswer::Noted) | Err(_), None) => {
                if let Some(asking) = self.look_ups.get_mut(&key) {
                    asking.sure = false;
                }
                self.ask_next(now, &key);
            }
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Time) {
        self.forget(now);
        let late: Vec<u64> = self.runs.iter().filter(|(_, run)| run.until <= now).map(|(id, _)| *id).collect();
        for run in late {
            if let Some(office) = self.runs.get(&run).map(|run| run.office.clone()) {
                self.outbox.push_back(IntegrationsOutput::Cancel { run, office });
            }
            self.ended(now, run, Err("it took too long".into()));
        }
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<IntegrationsOutput> {
        self.outbox.pop_front()
    }

    /// When to call [`Integrations::tick`].
    pub fn poll_timeout(&self) -> Option<Time> {
        self.runs.values().map(|run| run.until).min()
    }

    /// Look-ups that go on.
    pub fn look_ups(&self) -> usize {
        self.look_ups.len()
    }

    fn rules(&self, office: &OfficeId, id: &Name) -> Option<&IntegrationRules> {
        self.offices.get(office)?.iter().find(|rules| rules.id == *id)
    }

    /// The next one that finds contacts, may be asked and was not.
    fn ask_next(&mut self, now: Time, key: &Key) {
        let Some(asking) = self.look_ups.get_mut(key) else { return };
        asking.run = None;
        let rules = self.offices.get(&key.0).map(Vec::as_slice).unwrap_or_default();
        for rules in rules.iter().filter(|rules| rules.finds) {
            if asking.until <= now {
                asking.sure = false;
                break;
            }
            if !asking.asked.insert(rules.id.clone()) {
                continue;
            }
            let state = self.state.entry((key.0.clone(), rules.id.clone())).or_default();
            if state.runs < rules.at_once && state.lets_pass(now) {
                let ask = IntegrationAsk::FindContacts { number: key.1.clone(), most: 1 };
                let (id, timeout) = (rules.id.clone(), rules.timeout);
                return self.start(now, key, (id, timeout), ask, None);
            }
            asking.sure = false;
        }
        self.conclude(now, key, None);
    }

    fn found(&mut self, now: Time, key: &Key, integration: Name, contact: FoundContact) {
        let until = self.look_ups.get(key).map_or(now, |asking| asking.until);
        let rules = self.rules(&key.0, &integration).filter(|rules| rules.knows_responsible && until > now);
        let Some(timeout) = rules.filter(|_| contact.responsible.is_empty()).map(|rules| rules.timeout) else {
            return self.conclude(now, key, Some((integration, contact)));
        };
        let ask = IntegrationAsk::ResponsibleFor { contact: contact.id.clone() };
        self.start(now, key, (integration, timeout), ask, Some(contact));
    }

    fn start(
        &mut self,
        now: Time,
        key: &Key,
        (integration, timeout): (Name, Duration),
        ask: IntegrationAsk,
        of: Option<FoundContact>,
    ) {
        let Some(asking) = self.look_ups.get_mut(key) else { return };
        self.next += 1;
        let run = self.next;
        asking.run = Some(run);
        let until = asking.until.min(now + timeout);
        self.state.entry((key.0.clone(), integration.clone())).or_default().runs += 1;
        self.outbox.push_back(IntegrationsOutput::Start {
            run,
            office: key.0.clone(),
            integration: integration.clone(),
            ask,
        });
        let (office, purpose) = (key.0.clone(), Purpose::LookUp { number: key.1.clone(), of: of.map(Box::new) });
        self.runs.insert(run, Run { office, integration, until, purpose });
    }

    fn conclude(&mut self, now: Time, key: &Key, found: Option<(Name, FoundContact)>) {
        let Some(Asking { waiting, sure, .. }) = self.look_ups.remove(key) else { return };
        for look_up in waiting {
            self.outbox.push_back(IntegrationsOutput::Found { look_up, found: found.clone() });
        }
        // Whom nobody could be asked about may be known all the same.
        if (sure || found.is_some()) && self.kept.len() < KEPT_MAX {
            let until = now + if found.is_some() { FOUND_KEPT } else { UNKNOWN_KEPT };
            self.forgotten_at.insert((until, key.clone()));
            self.kept.insert(key.clone(), Kept { until, found });
        }
    }

    fn note(&mut self, now: Time, office: &OfficeId, id: &Name, told: bool, well: bool) {
        let Some(state) = self.state.get_mut(&(office.clone(), id.clone())) else { return };
        if told {
            state.told = false;
        } else {
            state.runs = state.runs.saturating_sub(1);
        }
        if well {
            *state = State { runs: state.runs, told: state.told, ..State::default() };
        } else {
            state.failed(now);
        }
    }

    fn forget(&mut self, now: Time) {
        while let Some((until, key)) = self.forgotten_at.first().cloned().filter(|(until, _)| *until <= now) {
            self.forgotten_at.remove(&(until, key.clone()));
            if self.kept.get(&key).is_some_and(|kept| kept.until <= now) {
                self.kept.remove(&key);
            }
        }
    }
}

impl State {
    /// After a pause one shows whether it is back, and the others do without it meanwhile.
    fn lets_pass(&mut self, now: Time) -> bool {
        match self.left_alone {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                self.left_alone = Some(now + PAUSE);
                true
            }
        }
    }

    fn failed(&mut self, now: Time) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES_MAX {
            let pause = PAUSE.saturating_mul(2_u32.saturating_pow(self.pauses)).min(PAUSE_MAX);
            self.pauses = self.pauses.saturating_add(1);
            self.left_alone = Some(now + pause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn office() -> OfficeId {
        OfficeId::new("main").unwrap()
    }

    fn rules(id: &str) -> IntegrationRules {
        let (timeout, id) = (2 * SECOND, Name::new(id).unwrap());
        IntegrationRules { id, timeout, at_once: 1, finds: true, knows_responsible: false, logs: true }
    }

    fn machine(rules: Vec<IntegrationRules>) -> Integrations {
        let mut machine = Integrations::default();
        machine.follow([(office(), rules)].into());
        machine
    }

    fn number(text: &str) -> AskedNumber {
        AskedNumber { shown: text.into(), forms: vec![text.into()] }
    }

    fn contact(id: &str) -> FoundContact {
        let none = String::new;
        let (numbers, groups, responsible) = <_>::default();
        let name = "Carla".into();
        FoundContact {
            id: id.into(),
            name,
            numbers,
            company: none(),
            email: none(),
            language: none(),
            groups,
            responsible,
        }
    }

    fn finds(contacts: &[&str]) -> IntegrationAnswer {
        IntegrationAnswer::Contacts(contacts.iter().map(|id| contact(id)).collect())
    }

    /// What was wanted since the last look, in words.
    fn wanted(machine: &mut Integrations) -> Vec<String> {
        let word = |output| match output {
            IntegrationsOutput::Start { run, integration, ask, .. } => format!("{run}: {integration} {}", ask.export()),
            IntegrationsOutput::Cancel { run, .. } => format!("cancel {run}"),
            IntegrationsOutput::Found { look_up, found } => {
                let found = found.map(|(by, contact)| {
                    format!("{by} {} {}", contact.id, contact.responsible.join(" ")).trim().to_owned()
                });
                format!("{}: {}", look_up.0, found.unwrap_or_else(|| "nobody".into()))
            }
            IntegrationsOutput::Told { run, noted } => format!("{run}: {noted:?}"),
        };
        std::iter::from_fn(|| machine.poll_output()).map(word).collect()
    }

    #[test]
    fn the_next_is_asked_when_one_does_not_know_and_what_is_found_is_kept_for_a_minute() {
        let (mut machine, start) = (machine(vec![rules("a"), rules("b")]), Time::ZERO);
        machine.find(start, office(), number("1"));
        assert_eq!(wanted(&mut machine), ["2: a find-contacts"]);
        machine.find(start, office(), number("1"));
        machine.ended(start, 2, Ok(finds(&[])));
        assert_eq!(wanted(&mut machine), ["4: b find-contacts"]);
        machine.ended(start, 4, Ok(finds(&["42"])));
        assert_eq!(wanted(&mut machine), ["1: b 42", "3: b 42"]);
        machine.find(start + 59 * SECOND, office(), number("1"));
        assert_eq!(wanted(&mut machine), ["5: b 42"]);
        machine.find(start + 60 * SECOND, office(), number("1"));
        assert_eq!(wanted(&mut machine), ["7: a find-contacts"]);
        assert_eq!(machine.look_ups(), 1);
    }

    #[test]
    fn whoever_nobody_knows_is_asked_for_again_after_ten_seconds_and_at_once_when_one_failed() {
        let (mut machine, start) = (machine(vec![rules("a")]), Time::ZERO);
        machine.find(start, office(), number("1"));
        machine.ended(start, 2, Ok(finds(&[])));
        machine.find(start + 9 * SECOND, office(), number("1"));
        assert_eq!(wanted(&mut machine), ["2: a find-contacts", "1: nobody", "3: nobody"]);
        machine.find(start + 10 * SECOND, office(), number("1"));
        machine.ended(start + 10 * SECOND, 5, Err("trapped".into()));
        machine.find(start + 10 * SECOND, office(), number("1"));
        assert_eq!(wanted(&mut machine), ["5: a find-contacts", "4: nobody", "7: a find-contacts"]);
    }

    #[test]
    fn a_slow_one_is_cancelled_and_all_together_have_five_seconds() {
        let (mut machine, start) = (machine(["a", "b", "c", "d"].map(rules).into()), Time::ZERO);
        machine.find(start, office(), number("1"));
        for seconds in [2, 4, 5] {
            assert_eq!(machine.poll_timeout(), Some(start + seconds * SECOND));
            machine.tick(start + seconds * SECOND);
        }
        let told =
            ["2: a find-contacts", "cancel 2", "3: b find-contacts", "cancel 3", "4: c find-contacts", "cancel 4"];
        assert_eq!(wanted(&mut machine), [told.as_slice(), &["1: nobody"]].concat());
        machine.ended(start + 6 * SECOND, 4, Ok(finds(&["42"])));
        assert!(wanted(&mut machine).is_empty() && machine.look_ups() == 0);
    }

    #[test]
    fn whoever_is_responsible_is_asked_where_the_contact_does_not_say_it() {
        let knows = IntegrationRules { knows_responsible: true, ..rules("a") };
        let (mut machine, start) = (machine(vec![knows]), Time::ZERO);
        machine.find(start, office(), number("1"));
        machine.ended(start, 2, Ok(finds(&["42"])));
        machine.ended(start, 3, Ok(IntegrationAnswer::Responsible(vec!["101".into()])));
        assert_eq!(wanted(&mut machine), ["2: a find-contacts", "3: a responsible-for", "1: a 42 101"]);
        machine.find(start, office(), number("2"));
        machine.ended(start, 5, Ok(finds(&["43"])));
        machine.ended(start, 6, Err("no".into()));
        assert_eq!(wanted(&mut machine), ["5: a find-contacts", "6: a responsible-for", "4: a 43"]);
    }

    #[test]
    fn one_that_is_busy_is_passed_over_and_one_that_fails_five_times_is_left_alone_longer_each_time() {
        let (mut machine, start) = (machine(vec![rules("a")]), Time::ZERO);
        machine.find(start, office(), number("1"));
        machine.find(start, office(), number("2"));
        assert_eq!(wanted(&mut machine), ["2: a find-contacts", "3: nobody"]);
        machine.ended(start, 2, Ok(finds(&[])));
        let mut now = start;
        let asked = |machine: &mut Integrations, now: Time| {
            machine.find(now, office(), number("3"));
            let run =
                wanted(machine).iter().find_map(|text| text.split_once(": a ").and_then(|(run, _)| run.parse().ok()));
            if let Some(run) = run {
                machine.ended(now, run, Err("down".into()));
            }
            run.is_some()
        };
        wanted(&mut machine);
        assert!((0..5).all(|_| asked(&mut machine, now)));
        for pause in [10, 20, 40, 80, 160, 300, 300] {
            assert!(!asked(&mut machine, now + (pause * SECOND).saturating_sub(Duration::from_millis(1))), "{pause}");
            now = now + pause * SECOND;
            assert!(asked(&mut machine, now), "{pause}");
        }
    }

    fn log(id: &str) -> IntegrationAsk {
        let (none, number) = (String::new, number("1"));
        let call = plugboard_model::LoggedCall {
            id: id.into(),
            direction: plugboard_model::Direction::Inbound,
            number,
            caller_name: none(),
            user: none(),
            rung: Vec::new(),
            began: plugboard_model::WallTime(0),
            answered: None,
            ended: plugboard_model::WallTime(0),
            outcome: plugboard_model::CallOutcome::Abandoned,
        };
        IntegrationAsk::LogCall { call: Box::new(call), again: false }
    }

    #[test]
    fn one_call_at_a_time_is_told_beside_look_ups_and_takes_no_place_of_theirs() {
        let (mut machine, start, a) = (machine(vec![rules("a")]), Time::ZERO, Name::new("a").unwrap());
        assert_eq!(machine.tell(start, office(), &a, log("1")), Ok(1));
        assert_eq!(machine.tell(start, office(), &a, log("2")), Err(NotTold::Busy));
        machine.find(start, office(), number("1"));
        assert_eq!(wanted(&mut machine), ["1: a log-call", "3: a find-contacts"]);
        machine.ended(start, 1, Ok(IntegrationAnswer::Noted));
        assert_eq!(wanted(&mut machine), ["1: Ok(())"]);
        assert_eq!(machine.tell(start, office(), &a, log("2")), Ok(4));
        machine.tick(start + TOLD_WITHIN);
        assert!(wanted(&mut machine).ends_with(&["cancel 4".into(), "4: Err(\"it took too long\")".into()]));
    }

    #[test]
    fn who_does_not_log_is_told_nothing_and_who_fails_is_left_alone() {
        let (a, b) = (Name::new("a").unwrap(), Name::new("b").unwrap());
        let mut machine = machine(vec![rules("a"), IntegrationRules { logs: false, ..rules("b") }]);
        assert_eq!(machine.tell(Time::ZERO, office(), &b, log("1")), Err(NotTold::Gone));
        for _ in 0..FAILURES_MAX {
            let run = machine.tell(Time::ZERO, office(), &a, log("1")).unwrap();
            machine.ended(Time::ZERO, run, Err("down".into()));
        }
        assert_eq!(machine.tell(Time::ZERO, office(), &a, log("1")), Err(NotTold::LeftAlone));
        assert!(machine.tell(Time::ZERO + PAUSE, office(), &a, log("1")).is_ok());
    }
}
