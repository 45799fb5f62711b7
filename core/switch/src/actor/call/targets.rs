//! Whom actions ring: targets, as the office resolves them to people and numbers.

use plugboard_call::{Confirm, Party, Phone, Request, RingOrder, Urgency, Way};
use plugboard_model::{
    Audio, Cause, Dialled, Line, NotConnected, RingRequest, Speech, Target, Tone, UserId, UserPhones,
};
use plugboard_office::{CONFIRM_WITHIN, Inquiry, Internal, OutsidePhone, Source, Treatment};
use std::time::Duration;

use super::CallActor;
use super::host::millis;

/// Targets that one ringing may name (WIT `dial.ring`).
const TARGETS_MAX: usize = 32;
/// The office's prompt that is heard in place of the words by which a phone is asked to take a call.
const TAKE_CALL: &str = "take-call";

impl CallActor {
    /// Resolves targets to people and numbers; the faults are those that the WIT names.
    pub(super) fn ring(&self, request: &RingRequest) -> Result<Request, NotConnected> {
        if !(1..=TARGETS_MAX).contains(&request.targets.len()) {
            let reason = format!("1 to {TARGETS_MAX} targets can be rung, not {}", request.targets.len());
            return Err(NotConnected::Invalid(reason));
        }
        if !(1_000..=600_000).contains(&request.ring_for_ms) {
            let reason = format!("ring-for-ms is 1,000 to 600,000, not {}", request.ring_for_ms);
            return Err(NotConnected::Invalid(reason));
        }
        let mut parties = Vec::new();
        for target in &request.targets {
            self.resolve(target, &mut parties)?;
        }
        let order = if parties.len() == 1 { RingOrder::One } else { RingOrder::AtOnce };
        Ok(Request::Ring { parties, order, ring_for: millis(request.ring_for_ms), ring_back: request.ring_back })
    }

    fn resolve(&self, target: &Target, parties: &mut Vec<Party>) -> Result<(), NotConnected> {
        let nobody = |what: String| NotConnected::Invalid(format!("{what} does not exist in this office"));
        match target {
            Target::User(user) => {
                let found = self.office.user(user).ok_or_else(|| nobody(format!("user {}", user.name)))?;
                parties.push(Party::User(found.id.clone()));
            }
            Target::Group(group) => {
                let found = self.office.group(group).ok_or_else(|| nobody(format!("group {}", group.name)))?;
                parties.extend(self.snapshot.members(found).map(|user| Party::User(user.clone())));
            }
            Target::Number(number) => {
                let dialled = Dialled::new(number).map_err(|error| NotConnected::Invalid(error.to_string()))?;
                match self.office.internal(dialled.as_str()) {
                    Some(Internal::User(user)) => parties.push(Party::User(user.clone())),
                    Some(Internal::Group(group)) => return self.resolve(&Target::Group(group.clone()), parties),
                    None => parties.push(self.outside(&dialled)?),
                }
            }
            Target::Phones(phones) => parties.extend(self.phones(phones)?),
            Target::Line(line) => parties.push(self.line(line)?),
            Target::Address(address) => parties.push(self.address(address)?),
        }
        Ok(())
    }

    /// The gateway for a number that an action dials: by the routes of the user who pays, who may have some of his own; where nobody
    /// does, by those that the first user of the office has.
    fn outside(&self, dialled: &Dialled) -> Result<Party, NotConnected> {
        let payer = self.payer.as_ref().or(self.guest());
        let somebody = || self.office.users().next().map(|user| &user.id);
        let from = payer.or_else(somebody).map(|user| Source::User(user.clone()));
        match from.map(|from| self.office.route(&Inquiry::new(&from, dialled, self.env.clock.wall()))) {
            Some(Treatment::Outbound { ways, .. }) => Ok(crate::convert::outside(ways, payer, &*self.env.random)),
            Some(Treatment::Emergency { ways, test, .. }) => Ok(crate::convert::help(ways, test)),
            Some(
                Treatment::Scenario { .. }
                | Treatment::DirectUser(_)
                | Treatment::DirectGroup(_)
                | Treatment::Feature(_)
                | Treatment::Refused(_),
            )
            | None => Err(NotConnected::Invalid(format!("no route of this office leads to {dialled}"))),
        }
    }

