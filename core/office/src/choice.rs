//! Which of its rules an office takes for a call, and why not the others.

use crate::inquiry::Facts;
use crate::parts::{ROUTE_PRIORITY, TO_ROUTES_MAX};
use crate::route::{direct_user, refused};
use crate::{
    Feature, FeatureCode, Goal, IncomingNumber, Inquiry, Internal, NumberFormat, Office, Route, Source, Spelled,
    Treatment, Way, Whose,
};
use plugboard_model::{Cause, Dialled, RouteId, UserId};
use std::cmp::Reverse;
use std::sync::Arc;

/// What an office looked at for a call, in this order, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// Each with what became of it.
    pub looked: Vec<Looked>,
    /// What happens to the call.
    pub treatment: Treatment,
}

/// Something that the call could have taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// What: `the route night`, `the incoming number 4930123`.
    pub what: String,
    /// The route, if it is one.
    pub route: Option<RouteId>,
    /// What became of it.
    pub verdict: Verdict,
}

/// What became of something that a call could have taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken.
    Taken,
    /// It is for other calls.
    Other(String),
    /// A condition does not hold.
    Failed(String),
    /// Another one was taken before.
    Late,
}

impl Verdict {
    /// One word, for programs.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Other(_) => "other",
            Self::Failed(_) => "failed",
            Self::Late => "late",
        }
    }
}

/// Where an entry stands among those that a call may take; the least goes first. With the same priority a whole number goes before
/// the many that a prefix has; the name decides last, so that the order of the document never does.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank<'o> {
    priority: u32,
    stage: Stage,
    precision: Reverse<(usize, u8)>,
    name: &'o str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Exact,
    Incoming,
    Internal,
    Feature,
    Many,
}

