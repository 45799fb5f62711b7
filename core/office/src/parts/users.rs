//! Users in an office document.

use super::rules::language;
use super::{
    CALLS_AT_ONCE, DEVICES, Noun, Owner, Parts, RING_FOR_DIRECT, SKILL_LEVELS, SKILLS_MAX, USERS_MAX, WRAP_UP,
};
use crate::phone::{CONFIRM_WITHIN, CONFIRM_WITHIN_RANGE, PHONES_MAX};
use crate::settings::{FORWARD_AFTER, FORWARD_AFTER_RANGE, Forwards, OUT_OF_MAX, UserSettings};
use crate::{DigestChoice, DigestIntegrity, ForwardKey, Internal, OutsidePhone, User};
use plugboard_document::{Field, Kind};
use plugboard_model::{ForwardWhen, Name, UserId, UserStatus};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Each status as it is written.
pub(crate) const STATUSES: [(&str, UserStatus); 5] = [
    ("available", UserStatus::Available),
    ("busy", UserStatus::Busy),
    ("away", UserStatus::Away),
    ("do-not-disturb", UserStatus::DoNotDisturb),
    ("logged-out", UserStatus::LoggedOut),
];
/// Whether colleagues may speak to him without his picking up.
pub(crate) const INTERCOM: [(&str, bool); 2] = [("allowed", true), ("refused", false)];

