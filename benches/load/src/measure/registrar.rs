//! Registrations: their CPU and memory, a start with them, and what strangers cost.

use std::path::Path;
use std::time::Duration;

use super::{Bench, Seen, known};
use crate::clock;
use crate::devices::{DEVICES_EACH, Devices, Registered, Strange, strangers};
use crate::error::LoadError;
use crate::office;
use crate::report::{Report, Row, eprint_line, ms};
use crate::switch::{Programs, Switch};

/// Registrations whose CPU is measured once more, when all are there.
const REFRESHED: u32 = 20_000;
/// Requests of strangers, of each kind.
const STRANGERS: u32 = 20_000;
/// What is stored is written and merged within this.
const SETTLED: Duration = Duration::from_secs(5);
/// The transactions of the REGISTERs are over within this (Timer J, 32 s): nobody registers all his phones at once.
const FORGOTTEN: Duration = Duration::from_secs(35);

impl Bench<'_> {
    pub(super) fn registrar(&self, programs: &Programs, report: &mut Report) -> Result<(), LoadError> {
        let users = self.options.users;
        let folder = self.folder.join("registrar");
        std::fs::create_dir_all(&folder).map_err(LoadError::file(&folder))?;
        eprint_line(&format!("starting a switch with an office of {users} users"));
        let document = office::document(users, &[]);
        let switch = Switch::office(programs, &folder, self.cores, self.options.bind, &document)?;
        let mut devices = Devices::of(users, self.options.bind, switch.sip)?;
        let count = devices.count();
        // Some, so that code and caches are there.
        devices.register(count / DEVICES_EACH / 10)?;
        let before = switch.processes.resident_kb();
        eprint_line(&format!("registering {count} devices"));
        let watch = self.watch(&switch.processes);
        let first = devices.register(count)?;
        let seen = self.seen(&watch, &switch.processes);
        report.add(per_registration("register_first_ms", "a first registration", &switch, first, &seen));
        clock::pass(SETTLED);
        let at_once = switch.processes.resident_kb();
        clock::pass(FORGOTTEN);
        let after = switch.processes.resident_kb();
        report.add(Row {
            key: "registered_mb",
            what: format!("resident memory with {count} devices registered, MB"),
            switch: known(&switch, f64_of(after) / 1_024.0),
            bare: None,
            note: format!(
                "{:.1} MB before, with {users} users; {:.1} MB with the transactions of the registrations",
                f64_of(before) / 1_024.0,
                f64_of(at_once) / 1_024.0
            ),
        });
        let watch = self.watch(&switch.processes);
        let again = devices.register(REFRESHED.min(count))?;
        let seen = self.seen(&watch, &switch.processes);
        report.add(per_registration("register_again_ms", "a registration once more", &switch, again, &seen));
        self.strangers(&switch, report)?;
        clock::pass(SETTLED);
        switch.stop()?;
        self.start_again(programs, &folder, count, report)
    }

    fn strangers(&self, switch: &Switch, report: &mut Report) -> Result<(), LoadError> {
        let kinds = [
            (Strange::Register, "stranger_register_us", "a stranger's REGISTER"),
            (Strange::Invite, "stranger_invite_us", "a stranger's INVITE"),
            (Strange::Junk, "stranger_junk_us", "a datagram that is no SIP"),
        ];
        let mut first = 0;
        for (kind, key, what) in kinds {
            eprint_line(&format!("{STRANGERS} times {what}"));
            let before = switch.processes.resident_kb();
            let watch = self.watch(&switch.processes);
            let answered = strangers(kind, STRANGERS, first, switch.sip)?;
            // What is still in a queue counts.
            clock::pass(Duration::from_millis(500));
            let seen = self.seen(&watch, &switch.processes);
            first += STRANGERS;
            let kept = f64_of(switch.processes.resident_kb()) - f64_of(before);
            report.add(Row {
                key,
                what: format!("CPU of {what}, us"),
                switch: known(switch, ms(seen.switch) * 1_000.0 / f64::from(STRANGERS)),
                bare: None,
                note: format!("{answered} of {STRANGERS} answered; {kept:.0} KB more resident; {}", seen.others()),
            });
        }
        Ok(())
    }

    /// Starts with what is stored of them.
    fn start_again(
        &self,
        programs: &Programs,
        folder: &Path,
        count: u32,
        report: &mut Report,
    ) -> Result<(), LoadError> {
        eprint_line("starting it again");
        let switch = Switch::again(programs, folder, self.cores)?;
        report.add(Row {
            key: "start_registered_ms",
            what: format!("start with {count} stored registrations, ms"),
            switch: Some(ms(switch.started_in)),
            bare: None,
            note: format!("{:.1} MB resident", f64_of(switch.processes.resident_kb()) / 1_024.0),
        });
        switch.stop()
    }
}

fn per_registration(key: &'static str, what: &str, switch: &Switch, registered: Registered, seen: &Seen) -> Row {
    let Registered { done, challenged } = registered;
    Row {
        key,
        what: format!("CPU of {what} with digest, ms"),
        switch: known(switch, ms(seen.switch) / f64::from(done.max(1))),
        bare: None,
        note: format!(
            "{done} in {:.1} s, of which {challenged} were challenged first; {}",
            seen.took.as_secs_f64(),
            seen.others()
        ),
    }
}

fn f64_of(kb: u64) -> f64 {
    f64::from(u32::try_from(kb).unwrap_or(u32::MAX))
}
