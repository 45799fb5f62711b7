//! Wrong PINs as they are kept over a restart: the table of mailboxes counts them ([`crate::mailboxes`]).

use plugboard_model::{GroupId, Mailbox, OfficeId, UserId};
use plugboard_office::PinTries;
use plugboard_store::{KeptTries, Store};
use std::time::Duration;

use crate::env::Env;

/// Whose PINs were wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whose {
    /// A mailbox's, whoever tried.
    Mailbox(Mailbox),
    /// A caller's, whatever mailbox he tried.
    Caller((OfficeId, String)),
}

/// Whose tries are others now; none are to be remembered where there are none.
pub(crate) type Changed = (Whose, PinTries);

impl Whose {
    fn office(&self) -> &OfficeId {
        match self {
            Self::Mailbox(mailbox) => mailbox.office(),
            Self::Caller((office, _)) => office,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Mailbox(Mailbox::User(user)) => format!("user {}", user.name),
            Self::Mailbox(Mailbox::Group(group)) => format!("group {}", group.name),
            Self::Caller((_, who)) => format!("caller {who}"),
        }
    }

    fn read(office: &OfficeId, text: &str) -> Option<Self> {
        let (kind, name) = text.split_once(' ')?;
        match kind {
            "user" => UserId::new(office, name).ok().map(|user| Self::Mailbox(Mailbox::User(user))),
            "group" => GroupId::new(office, name).ok().map(|group| Self::Mailbox(Mailbox::Group(group))),
            "caller" => Some(Self::Caller((office.clone(), name.to_owned()))),
            _ => None,
        }
    }
}

/// Keeps what is others now. Never waits.
pub(crate) fn keep(env: &Env, changed: Vec<Changed>) {
    let wall = env.clock.wall();
    for (whose, tries) in changed {
        if tries == PinTries::default() {
            forget(&env.store, &whose);
            continue;
        }
        let kept = KeptTries { whose: whose.text(), wrong: tries.how_many(), last: wall };
        if let Err(error) = env.store.pin_tries().put(whose.office(), &kept) {
            tracing::warn!(office = %whose.office(), %error, "a wrong PIN is not remembered over a restart");
        }
    }
}

/// Forgets whose PINs were wrong. Never waits.
pub(crate) fn forget(store: &Store, whose: &Whose) {
    // One that is no key was never kept.
    let _never_kept = store.pin_tries().remove(whose.office(), &whose.text());
}

/// What is kept of an office, and says something still. Waits for the disk.
pub(crate) fn read(env: &Env, office: &OfficeId) -> Vec<Changed> {
    let kept = env.store.pin_tries().all(office).unwrap_or_else(|error| {
        tracing::error!(%office, %error, "wrong PINs could not be read: everybody has new tries");
        Vec::new()
    });
    let (now, wall) = (env.clock.now(), env.clock.wall());
    let mut known = Vec::with_capacity(kept.len());
    for KeptTries { whose, wrong, last } in kept {
        let Some(whose) = Whose::read(office, &whose) else { continue };
        let ago = Duration::from_millis(u64::try_from(wall.0.saturating_sub(last.0)).unwrap_or(0));
        let tries = PinTries::kept(wrong, now, ago);
        if tries.is_forgotten(now) {
            forget(&env.store, &whose);
        } else {
            known.push((whose, tries));
        }
    }
    known
}