impl Parts<'_> {
    pub(crate) fn users(&mut self, field: Option<Field<'_>>) {
        for item in self.items(field, USERS_MAX) {
            let Some((name, mut fields)) = self.named(&item) else { continue };
            self.found.named.insert((Noun::User, name.clone()));
            let number = fields.need("number", self.faults).and_then(|field| self.dialled(&field));
            let person = self.text(&mut fields, "name").unwrap_or_else(|| name.to_string());
            let password =
                fields.need("password", self.faults).and_then(|field| self.secret(&field, Owner::User(name.as_str())));
            let digests = [
                ("md5", DigestChoice::Md5),
                ("sha256", DigestChoice::Sha256),
                ("both", DigestChoice::Both),
                ("md5-sess", DigestChoice::Md5Session),
                ("sha256-sess", DigestChoice::Sha256Session),
            ];
            let integrities = [
                ("no", DigestIntegrity::No),
                ("offered", DigestIntegrity::Offered),
                ("required", DigestIntegrity::Required),
            ];
            let digest =
                fields.take("digest").and_then(|field| field.one_of(&digests, self.faults)).unwrap_or_default();
            let integrity = fields.take("digest_integrity").and_then(|field| field.one_of(&integrities, self.faults));
            let status = fields.take("status").and_then(|field| field.one_of(&STATUSES, self.faults));
            let calls_at_once = self.count(&mut fields, "calls_at_once", 1..=16, CALLS_AT_ONCE);
            let devices_max = self.count(&mut fields, "devices", 1..=32, DEVICES);
            let ring_for = self.ring_for(&mut fields).unwrap_or(RING_FOR_DIRECT);
            let outside_number = fields.take("outside_number").and_then(|field| self.dialled(&field));
            let phones = fields.take("phones").map(|field| self.phones(&field)).unwrap_or_default();
            let language = fields.take("language").and_then(|field| language(&field, self.faults));
            let (reliable, media) = (self.reliable(&mut fields), self.media(&mut fields));
            let browser = fields.take("browser").and_then(|field| field.boolean(self.faults));
            let location = fields.take("location").and_then(|field| self.refers(Noun::Location, &field));
            let toll = self.toll(fields.take("toll"));
            let record = self.record_rule(&mut fields);
            let mailbox = self.mailbox(fields.take("voicemail"), &format!("pin/user/{name}"));
            let mail = fields.take("mail").and_then(|field| self.mail_address(&field));
            let blocked = self.blocked(fields.take("blocked")).map(Arc::new);
            let forward = fields.take("forward");
            let (forward, forward_keys) = forward.map(|field| self.forwards(&field)).unwrap_or_default();
            let settings = UserSettings {
                status: status.unwrap_or_default(),
                forward,
                out_of: fields.take("logged_out_of").map(|field| self.groups_of(&field)).unwrap_or_default(),
                reason: None,
                wraps_up_until: None,
            };
            let skills = fields.take("skills").map(|field| self.skills(&field)).unwrap_or_default();
            let wrap_up = fields.take("wrap_up").and_then(|field| field.duration(WRAP_UP, self.faults));
            let intercom = fields.take("intercom").and_then(|field| field.one_of(&INTERCOM, self.faults));
            let supervises = fields.take("supervises").map(|field| self.groups_of(&field)).unwrap_or_default();
            fields.finish(self.faults);
            let (Some(number), Some(password)) = (number, password) else { continue };
            let id = UserId { office: self.office.clone(), name: name.clone() };
            self.found.internal.push((number.clone(), Internal::User(id.clone()), item.node.at, item.path.clone()));
            let user = User {
                id,
                number,
                name: person,
                password,
                digest,
                integrity: integrity.unwrap_or_default(),
                calls_at_once,
                devices_max,
                settings,
                forward_keys,
                intercom: intercom.unwrap_or_default(),
                supervises,
                skills,
                wrap_up,
                ring_for,
                outside_number,
                phones,
                language,
                reliable,
                browser,
                location,
                toll,
                media,
                record,
                mailbox,
                mail,
                blocked,
            };
            if self.found.users.insert(name, Arc::new(user)).is_some() {
                self.twice(&item);
            }
        }
    }

    /// `{ always, busy, no_answer, unreachable, after }`; each of the four a number, or `{ number, confirm, confirm_within }`.
    fn forwards(&mut self, field: &Field<'_>) -> (Forwards, BTreeMap<ForwardWhen, ForwardKey>) {
        let (mut forwards, mut keys) = (Forwards::default(), BTreeMap::new());
        let Some(mut fields) = field.fields(self.faults) else { return (forwards, keys) };
        for when in ForwardWhen::ALL {
            let Some(field) = fields.take(when.as_str()) else { continue };
            if !matches!(field.node.kind, Kind::Map(_)) {
                *forwards.place(when) = self.dialled(&field);
                continue;
            }
            let Some(mut fields) = field.fields(self.faults) else { continue };
            *forwards.place(when) = fields.take("number").and_then(|field| self.dialled(&field));
            let confirm = fields.take("confirm").and_then(|field| field.boolean(self.faults));
            let within = fields.take("confirm_within");
            let within = within.and_then(|field| field.duration(CONFIRM_WITHIN_RANGE, self.faults));
            fields.finish(self.faults);
            let key = ForwardKey { confirm, confirm_within: within.unwrap_or(CONFIRM_WITHIN) };
            if key != ForwardKey::default() {
                keys.insert(when, key);
            }
        }
        let after = fields.take("after").and_then(|field| field.duration(FORWARD_AFTER_RANGE, self.faults));
        forwards.after = after.unwrap_or(FORWARD_AFTER);
        fields.finish(self.faults);
        (forwards, keys)
    }

    /// Numbers, or `{ number, name, confirm, confirm_within }`; in the order in which they are rung.
    fn phones(&mut self, field: &Field<'_>) -> Vec<OutsidePhone> {
        let items = if field.is_list() { field.list(PHONES_MAX, self.faults) } else { vec![field.clone()] };
        let mut phones: Vec<OutsidePhone> = Vec::new();
        for item in items {
            let Some(phone) = self.phone(&item) else { continue };
            if phones.iter().any(|other| other.number == phone.number) {
                item.fault(self.faults, format!("the phone {} is here twice", phone.number), "take one of them out");
                continue;
            }
            phones.push(phone);
        }
        phones
    }

    fn phone(&mut self, field: &Field<'_>) -> Option<OutsidePhone> {
        if !matches!(field.node.kind, Kind::Map(_)) {
            return self.dialled(field).map(OutsidePhone::of);
        }
        let mut fields = field.fields(self.faults)?;
        let number = fields.need("number", self.faults).and_then(|field| self.dialled(&field));
        let name = self.text(&mut fields, "name");
        let confirm = fields.take("confirm").and_then(|field| field.boolean(self.faults));
        let within = fields.take("confirm_within");
        let within = within.and_then(|field| field.duration(CONFIRM_WITHIN_RANGE, self.faults));
        fields.finish(self.faults);
        let usual = OutsidePhone::of(number?);
        Some(OutsidePhone {
            name,
            confirm: confirm.unwrap_or(usual.confirm),
            confirm_within: within.unwrap_or(usual.confirm_within),
            ..usual
        })
    }

    /// `{ german: 8 }`: what he can do, and how well.
    fn skills(&mut self, field: &Field<'_>) -> BTreeMap<Name, u8> {
        let entries = field.entries(self.faults);
        if entries.len() > SKILLS_MAX {
            field.fault(self.faults, format!("a user has at most {SKILLS_MAX} skills"), "take some out");
        }
        let mut skills = BTreeMap::new();
        for (name, level) in entries.into_iter().take(SKILLS_MAX) {
            let Ok(name) = Name::new(name) else {
                level.fault(self.faults, format!("{name:?} is no name of a skill"), "write 1 to 64 of a-z 0-9 . _ -");
                continue;
            };
            if let Some(level) = level.integer(SKILL_LEVELS, self.faults).and_then(|level| u8::try_from(level).ok()) {
                skills.insert(name, level);
            }
        }
        skills
    }

    fn groups_of(&mut self, field: &Field<'_>) -> BTreeSet<Name> {
        let items = field.list(OUT_OF_MAX, self.faults);
        items.iter().filter_map(|item| self.refers(Noun::Group, item)).collect()
    }
}
