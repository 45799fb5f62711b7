//! Routes that stand in each other's way.

use crate::like::Glob;
use crate::{Office, Pattern, Route, Whose};
use plugboard_model::Dialled;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Pairs of routes between which nothing decides but their names: places in the list, the later one first. Conditions are not
/// weighed: two of them may hold at once as long as nobody has shown the contrary.
///
/// `e164` tells what a number is in E.164 where calls that a route is for may be written in more ways than one.
pub(crate) fn ties(routes: &[Route], e164: impl Fn(&Whose, &Dialled) -> Option<Dialled>) -> Vec<(usize, usize)> {
    let mut alike: BTreeMap<(&Whose, u32, bool, usize), Vec<usize>> = BTreeMap::new();
    for (place, route) in routes.iter().enumerate() {
        let key = (&route.whose, route.priority, route.called.is_exact(), route.called.precision());
        alike.entry(key).or_default().push(place);
    }
    let mut found = Vec::new();
    for places in alike.values() {
        // Plain numbers and prefixes of one length meet where they are the same; only wildcards have to be held against all.
        let (mut plain, mut likes) = (HashMap::new(), Vec::<usize>::new());
        for &place in places {
            let Some(route) = routes.get(place) else { continue };
            let other = match &route.called {
                Pattern::Exact(_) | Pattern::Prefix(_) => {
                    let same = plain.insert(route.called.lead(), place);
                    same.or_else(|| likes.iter().copied().find(|other| meet(routes, place, *other)))
                }
                Pattern::Like(_) => {
                    let before = plain.values().chain(&likes).copied();
                    let other = before.filter(|other| meet(routes, place, *other)).min();
                    likes.push(place);
                    other
                }
            };
            found.extend(other.map(|other| (place, other)));
        }
    }
    found.extend(spelled_otherwise(routes, e164));
    found.sort_unstable();
    found.dedup_by_key(|(place, _)| *place);
    found
}

/// Pairs that mean the same numbers and write them otherwise.
fn spelled_otherwise(
    routes: &[Route],
    e164: impl Fn(&Whose, &Dialled) -> Option<Dialled>,
) -> impl Iterator<Item = (usize, usize)> {
    let mut meanings = BTreeMap::new();
    let pairs = routes.iter().enumerate().filter_map(move |(place, route)| {
        let meaning = match &route.called {
            Pattern::Exact(number) => Glob::one(e164(&route.whose, number).as_ref().unwrap_or(number).as_str()),
            Pattern::Like(like) => like.meaning().clone(),
            Pattern::Prefix(_) => return None,
        };
        let key = (route.whose.clone(), route.priority, route.called.is_exact(), meaning);
        meanings.insert(key, place).map(|other| (place, other))
    });
    pairs.collect::<Vec<_>>().into_iter()
}

fn meet(routes: &[Route], one: usize, other: usize) -> bool {
    let (Some(one), Some(other)) = (routes.get(one), routes.get(other)) else { return false };
    let theirs = other.called.globs();
    one.called.globs().iter().any(|own| theirs.iter().any(|their| own.overlaps(their)))
}

fn covers(one: &Pattern, other: &[Glob]) -> bool {
    let own = one.globs();
    other.iter().all(|their| own.iter().any(|own| own.covers(their)))
}

impl Office {
    /// Routes and incoming numbers that no call ever takes, because others without conditions take all of theirs first.
    pub fn shadowed(&self) -> Vec<String> {
        let mut told = Vec::new();
        let free = || self.routes.iter().filter(|route| route.conditions.is_none());
        let mut exact: HashMap<&str, Vec<&Route>> = HashMap::new();
        let mut many = Vec::new();
        for route in free() {
            match &route.called {
                Pattern::Exact(number) => exact.entry(number.as_str()).or_default().push(route),
                Pattern::Prefix(_) | Pattern::Like(_) => many.push(route.as_ref()),
            }
        }
        // One to somebody may hide and yet be asked: where the other led elsewhere, the next one has its say.
        let from = |route: &&std::sync::Arc<Route>| !route.whose.is_to_somebody();
        for route in self.routes.iter().filter(from) {
            let own = route.called.globs();
            let same = exact.get(route.called.lead().as_str()).into_iter().flatten();
            let mut before = same.chain(&many).copied().filter(|other| {
                other.id != route.id
                    && other.goes_before(route)
                    // Only wildcards are held against every spelling.
                    && (matches!(other.called, Pattern::Like(_)) || !matches!(route.called, Pattern::Like(_)))
                    && other.whose.covers(&route.whose)
                    && covers(&other.called, &own)
            });
            if let Some(other) = before.next() {
                let (name, by) = (&route.id.name, &other.id.name);
                told.push(format!(
                    "the route {name} is never taken: the route {by} has no conditions and takes all of its calls first; \
                     give {by} conditions or a `priority` above that of {name}, or take one of them out"
                ));
            }
        }
        told.extend(self.hides_everybody());
        for incoming in self.numbers.values() {
            let own = [Glob::one(incoming.number.as_str())];
            let same = exact.get(incoming.number.as_str()).into_iter().flatten();
            let takes = |other: &&Route| {
                other.whose == Whose::FromGateways && other.goes_before_numbers() && covers(&other.called, &own)
            };
            if let Some(other) = same.chain(&many).copied().find(takes) {
                let (name, by) = (&incoming.id.name, &other.id.name);
                told.push(format!(
                    "calls of gateways to the incoming number {name} never reach its scenario: the route {by} has no \
                     conditions and takes them first; give {by} conditions, or take one of them out"
                ));
            }
        }
        told
    }

    /// Of routes without conditions that take what users dial to reach each other: a slip of `priority` silences the whole office.
    fn hides_everybody(&self) -> Vec<String> {
        let hides = |route: &&Arc<Route>| {
            route.whose == Whose::FromUsers && route.conditions.is_none() && route.goes_before_internal()
        };
        let told = self.routes.iter().filter(hides).filter_map(|route| {
            let hidden = |number: &&Dialled| covers(&route.called, &[Glob::one(number.as_str())]);
            let mut numbers: Vec<&Dialled> = self.internal.keys().filter(hidden).collect();
            numbers.sort_unstable();
            let (first, more) = (numbers.first()?, numbers.len().saturating_sub(1));
            let others = if more == 0 { String::new() } else { format!(" and {more} more") };
            let name = &route.id.name;
            Some(format!(
                "who dials the internal number {first}{others} never reaches it: the route {name} has no conditions and takes these \
                 calls first; give {name} conditions or a `priority` above 10, or say which numbers it is for"
            ))
        });
        told.collect()
    }
}
