//! Whoever calls again comes to the one whom he talked with.

use plugboard_simulator::{OfficeText, Phone, Setup, Sim};

use crate::{seconds, steps, talk};

const CARRIER: &str = "10.0.1.1:5060";

/// Three users, a gateway in and out, and a scenario that looks back.
fn office(days: u32) -> Setup {
    let text = format!(
        "office: main\ndomains: [plugboard.test]\ncountry: de\narea: 30\nusers:\n\
         \x20 - {{ id: ann, number: 101, name: Ann Archer, password: demo-101 }}\n\
         \x20 - {{ id: bob, number: 102, name: Bob Baker, password: demo-102 }}\n\
         \x20 - {{ id: cem, number: 103, name: Cem Celik, password: demo-103 }}\n\
         gateways:\n  - {{ id: carrier, address: \"{CARRIER}\" }}\n\
         routes:\n  - {{ id: out, prefix: 0, gateway: carrier }}\n\
         numbers:\n  - {{ number: \"+4930777\", scenario: front }}\n\
         scenarios:\n  - scenario: front\n    variables: {{ agent: user }}\n    steps:\n\
         \x20     - search-history: {{ variable: agent, days: {days} }}\n        on:\n          found:\n\
         \x20           - call-user: {{ mode: variable, target: agent, ring_for: 10s }}\n\
         \x20     - call-user: {{ mode: user, target: ann, ring_for: 10s }}\n"
    );
    Setup::offices(vec![OfficeText::new(&text)])
}

struct Office {
    sim: Sim,
    ann: Phone,
    bob: Phone,
    cem: Phone,
    carrier: Phone,
}

fn started(setup: Setup) -> Office {
    let mut sim = setup.start();
    let (ann, bob, cem) = (sim.phone("ann", "101"), sim.phone("bob", "102"), sim.phone("cem", "103"));
    let carrier = sim.outside("carrier", CARRIER);
    Office { sim, ann, bob, cem, carrier }
}

impl Office {
    /// Somebody outside calls, and this one is rung.
    fn comes_in_to(&mut self, number: &str, who: fn(&Self) -> &Phone) {
        self.carrier.dials_as("+4930777", number);
        let rings = who(self).rings();
        self.sim.run_until(rings);
    }

    fn is_over(&mut self) {
        self.carrier.hangs_up();
        self.sim.run_until_quiet();
    }

    fn last_steps(&self) -> Vec<String> {
        let records = self.sim.records("main");
        steps(records.iter().max_by_key(|record| record.began).unwrap())
    }
}

#[test]
fn r18_r20_r21_a_caller_comes_to_the_one_whom_he_talked_with_last_and_a_new_one_to_the_manager() {
    let mut office = started(office(30));
    // Nobody knows him: the manager for new calls.
    office.comes_in_to("+4940555", |office| &office.ann);
    office.is_over();
    assert_eq!(office.last_steps()[0], "steps[0] search-history: not-found");
    // Bob calls him, in the office's way to write numbers, and they talk.
    office.bob.dials("040555");
    office.sim.run_until(office.carrier.rings());
    office.carrier.answers();
    let (bob, carrier) = (office.bob.clone(), office.carrier.clone());
    talk(&mut office.sim, &bob, &carrier);
    office.bob.hangs_up();
    office.sim.run_until_quiet();
    office.comes_in_to("+4940555", |office| &office.bob);
    assert!(office.ann.is_idle()());
    office.is_over();
    assert_eq!(office.last_steps(), ["steps[0] search-history: found", "steps[0].on.found[0] call-user: cancelled"]);
    // A call of Cem's that is not answered changes nothing.
    office.cem.dials("040555");
    office.sim.run_until(office.carrier.rings());
    office.cem.hangs_up();
    office.sim.run_until_quiet();
    office.comes_in_to("+4940555", |office| &office.bob);
    // Bob does not answer, Ann does: she is the one then.
    office.sim.run_until(office.ann.rings());
    office.ann.answers();
    let (ann, carrier) = (office.ann.clone(), office.carrier.clone());
    talk(&mut office.sim, &ann, &carrier);
    office.is_over();
    office.comes_in_to("+4940555", |office| &office.ann);
    office.is_over();
    assert_eq!(office.last_steps()[0], "steps[0] search-history: found");
    // Somebody else is new.
    office.comes_in_to("+4940556", |office| &office.ann);
    office.is_over();
    assert_eq!(office.last_steps()[0], "steps[0] search-history: not-found");
}

#[test]
fn r18_what_is_too_long_ago_is_forgotten() {
    let mut office = started(office(1));
    office.comes_in_to("+4940555", |office| &office.ann);
    office.ann.answers();
    let (ann, carrier) = (office.ann.clone(), office.carrier.clone());
    talk(&mut office.sim, &ann, &carrier);
    office.is_over();
    office.sim.run_for(seconds(86_000));
    office.ann.registers();
    office.sim.run_until(office.ann.is_registered());
    office.comes_in_to("+4940555", |office| &office.ann);
    office.is_over();
    assert_eq!(office.last_steps()[0], "steps[0] search-history: found");
    office.sim.run_for(seconds(800));
    office.comes_in_to("+4940555", |office| &office.ann);
    office.is_over();
    assert_eq!(office.last_steps()[0], "steps[0] search-history: not-found");
}

#[test]
fn who_shows_no_number_is_not_looked_for() {
    let mut office = started(office(30));
    office.carrier.dials_anonymously("+4930777", "plugboard.test");
    office.sim.run_until(office.ann.rings());
    office.is_over();
    assert_eq!(office.last_steps()[0], "steps[0] search-history: not-found");
}
