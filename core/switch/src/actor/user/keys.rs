//! What the keys of a user's phone change (R120).

use plugboard_model::{Dialled, ForwardWhen, UserStatus};
use plugboard_office::{SettingsChange, UserSettings};
use plugboard_sip::RequestUri;
use plugboard_sip::event::{FeatureWish, Forward, ForwardKind};
use std::time::Duration;

/// How long a phone rings and pauses once, in most countries: phones count rings, settings have times.
pub(crate) const RING: Duration = Duration::from_secs(5);

/// The changes that a wish comes to; none where it names nobody who can be dialled.
pub(super) fn changes(wish: &FeatureWish, settings: &UserSettings) -> Vec<SettingsChange> {
    match wish {
        FeatureWish::DoNotDisturb(true) => vec![SettingsChange::Status(UserStatus::DoNotDisturb)],
        // Whoever is logged out or busy stays so.
        FeatureWish::DoNotDisturb(false) if settings.status == UserStatus::DoNotDisturb => {
            vec![SettingsChange::Status(UserStatus::Available)]
        }
        FeatureWish::DoNotDisturb(false) => Vec::new(),
        FeatureWish::Forward(Forward { kind, to: None, .. }) => vec![SettingsChange::Forward(when(*kind), None)],
        FeatureWish::Forward(Forward { kind, to: Some(to), rings }) => {
            let Some(to) = dialled(to) else { return Vec::new() };
            let after = rings.map(|rings| SettingsChange::ForwardAfter(RING * rings));
            [SettingsChange::Forward(when(*kind), Some(to))].into_iter().chain(after).collect()
        }
    }
}

/// The forwards that a phone has keys for.
pub(crate) const fn when(kind: ForwardKind) -> ForwardWhen {
    match kind {
        ForwardKind::Always => ForwardWhen::Always,
        ForwardKind::Busy => ForwardWhen::Busy,
        ForwardKind::NoAnswer => ForwardWhen::NoAnswer,
    }
}

/// A number, or an address with one.
fn dialled(to: &str) -> Option<Dialled> {
    let number = Dialled::new(to).ok();
    number.or_else(|| Dialled::new(&RequestUri::parse(to).ok()?.user()?).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_become_settings() {
        let settings = |status| UserSettings { status, ..UserSettings::default() };
        let on = FeatureWish::DoNotDisturb(true);
        let status = |status| vec![SettingsChange::Status(status)];
        assert_eq!(changes(&on, &settings(UserStatus::Busy)), status(UserStatus::DoNotDisturb));
        let off = FeatureWish::DoNotDisturb(false);
        assert_eq!(changes(&off, &settings(UserStatus::DoNotDisturb)), status(UserStatus::Available));
        assert_eq!(changes(&off, &settings(UserStatus::LoggedOut)), [], "it is about do-not-disturb alone");
    }

    #[test]
    fn forwards_name_numbers_or_addresses_and_count_rings() {
        let forward =
            |to: Option<&str>| Forward { kind: ForwardKind::NoAnswer, to: to.map(str::to_owned), rings: Some(3) };
        let set = |to| changes(&FeatureWish::Forward(forward(to)), &UserSettings::default());
        let number = Dialled::new("103").unwrap();
        let made = vec![
            SettingsChange::Forward(ForwardWhen::NoAnswer, Some(number)),
            SettingsChange::ForwardAfter(Duration::from_secs(15)),
        ];
        assert_eq!(set(Some("103")), made);
        assert_eq!(set(Some("sip:103@plugboard.test")), made);
        assert_eq!(set(None), [SettingsChange::Forward(ForwardWhen::NoAnswer, None)]);
        assert_eq!(set(Some("my colleague's phone")), []);
    }
}