/// What a call may take.
enum Entry<'o> {
    Route(&'o Route),
    Incoming(&'o IncomingNumber),
    Internal(&'o Internal),
    Feature(Result<Feature, FeatureCode>),
}

/// What the routes to somebody say.
enum Word {
    /// Nothing.
    Stands,
    /// This happens, whatever they say besides.
    Last(Treatment),
    /// This, unless the routes to those whom it reaches now say otherwise.
    Elsewhere(Treatment),
}

/// Notes what was looked at, for those who ask.
struct Notes(Option<Vec<Looked>>);

impl Notes {
    const fn are_wanted(&self) -> bool {
        self.0.is_some()
    }

    fn add(&mut self, what: impl FnOnce() -> String, route: Option<&RouteId>, verdict: Verdict) {
        if let Some(looked) = &mut self.0 {
            looked.push(Looked { what: what(), route: route.cloned(), verdict });
        }
    }

    /// Says of a route whether its conditions hold.
    fn judge(&mut self, route: &Route, facts: &Facts<'_>) -> bool {
        let judged = route.conditions.as_ref().map(|conditions| conditions.rule.judge(facts, self.are_wanted()));
        let (holds, verdict) = match judged {
            None | Some(Ok(())) => (true, Verdict::Taken),
            Some(Err(why)) => (false, Verdict::Failed(why)),
        };
        self.add(|| name_of(route), Some(&route.id), verdict);
        holds
    }
}

fn name_of(route: &Route) -> String {
    format!("the route {}", route.id.name)
}

impl Office {
    /// Where a call goes.
    ///
    /// Of the routes for calls from whoever calls, of incoming numbers and, for users, of internal numbers and feature codes, the
    /// one with the lowest priority is taken: 10 for all that are no routes. Of several with the same one: a route for exactly
    /// this number; an incoming number; a user's or group's internal number; a feature code; the route that fixes most of the
    /// number's characters. One gateway's or user's goes before all gateways' or users'. Conditions that do not hold pass a
    /// route over. Where a user is to be rung or a gateway to be called through, the routes to them have the last word.
    ///
    /// No match is 404 (R48): never silence. A user who dials himself gets 486, because he is on the phone.
    ///
    /// What a gateway with a format of its own sends is looked for as it came, and in E.164. A user who dials an emergency
    /// number calls for help before all of this, and no number is written anew before internal ones are looked for.
    pub fn route(&self, asked: &Inquiry) -> Treatment {
        self.choose(asked, &mut Notes(None))
    }

    /// As [`Office::route`], with what was looked at.
    pub fn explain(&self, asked: &Inquiry) -> Explained {
        let mut notes = Notes(Some(Vec::new()));
        let treatment = self.choose(asked, &mut notes);
        Explained { looked: notes.0.unwrap_or_default(), treatment }
    }

    /// Whether this office has a use for what a gateway sends to this number, now or at another time.
    pub fn takes(&self, source: &Source, called: &Dialled) -> bool {
        let asked = Inquiry::new(source, called, plugboard_model::WallTime(0));
        let facts = Facts::of(self, &asked);
        let entries = self.entries(&facts, &mut Notes(None));
        let decided = entries.iter().find_map(|(_, entry)| match entry {
            Entry::Route(route) => match (&route.to, &route.conditions) {
                (Goal::Refuse(_), Some(_)) => None,
                (Goal::Refuse(_), None) => Some(false),
                (Goal::Scenario(_) | Goal::User(_) | Goal::Group(_) | Goal::Gateway { .. }, _) => Some(true),
            },
            Entry::Incoming(_) | Entry::Internal(_) | Entry::Feature(_) => Some(true),
        });
        decided.unwrap_or(false)
    }

    /// Whether a route with conditions could lead what this one dials somewhere, at another time if not now.
    pub fn leads_at_times(&self, source: &Source, called: &Dialled) -> bool {
        let asked = Inquiry::new(source, called, plugboard_model::WallTime(0));
        let facts = Facts::of(self, &asked);
        let entries = self.entries(&facts, &mut Notes(None));
        entries.iter().any(|(_, entry)| match entry {
            Entry::Route(route) => route.conditions.is_some() && !matches!(route.to, Goal::Refuse(_)),
            Entry::Incoming(_) | Entry::Internal(_) | Entry::Feature(_) => false,
        })
    }

    fn choose(&self, asked: &Inquiry, notes: &mut Notes) -> Treatment {
        if asked.source.user().is_some()
            && let Some(help) = self.help(&asked.called)
        {
            notes.add(|| format!("{} calls for help", asked.called), None, Verdict::Taken);
            return self.call_for_help(help);
        }
        let mut facts = Facts::of(self, asked);
        if let Some(treatment) = self.meets_at_door(&facts) {
            notes.add(|| "the blocked callers of the office".to_owned(), None, Verdict::Taken);
            return treatment;
        }
        let treatment = self.by_caller(&facts, notes);
        self.by_callee(treatment, &mut facts, notes)
    }

    /// What the rules for whoever calls say.
    fn by_caller(&self, facts: &Facts<'_>, notes: &mut Notes) -> Treatment {
        let mut treatment = None;
        for (_, entry) in self.entries(facts, notes) {
            if treatment.is_some() {
                notes.add(|| entry.name(), entry.route(), Verdict::Late);
                continue;
            }
            let takes = match &entry {
                Entry::Route(route) => notes.judge(route, facts),
                Entry::Incoming(_) | Entry::Internal(_) | Entry::Feature(_) => {
                    notes.add(|| entry.name(), None, Verdict::Taken);
                    true
                }
            };
            if takes {
                treatment = Some(self.take(entry, facts));
                if !notes.are_wanted() {
                    break;
                }
            }
        }
        treatment.unwrap_or_else(|| {
            let nothing = "nobody has this number, and no route takes it";
            notes.add(|| nothing.to_owned(), None, Verdict::Taken);
            refused(404, nothing)
        })
    }

    /// What a call may take, first what goes first. What it may not is noted.
    fn entries<'o>(&'o self, facts: &Facts<'o>, notes: &mut Notes) -> Vec<(Rank<'o>, Entry<'o>)> {
        let (source, called) = (&facts.asked.source, &facts.asked.called);
        let e164 = match source {
            Source::Gateway(gateway) => self.gateway(gateway).and_then(|gateway| self.e164_of(gateway, called)),
            Source::User(_) => None,
        };
        let written = e164.as_ref().map(Dialled::as_str);
        let fixed = |stage| Rank { priority: ROUTE_PRIORITY, stage, precision: Reverse((0, 0)), name: called.as_str() };
        let mut entries = Vec::new();
        for route in &self.routes {
            if !route.whose.is_from_somebody() {
                continue;
            }
            let is_his = route.whose.is_from(source);
            if is_his && route.called.is_for(&facts.called, written) {
                entries.push((route.rank(), Entry::Route(route)));
            } else if notes.are_wanted() {
                let other = if is_his { route.called.words() } else { format!("calls {}", route.whose.words()) };
                notes.add(|| name_of(route), Some(&route.id), Verdict::Other(other));
            }
        }
        let incoming = self.numbers.get(called).or_else(|| self.numbers.get(e164.as_ref()?));
        entries.extend(incoming.map(|incoming| (fixed(Stage::Incoming), Entry::Incoming(incoming))));
        if source.user().is_some() {
            let owner = self.internal.get(called);
            entries.extend(owner.map(|owner| (fixed(Stage::Internal), Entry::Internal(owner))));
            let code = self.features.find(called);
            entries.extend(code.map(|code| (fixed(Stage::Feature), Entry::Feature(code))));
        }
        entries.sort_by(|(one, _), (two, _)| one.cmp(two));
        entries
    }

    fn take(&self, entry: Entry<'_>, facts: &Facts<'_>) -> Treatment {
        let source = &facts.asked.source;
        match entry {
            Entry::Route(route) => self.follow(route, source, &facts.called),
            Entry::Incoming(incoming) => {
                let route = RouteId { office: self.id.clone(), name: incoming.id.name.clone() };
                Treatment::Scenario { scenario: incoming.scenario.clone(), route }
            }
            Entry::Internal(Internal::User(user)) => direct_user(user, source),
            Entry::Internal(Internal::Group(group)) => Treatment::DirectGroup(group.clone()),
            Entry::Feature(Ok(feature)) => Treatment::Feature(feature),
            Entry::Feature(Err(code)) => {
                refused(484, &format!("a number has to follow the feature code {}", code.key()))
            }
        }
    }

    /// What the rules for whoever is reached say: each leads elsewhere once at most, so that they end.
    fn by_callee(&self, first: Treatment, facts: &mut Facts<'_>, notes: &mut Notes) -> Treatment {
        let (mut treatment, mut taken) = (first, Vec::new());
        for _ in 0..TO_ROUTES_MAX {
            let word = match &treatment {
                Treatment::DirectUser(user) => self.to_user(user, facts, &mut taken, notes),
                Treatment::Outbound { ways, route } => self.to_gateways(ways, route, facts, &mut taken, notes),
                Treatment::Scenario { .. }
                | Treatment::DirectGroup(_)
                | Treatment::Emergency { .. }
                | Treatment::Feature(_)
                | Treatment::Refused(_) => Word::Stands,
            };
            match word {
                Word::Stands => break,
                Word::Last(last) => return last,
                Word::Elsewhere(next) => treatment = next,
            }
        }
        treatment
    }

    fn to_user<'o>(
        &'o self,
        user: &UserId,
        facts: &mut Facts<'_>,
        taken: &mut Vec<&'o RouteId>,
        notes: &mut Notes,
    ) -> Word {
        facts.callee = Some(user.clone());
        if let Some(treatment) = self.meets_at(user, facts) {
            notes.add(|| format!("the blocked callers of the user {}", user.name), None, Verdict::Taken);
            return Word::Last(treatment);
        }
        let numbers = [facts.called.clone()];
        let Some(route) = self.last_word(|whose| whose.is_to_user(user), &numbers, facts, taken, notes) else {
            return Word::Stands;
        };
        taken.push(&route.id);
        let next = self.follow(route, &facts.asked.source, &facts.called);
        // Or it lets the call through.
        let stands = matches!(&next, Treatment::DirectUser(same) if same == user);
        if stands { Word::Stands } else { Word::Elsewhere(next) }
    }

    /// Each way may be let through or refused; what leads elsewhere does so where no way is left before it.
    fn to_gateways<'o>(
        &'o self,
        ways: &[Way],
        by: &RouteId,
        facts: &Facts<'_>,
        taken: &mut Vec<&'o RouteId>,
        notes: &mut Notes,
    ) -> Word {
        let (mut left, mut cause) = (Vec::new(), None::<Cause>);
        for way in ways {
            // As its gateway writes numbers.
            let format = self.gateway(&way.gateway).map(|gateway| gateway.numbers).unwrap_or_default();
            let e164 = self.number_plan().e164_from(&way.number, format).map(String::from);
            let going = Spelled { written: way.number.to_string(), e164 };
            let numbers = [facts.called.clone(), going.clone()];
            let route = self.last_word(|whose| whose.is_to_gateway(&way.gateway), &numbers, facts, taken, notes);
            let Some(route) = route.filter(|route| !route.to.leads_through(&way.gateway)) else {
                left.push(way.clone());
                continue;
            };
            // To another gateway goes what was about to go to this one, without what was dialled for the outside line. That one
            // writes it as it wants it, which is told best by E.164.
            let whole = matches!(&route.to, Goal::Gateway { strip: 0, add, .. } if add.is_empty());
            let e164 = going.e164.clone().filter(|_| whole && format != NumberFormat::AsDialled);
            let going = e164.map_or_else(|| going.clone(), |e164| Spelled { written: e164, ..going.clone() });
            // What a route takes off is counted in the number that it is for: what was dialled, where what is about to go out is not.
            let strips = matches!(&route.to, Goal::Gateway { strip: 1.., .. });
            let dialled = strips && !route.called.is_for(&going, going.e164.as_deref());
            let next = self.follow(route, &facts.asked.source, if dialled { &facts.called } else { &going });
            if let Treatment::Refused(refusal) = next {
                cause = Some(refusal);
            } else if left.is_empty() {
                taken.push(&route.id);
                return Word::Elsewhere(next);
            }
        }
        match cause {
            Some(cause) if left.is_empty() => Word::Last(Treatment::Refused(cause)),
            Some(_) | None => Word::Last(Treatment::Outbound { ways: left, route: by.clone() }),
        }
    }

    /// The first of the routes to somebody that a call takes.
    fn last_word<'o>(
        &'o self,
        fits: impl Fn(&Whose) -> bool,
        numbers: &[Spelled],
        facts: &Facts<'_>,
        taken: &[&'o RouteId],
        notes: &mut Notes,
    ) -> Option<&'o Arc<Route>> {
        let is_called =
            |route: &&Arc<Route>| numbers.iter().any(|number| route.called.is_for(number, number.e164.as_deref()));
        let mut routes: Vec<&Arc<Route>> = self
            .routes
            .iter()
            .filter(|route| fits(&route.whose) && !taken.contains(&&route.id))
            .filter(is_called)
            .collect();
        routes.sort_by_cached_key(|route| route.rank().owned());
        routes.into_iter().find(|route| notes.judge(route, facts))
    }
}