    /// The phones outside of a user, as if he dialled them himself.
    fn phones(&self, phones: &UserPhones) -> Result<Vec<Party>, NotConnected> {
        let UserPhones { user, all } = phones;
        let nobody = || NotConnected::Invalid(format!("user {} does not exist in this office", user.name));
        let found = self.office.user(user).ok_or_else(nobody)?;
        let wanted = if *all { found.phones.len() } else { 1 };
        let language = found.language.as_ref().unwrap_or(&self.office.language);
        let mut parties = Vec::new();
        let ways = found.phones.iter().filter_map(|phone| Some((phone, self.phone_of(user, &phone.number)?)));
        // One to which no route leads is none: the first is the first that can be called.
        for (OutsidePhone { confirm, confirm_within, .. }, mut party) in ways.take(wanted) {
            if let Party::Outside { phone, .. } = &mut party {
                let confirm = confirm.then(|| self.confirm(*confirm_within, language));
                *phone = Some(Phone { of: Some(user.clone()), confirm });
            }
            parties.push(party);
        }
        if parties.is_empty() {
            let text = format!("No phone outside of the user {} can be called", user.name);
            return Err(NotConnected::NoAnswer(Cause { status: 404, text }));
        }
        Ok(parties)
    }

    /// Only to the outside: a colleague's number is none of his phones.
    fn phone_of(&self, user: &UserId, number: &Dialled) -> Option<Party> {
        let asked = Inquiry::new(&Source::User(user.clone()), number, self.env.clock.wall());
        match self.office.route(&asked) {
            Treatment::Outbound { ways, .. } => Some(crate::convert::outside(ways, Some(user), &*self.env.random)),
            Treatment::Emergency { .. }
            | Treatment::Scenario { .. }
            | Treatment::DirectUser(_)
            | Treatment::DirectGroup(_)
            | Treatment::Feature(_)
            | Treatment::Refused(_) => {
                tracing::warn!(call_id = %self.id, user = %user.name, "no route of his leads to a phone of his");
                None
            }
        }
    }

    /// An outside number in the way that the step wants.
    fn line(&self, line: &Line) -> Result<Party, NotConnected> {
        let number = Dialled::new(&line.number).map_err(|error| NotConnected::Invalid(error.to_string()))?;
        let mut party = match &line.gateway {
            Some(gateway) => self.through(gateway, &number)?,
            None if self.office.internal(number.as_str()).is_some() => {
                return Err(NotConnected::Invalid(format!("{number} is a number of this office")));
            }
            None => self.outside(&number)?,
        };
        // Whoever answers a call for help is asked for no key.
        if let Party::Outside { ways, phone } = &mut party
            && line.confirm
            && ways.iter().all(|way| way.urgency == Urgency::Usual)
        {
            let confirm = Some(self.confirm(CONFIRM_WITHIN, &self.office.language));
            *phone = Some(Phone { of: None, confirm });
        }
        Ok(party)
    }

    /// A number through one gateway, written as that gateway wants it. No step calls for help so: that has its own ways.
    fn through(&self, name: &str, number: &Dialled) -> Result<Party, NotConnected> {
        let gateway = self.office.gateways().find(|gateway| gateway.id.name.as_str() == name);
        let nobody = || NotConnected::Invalid(format!("gateway {name} does not exist in this office"));
        let gateway = gateway.ok_or_else(nobody)?;
        if self.office.help(number).is_some() {
            return Err(NotConnected::Invalid(format!("{number} calls for help, by ways of its own")));
        }
        let written = self.office.number_plan().write(number, gateway.numbers);
        let way = Way {
            gateway: gateway.id.clone(),
            number: written.into(),
            at: None,
            urgency: plugboard_call::Urgency::Usual,
            payer: self.payer.as_ref().or(self.guest()).cloned(),
        };
        Ok(Party::Outside { ways: vec![way], phone: None })
    }

    /// How a phone is asked to take a call: by the office's own prompt if it has one, else in words, else by a beep.
    pub(super) fn confirm(&self, within: Duration, language: &str) -> Confirm {
        let own = self.env.prompts.find(&self.office.id, TAKE_CALL, language, false);
        let (text, spoken) = plugboard_call::press_to_take(language);
        let words = Speech { text: text.to_owned(), language: Some(spoken.to_owned()) };
        let own = own.is_ok().then(|| Audio::Prompt(TAKE_CALL.to_owned()));
        Confirm { within, asks: own.into_iter().chain([Audio::Speech(words), Audio::Tone(Tone::Beep)]).collect() }
    }
}
