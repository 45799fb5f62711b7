//! What watchers are told of users and groups, made of what these show.

use plugboard_model::UserStatus;
use plugboard_office::{FeatureCode, Group, Office, User};
use plugboard_sip::SipUri;
use plugboard_sip::event::{
    Activity, Content, DIALOGS_MAX, DialogInfo, DialogState, Direction, EventDialog, Features, Forward, ForwardKind,
    Messages, Package, Party, Presence,
};
use std::sync::Arc;

use crate::actor::user::keys::{RING, when};
use crate::mailboxes::Counts;
use crate::message::{Shown, UserCall, UserView};
use crate::parking::Parked;

/// Everything that may be told of a user, who has so many messages.
pub(crate) fn of_user(office: &Office, user: &User, view: &UserView, counts: Counts) -> Vec<Arc<Content>> {
    let entity = uri(office, user.number.as_str());
    let content = |package| match package {
        Package::Dialog => Content::Dialogs(dialogs(office, entity.clone(), view.calls.iter())),
        Package::Presence => Content::Presence(presence(entity.clone(), view)),
        Package::Messages => Content::Messages(messages(office, entity.clone(), counts)),
        Package::Features => Content::Features(features(user, view)),
    };
    Package::ALL.into_iter().map(|package| Arc::new(content(package))).collect()
}

/// What may be told of a group: the calls that its members get, each once. A call that several members are rung with shows
/// how far it is with the one who is furthest.
pub(crate) fn of_group<'v>(office: &Office, group: &Group, views: impl Iterator<Item = &'v UserView>) -> Arc<Content> {
    let number = group.number.as_ref().map_or(group.id.name.as_str(), |number| number.as_str());
    let mut calls: Vec<&UserCall> = Vec::new();
    for call in views.flat_map(|view| &view.calls).filter(|call| call.lamp.direction == Direction::Recipient) {
        match calls.iter_mut().find(|known| known.call == call.call) {
            Some(known) if known.lamp.state < call.lamp.state => *known = call,
            Some(_) => {}
            None => calls.push(call),
        }
    }
    calls.sort_by(|one, other| one.call.cmp(&other.call));
    Arc::new(Content::Dialogs(dialogs(office, uri(office, number), calls.into_iter())))
}

/// The messages that wait for a group, for its members, and what they dial to hear them.
pub(crate) fn of_group_mailbox(office: &Office, group: &Group, Counts { new, old }: Counts) -> Arc<Content> {
    let number = group.number.as_ref().map_or(group.id.name.as_str(), |number| number.as_str());
    let code = office.features.code(FeatureCode::Mailbox).filter(|_| group.number.is_some());
    let dialled = code.map_or_else(|| number.to_owned(), |code| format!("{}{number}", code.as_str()));
    Arc::new(Content::Messages(Messages { account: uri(office, &dialled), new, old }))
}

/// What may be told of a place for parked calls: the call that is there. `None` where no code leads to it.
pub(crate) fn of_place(office: &Office, place: u32, parked: Option<&Parked>) -> Option<Arc<Content>> {
    let entity = uri(office, &format!("{}{place}", office.features.code(FeatureCode::Park)?));
    let dialog = |parked: &Parked| EventDialog {
        id: parked.call.ulid_text(),
        state: DialogState::Confirmed,
        direction: Direction::Recipient,
        // It is fetched by its number.
        replaces: None,
        remote: office.lamps_show_caller.then(|| party(office, &parked.whom)),
    };
    Some(Arc::new(Content::Dialogs(DialogInfo { entity, dialogs: parked.map(dialog).into_iter().collect() })))
}

fn dialogs<'c>(office: &Office, entity: String, calls: impl Iterator<Item = &'c UserCall>) -> DialogInfo {
    // What rings comes first: it is what a watcher can do something about.
    let mut dialogs: Vec<EventDialog> = calls.map(|call| dialog(office, call)).collect();
    dialogs.sort_by_key(|dialog| dialog.state != DialogState::Early);
    dialogs.truncate(DIALOGS_MAX);
    DialogInfo { entity, dialogs }
}

fn dialog(office: &Office, call: &UserCall) -> EventDialog {
    let lamp = &call.lamp;
    let rings = lamp.state == DialogState::Early && lamp.direction == Direction::Recipient;
    EventDialog {
        id: call.call.ulid_text(),
        state: lamp.state,
        direction: lamp.direction,
        // Only what rings may be taken; whoever talks shall not be found by his tags.
        replaces: lamp.dialog.clone().filter(|_| rings),
        remote: office.lamps_show_caller.then(|| party(office, &lamp.remote)),
    }
}

fn party(office: &Office, shown: &Shown) -> Party {
    if shown.number.is_empty() {
        return Party { name: String::new(), uri: "sip:anonymous@anonymous.invalid".into() };
    }
    Party { name: shown.name.clone(), uri: uri(office, &shown.number) }
}

fn presence(entity: String, view: &UserView) -> Presence {
    let talks = view.calls.iter().any(|call| call.lamp.state == DialogState::Confirmed);
    let (open, own) = match view.settings.status {
        UserStatus::Available => (true, None),
        UserStatus::Busy => (true, Some((Activity::Busy, "Busy"))),
        UserStatus::WrapUp => (true, Some((Activity::Busy, "Wrap-up"))),
        UserStatus::Away => (true, Some((Activity::Away, "Away"))),
        // Calls do not reach him.
        UserStatus::DoNotDisturb => (false, Some((Activity::Busy, "Do not disturb"))),
        UserStatus::LoggedOut => (false, Some((Activity::Away, "Logged out"))),
    };
    let mut activities: Vec<Activity> = talks.then_some(Activity::OnThePhone).into_iter().collect();
    activities.extend(own.map(|(activity, _)| activity));
    for activity in view.published.iter().flat_map(|published| &published.activities) {
        if !activities.contains(activity) {
            activities.push(*activity);
        }
    }
    let words = own.map(|(_, words)| words.to_owned());
    let published = || view.published.iter().find_map(|published| published.note.clone());
    let note = words.or_else(published).or_else(|| talks.then(|| "On the phone".to_owned())).unwrap_or_default();
    Presence { entity, open: open && view.reachable, activities, note }
}

/// The messages that wait for a user, and what his phone dials to hear them: the code for that, where there is one.
fn messages(office: &Office, entity: String, Counts { new, old }: Counts) -> Messages {
    let code = office.features.code(FeatureCode::Mailbox).map(|code| uri(office, code.as_str()));
    Messages { account: code.unwrap_or(entity), new, old }
}

fn features(user: &User, view: &UserView) -> Features {
    let forward = &view.settings.forward;
    let rings = u32::try_from(forward.after.as_secs().div_ceil(RING.as_secs())).ok();
    let forwards = ForwardKind::ALL.map(|kind| Forward {
        kind,
        to: forward.to(when(kind)).map(|to| to.as_str().to_owned()),
        rings: rings.filter(|_| kind == ForwardKind::NoAnswer),
    });
    Features {
        device: user.number.as_str().to_owned(),
        do_not_disturb: view.settings.status == UserStatus::DoNotDisturb,
        forwards: forwards.to_vec(),
    }
}

fn uri(office: &Office, number: &str) -> String {
    SipUri::new(Some(number), office.realm(), None).to_string()
}