impl Route {
    fn rank(&self) -> Rank<'_> {
        Rank {
            priority: self.priority,
            stage: if self.called.is_exact() { Stage::Exact } else { Stage::Many },
            precision: Reverse((self.called.precision(), self.whose.precision())),
            name: self.id.name.as_str(),
        }
    }

    /// Whether this goes first wherever a call may take both.
    pub(crate) fn goes_before(&self, other: &Self) -> bool {
        self.rank() < other.rank()
    }

    /// Whether it goes before internal numbers that it is for among others.
    pub(crate) fn goes_before_internal(&self) -> bool {
        !self.called.is_exact() && (self.priority, self.rank().stage) < (ROUTE_PRIORITY, Stage::Internal)
    }

    /// Whether it goes before incoming numbers that it is for as well.
    pub(crate) fn goes_before_numbers(&self) -> bool {
        (self.priority, self.rank().stage) < (ROUTE_PRIORITY, Stage::Incoming)
    }
}

impl Rank<'_> {
    fn owned(&self) -> (u32, Stage, Reverse<(usize, u8)>, String) {
        (self.priority, self.stage, self.precision, self.name.to_owned())
    }
}

impl Entry<'_> {
    fn name(&self) -> String {
        match self {
            Self::Route(route) => name_of(route),
            Self::Incoming(incoming) => format!("the incoming number {}", incoming.id.name),
            Self::Internal(owner) => format!("the internal number of {}", owner.name()),
            Self::Feature(Ok(feature)) => format!("the feature code {}", feature.code().key()),
            Self::Feature(Err(code)) => format!("the feature code {}", code.key()),
        }
    }

    const fn route(&self) -> Option<&RouteId> {
        match self {
            Self::Route(route) => Some(&route.id),
            Self::Incoming(_) | Self::Internal(_) | Self::Feature(_) => None,
        }
    }
}
