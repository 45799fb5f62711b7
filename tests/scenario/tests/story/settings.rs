//! What people set of themselves while the switch runs.

use plugboard_model::{Dialled, ForwardWhen, Name, OfficeId, UserId, UserStatus};
use plugboard_office::{SettingsChange, SettingsFault, UserSettings};
use plugboard_simulator::{OfficeText, Setup, Sim};

use crate::{not_answered, seconds};

fn user(name: &str) -> UserId {
    UserId::new(&OfficeId::new("main").unwrap(), name).unwrap()
}

pub(crate) fn set(sim: &Sim, who: &str, change: SettingsChange) -> Result<UserSettings, SettingsFault> {
    sim.ask(sim.switch().change_user(&user(who), vec![change])).unwrap()
}

pub(crate) fn settings(sim: &Sim, who: &str) -> UserSettings {
    let users = sim.ask(sim.switch().users());
    users.into_iter().find(|(id, _)| *id == user(who)).unwrap().1.settings
}

fn forward(to: &str) -> SettingsChange {
    SettingsChange::Forward(ForwardWhen::Always, Some(Dialled::new(to).unwrap()))
}

#[test]
fn r5_a_status_that_is_set_while_the_switch_runs_holds_for_the_next_call() {
    let mut sim = Sim::demo();
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    set(&sim, "102", SettingsChange::Status(UserStatus::DoNotDisturb)).unwrap();
    ann.dials("102");
    sim.run_until(ann.was_told(480));
    sim.run_until_quiet();
    assert_eq!((bob.calls(), not_answered(&sim.record())), (vec![], Some(480)));
    set(&sim, "102", SettingsChange::Status(UserStatus::Available)).unwrap();
    ann.dials("102");
    sim.run_until(bob.rings());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn a_group_does_not_ring_who_has_logged_out_of_it_however_it_is_called() {
    let office = OfficeText::demo().with_story("  - call-group: { group: 200, ring_for: 5s }\n");
    let mut sim = Setup::offices(vec![office]).start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    let group = Name::new("sales").unwrap();
    set(&sim, "102", SettingsChange::Group { group: group.clone(), logged_in: false }).unwrap();
    for number in ["200", "300"] {
        ann.dials(number);
        sim.run_until(cem.rings());
        sim.run_for(seconds(1));
        assert_eq!(bob.calls(), [], "{number}");
        ann.hangs_up();
        sim.run_until_quiet();
    }
    set(&sim, "102", SettingsChange::Group { group, logged_in: true }).unwrap();
    ann.dials("200");
    sim.run_until(bob.rings());
    ann.hangs_up();
    sim.run_until_quiet();
}

#[test]
fn what_was_set_holds_over_a_restart_until_the_document_says_something_else() {
    let sim = Sim::demo();
    set(&sim, "102", SettingsChange::Status(UserStatus::Busy)).unwrap();
    set(&sim, "102", forward("103")).unwrap();
    let before = settings(&sim, "102");
    let sim = Setup::demo().after(sim).start();
    assert_eq!(settings(&sim, "102"), before);
    assert_eq!(settings(&sim, "103"), UserSettings::default());
    let edited = OfficeText::demo().replace("password: demo-102 }", "password: demo-102, forward: { always: 104 } }");
    sim.applies(&[edited]);
    let now = settings(&sim, "102");
    assert_eq!(now.forward.always, Some(Dialled::new("104").unwrap()), "who edits the document means it");
    assert_eq!(now.status, UserStatus::Busy, "and nothing else");
    // The old document says again what it said when the forward was set; that was given up since then.
    let sim = Setup::demo().after(sim).start();
    assert_eq!((settings(&sim, "102").forward.always, settings(&sim, "102").status), (None, UserStatus::Busy));
}
