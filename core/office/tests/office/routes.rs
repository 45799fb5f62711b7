//! Four kinds of routes, their conditions and their order.

use crate::routing::{goes, told};
use crate::support::{MONDAY, asks, dial, faults, gateway, office, user};
use plugboard_model::WallTime;
use plugboard_office::{Inquiry, Office, Secrets, Source, Verdict};
use proptest::prelude::*;
use std::sync::Arc;

/// With these routes; Monday the 5th of January is a working day, the day after a holiday.
pub(crate) fn with(routes: &str) -> String {
    format!(
        "office: main\ndomains: [a.test]\ncountry: de\narea: 30\ntime_zone: Europe/Berlin\n\
        variables: {{ season: winter, closed: false, level: 3 }}\n\
        contacts:\n  - {{ id: carla, name: Carla Customer, numbers: [\"040 1234567\", +15551234567], language: pl }}\n\
        calendars: [{{ id: hours, open: [{{ days: [mon-fri], from: \"09:00\", to: \"18:00\" }}], holidays: [{{ on: 2026-01-06, name: Epiphany }}] }}]\n\
        users: [{{ id: ann, number: 101, password: x }}, {{ id: bob, number: 102, password: x }}, {{ id: cem, number: 103, password: x }}]\n\
        groups: [{{ id: sales, number: 200, members: [ann, bob] }}]\n\
        gateways: [{{ id: g, address: \"192.0.2.1:5060\", inbound: [192.0.2.1], numbers: e164 }}, {{ id: h, address: \"192.0.2.2:5060\" }}]\n\
        scenarios: [{{ scenario: a, steps: [echo] }}, {{ scenario: b, steps: [echo] }}]\n\
        numbers: [{{ number: +49305550, scenario: a, id: main-line }}]\nroutes:\n{routes}"
    )
}

/// One route from gateways with these conditions.
fn asking(conditions: &str) -> Arc<Office> {
    office(&with(&format!("  - {{ id: r, from: gateways, number: \"100\", if: {conditions}, scenario: b }}\n")))
}

fn from_outside(caller: &str) -> Inquiry {
    asks(&gateway("g"), "100").by(caller)
}

pub(crate) fn holds(office: &Office, asked: &Inquiry) -> bool {
    let chosen = told(office, asked);
    assert!(["scenario b by r", "refused 404"].contains(&chosen.as_str()), "{chosen}");
    chosen.starts_with("scenario")
}

fn at(hours: i64) -> WallTime {
    WallTime(MONDAY.0 + hours * 3_600_000)
}

#[test]
fn r44_each_condition_decides_before_the_scenario_is_begun() {
    let outside = |caller: &str| from_outside(caller);
    let diverted = |by: &str| Inquiry { diverted: Some(dial(by)), ..outside("+4930111") };
    let speaks = |language: &str| Inquiry { language: Some(language.into()), ..outside("+4930111") };
    let then = |hours| Inquiry { at: at(hours), ..outside("+4930111") };
    for (conditions, asked, expected) in [
        ("{ called: \"10?\" }", outside("1"), true),
        ("{ called: [\"2*\", \"3*\"] }", outside("1"), false),
        ("{ caller: \"030*\" }", outside("+4930111"), true),
        ("{ caller: +4930* }", outside("030111"), true),
        ("{ caller: \"040*\" }", outside("+4930111"), false),
        ("{ caller: \"*\" }", outside(""), false),
        ("{ anonymous: true }", outside(""), true),
        ("{ anonymous: true }", outside("+4930111"), false),
        ("{ anonymous: false }", outside("+4930111"), true),
        ("{ identity: \"100\" }", outside("1"), true),
        ("{ identity: \"100\" }", diverted("+4930777"), false),
        ("{ identity: \"030777\" }", diverted("+4930777"), true),
        ("{ diverted: true }", diverted("+4930777"), true),
        ("{ diverted: true }", outside("1"), false),
        ("{ time: hours }", then(0), true),
        ("{ time: hours }", then(9), false),
        ("{ time: hours }", then(24), false),
        ("{ time: { calendar: hours, days: [holiday] } }", then(24), true),
        ("{ time: { from: \"10:00\", to: \"11:00\" } }", then(0), true),
        ("{ time: { from: \"10:00\", to: \"11:00\" } }", then(1), false),
        ("{ contact: true }", outside("+49401234567"), true),
        ("{ contact: true }", outside("0401234567"), true),
        ("{ contact: true }", outside("+4930111"), false),
        ("{ contact: true }", outside(""), false),
        ("{ contact: false }", outside("+4930111"), true),
        ("{ contact: carla }", outside("+15551234567"), true),
        ("{ contact: carla }", outside("+15551234568"), false),
        ("{ language: de }", speaks("de-AT"), true),
        ("{ language: de }", speaks("DE"), true),
        ("{ language: de }", speaks("den"), false),
        ("{ language: de-AT }", speaks("de"), false),
        ("{ language: en }", outside("+4930111"), true),
        ("{ language: pl }", Inquiry { caller: "+15551234567".into(), ..speaks("de") }, true),
        ("{ variable: { season: winter } }", outside("1"), true),
        ("{ variable: { season: summer } }", outside("1"), false),
        ("{ variable: { season: winter, level: 4 } }", outside("1"), false),
        ("{ variable: { closed: true } }", outside("1"), false),
        ("{ caller_group: sales }", outside("+4930111"), false),
    ] {
        assert_eq!(holds(&asking(conditions), &asked), expected, "{conditions} {asked:?}");
    }
}

#[test]
fn r44_groups_are_those_of_whoever_calls_and_of_whoever_is_called() {
    let text = with(
        "  - { id: who, prefix: \"7\", if: { caller_group: sales }, scenario: a }\n  \
         - { id: whom, from: users, any: true, priority: 1, if: { all: [{ called_group: sales }, { not: { caller_group: sales } }] }, scenario: b }\n",
    );
    let office = office(&text);
    for (from, number, expected) in [
        ("ann", "71", "scenario a by who"),
        ("cem", "71", "refused 404"),
        ("cem", "101", "scenario b by whom"),
        ("cem", "200", "scenario b by whom"),
        ("cem", "103", "refused 486"),
        ("ann", "102", "user main/bob"),
        ("ann", "200", "group main/sales"),
    ] {
        assert_eq!(goes(&office, &user(from), number), expected, "{from} dials {number}");
    }
}

#[test]
fn r45_all_or_one_of_the_conditions_must_hold() {
    let (yes, no) = ("{ called: \"100\" }", "{ called: \"200\" }");
    for (one, two) in [(true, true), (true, false), (false, true), (false, false)] {
        let word = |holds| if holds { yes } else { no };
        let (one_word, two_word) = (word(one), word(two));
        for (mode, expected) in [("all", one && two), ("one_of", one || two)] {
            let plain = format!("{{ {mode}: [{one_word}, {two_word}] }}");
            assert_eq!(holds(&asking(&plain), &from_outside("1")), expected, "{plain}");
            let not = format!("{{ not: {plain} }}");
            assert_eq!(holds(&asking(&not), &from_outside("1")), !expected, "{not}");
            let nested = format!("{{ all: [{{ one_of: [{no}, {plain}] }}, {yes}] }}");
            assert_eq!(holds(&asking(&nested), &from_outside("1")), expected, "{nested}");
        }
    }
}

#[test]
fn r46_without_a_match_no_scenario_is_chosen() {
    let office = asking("{ caller: \"040*\" }");
    assert_eq!(told(&office, &from_outside("+4930111")), "refused 404");
    let asked = asks(&gateway("g"), "+49305550");
    assert_eq!(told(&office, &asked), "scenario a by main-line", "other calls go their way");
}

#[test]
fn r47_the_lower_priority_wins_and_the_next_is_tried_where_it_does_not_hold() {
    let office = office(&with(
        "  - { id: last, from: gateways, any: true, scenario: a, priority: 900 }\n  \
         - { id: night, from: gateways, any: true, scenario: b, priority: 5, if: { not: { time: hours } } }\n  \
         - { id: refused, from: gateways, like: \"+49305550??\", refuse: 410, priority: 20 }\n  \
         - { id: own, from: { user: ann }, number: \"9\", scenario: a }\n  \
         - { id: others, from: users, number: \"9\", scenario: b }\n",
    ));
    let later = |number: &str, hours| Inquiry { at: at(hours), ..asks(&gateway("g"), number) };
    for (asked, expected) in [
        (later("+49305550", 0), "scenario a by main-line"),
        (later("+49305550", 10), "scenario b by night"),
        (later("+4930555012", 0), "refused 410"),
        (later("030555012", 0), "refused 410"),
        (later("03055501234", 0), "scenario a by last"),
        (asks(&user("ann"), "9"), "scenario a by own"),
        (asks(&user("bob"), "9"), "scenario b by others"),
    ] {
        assert_eq!(told(&office, &asked), expected, "{asked:?}");
    }
}

#[test]
fn r47_routes_between_which_nothing_decides_are_refused() {
    let text = with(
        "  - { id: a, from: gateways, number: \"1\", if: { anonymous: true }, scenario: a }\n  \
         - { id: b, from: gateways, number: \"1\", if: { anonymous: false }, scenario: b }\n  \
         - { id: c, from: gateways, number: \"1\", scenario: b, priority: 11 }\n  \
         - { id: d, like: \"70??\", scenario: a }\n  \
         - { id: e, like: \"7?1?\", scenario: a, priority: 9 }\n  \
         - { id: f, like: \"7?1?\", scenario: b }\n  \
         - { id: g, prefix: \"70\", user: ann }\n  \
         - { id: h, to: users, refuse: 603 }\n  \
         - { id: i, to: users, refuse: 604 }\n  \
         - { id: j, to: { user: ann }, refuse: 603 }\n",
    );
    insta::assert_snapshot!(faults(&text), @r"
    o.yaml:17:5: routes[1]: the route a is for the same calls (say which goes first: give one of them a `priority` below the other's (10 unless told))
    o.yaml:21:5: routes[5]: the route d is for the same calls (say which goes first: give one of them a `priority` below the other's (10 unless told))
    o.yaml:22:5: routes[6]: the route d is for the same calls (say which goes first: give one of them a `priority` below the other's (10 unless told))
    o.yaml:24:5: routes[8]: the route h is for the same calls (say which goes first: give one of them a `priority` below the other's (10 unless told))
    ");
}

#[test]
fn r48_what_nothing_takes_is_not_found_and_what_takes_the_rest_does() {
    let bare = office(&with("  []\n"));
    for (from, number) in [(user("ann"), "777"), (gateway("g"), "777"), (gateway("g"), "101")] {
        assert_eq!(goes(&bare, &from, number), "refused 404", "{from:?} {number}");
    }
    let rest = office(&with("  - { id: rest, from: gateways, any: true, scenario: b }\n"));
    assert_eq!(goes(&rest, &gateway("h"), "777"), "scenario b by rest");
    assert_eq!(goes(&rest, &user("ann"), "777"), "refused 404", "nobody else's rest is his");
}

const ENDS: &str = "  - { id: out, prefix: \"0\", gateways: [g, h], strip: 1 }\n  \
    - { id: quiet, to: { user: ann }, if: { caller_group: sales }, user: ann, priority: 1 }\n  \
    - { id: instead, to: { user: ann }, if: { not: { time: hours } }, user: bob }\n  \
    - { id: ring, to: { user: bob }, if: { called: 101 }, user: ann }\n  \
    - { id: closed, to: users, if: { variable: { closed: true } }, refuse: 480 }\n  \
    - { id: dear, to: { gateway: g }, like: \"0900*\", refuse: 403 }\n  \
    - { id: none, to: gateways, like: \"0999*\", scenario: b }\n  \
    - { id: may, to: gateways, like: \"0137*\", if: { caller_group: sales }, gateways: [g, h], priority: 1 }\n  \
    - { id: may-not, to: gateways, like: \"0137*\", refuse: 403 }\n";

#[test]
fn routes_to_users_and_gateways_have_the_last_word() {
    let office = office(&with(ENDS));
    let later = |from: &str, number: &str| Inquiry { at: at(10), ..asks(&user(from), number) };
    for (asked, expected) in [
        (asks(&user("cem"), "101"), "user main/ann"),
        // Bob's route leads back to Ann, whose route was taken already.
        (later("cem", "101"), "user main/ann"),
        (later("bob", "101"), "user main/ann"),
        (later("cem", "102"), "user main/bob"),
        (asks(&user("cem"), "0030123456"), "+4930123456 through g, 030123456 through h by out"),
        (asks(&user("cem"), "00900123456"), "0900123456 through h by out"),
        (asks(&user("cem"), "00999123456"), "scenario b by none"),
        (asks(&user("ann"), "00137123456"), "+49137123456 through g, 0137123456 through h by out"),
        (asks(&user("cem"), "00137123456"), "refused 403"),
        (asks(&user("cem"), "112"), "help 112 through g, h"),
    ] {
        assert_eq!(told(&office, &asked), expected, "{asked:?}");
    }
    let shut = office_with_all_closed();
    assert_eq!(goes(&shut, &user("cem"), "101"), "refused 480");
    assert_eq!(goes(&shut, &user("cem"), "200"), "group main/sales", "members of a group are rung as such");
}

fn office_with_all_closed() -> Arc<Office> {
    office(
        &with("  - { id: closed, to: users, if: { variable: { closed: true } }, refuse: 480 }\n")
            .replace("closed: false", "closed: true"),
    )
}

#[test]
fn what_routes_cannot_mean_is_told_with_its_place_and_remedy() {
    let text = with(
        "  - { id: a, from: users, to: users, any: true, refuse: 603 }\n  \
         - { id: b, to: { user: ann }, gateway: g }\n  \
         - { id: c, any: true, if: { caler: 1 }, refuse: 603 }\n  \
         - { id: d, prefix: 1, if: { caller: 1, called: 2 }, refuse: 603 }\n  \
         - { id: e, prefix: 2, if: { all: [] }, refuse: 603 }\n  \
         - { id: f, prefix: 3, if: { variable: { sesson: winter } }, refuse: 603 }\n  \
         - { id: g, prefix: 4, if: { variable: { season: 1 } }, refuse: 603 }\n  \
         - { id: h, prefix: 5, if: { contact: karla }, refuse: 603 }\n  \
         - { id: i, prefix: 6, if: { time: nights }, refuse: 603 }\n  \
         - { id: j, prefix: 7, if: { caller_group: nobody }, refuse: 603 }\n  \
         - { id: k, like: \"1!\", refuse: 603 }\n  \
         - { id: l, prefix: 8, if: { language: german!! }, refuse: 603, priority: 0 }\n  \
         - { id: m, from: { }, any: true, refuse: 603 }\n  \
         - { id: n, prefix: 9, if: { not: { not: { not: { not: { not: { not: { not: { not: { anonymous: true } } } } } } } } }, refuse: 603 }\n",
    );
    insta::assert_snapshot!(faults(&text), @r#"
    o.yaml:16:27: routes[0].to: a route is for calls from somebody or for calls to somebody (keep `from` and say whom they call by `called` under `if`, or keep `to` and say who calls by `caller`)
    o.yaml:17:5: routes[1]: what is about to ring a user has no number for a gateway (let the user forward his calls, or write a route from users or gateways)
    o.yaml:18:31: routes[2].if.caler: "caler" is no condition (did you mean "caller"?)
    o.yaml:19:31: routes[3].if.caller: two conditions stand in one place (write them as items of a list under `all`, or under `one_of`)
    o.yaml:20:36: routes[4].if.all: there is no condition in it (write at least one)
    o.yaml:21:51: routes[5].if.variable.sesson: the office has no variable sesson (did you mean "season"?)
    o.yaml:22:51: routes[6].if.variable.season: the variable season is "winter", and never 1 (write a value of the same kind)
    o.yaml:23:40: routes[7].if.contact: the office has no contact karla (did you mean "carla"?)
    o.yaml:24:37: routes[8].if.time: the office has no calendar "nights" (calendars are hours)
    o.yaml:25:45: routes[9].if.caller_group: the office has no group nobody
    o.yaml:26:20: routes[10].like: '!' cannot be part of a number (write digits, ? for one character, * at the end for whatever follows)
    o.yaml:27:41: routes[11].if.language: "german!!" is no language (write a tag of BCP 47, such as en, de or pt-BR)
    o.yaml:27:76: routes[11].priority: a whole number from 1 to 1000 is expected
    o.yaml:28:20: routes[12].from: one user or one gateway is meant (write { user: ann } or { gateway: outside })
    o.yaml:29:85: routes[13].if.not.not.not.not.not.not.not.not: conditions stand in at most 8 others (take some apart)
    "#);
}

#[test]
fn contacts_and_variables_have_faults_of_their_own() {
    let text = "office: main\ndomains: [a]\ncountry: de\nvariables: { A b: 1, x: [1] }\ncontacts:\n  - { id: a, numbers: 0401234567 }\n  \
        - { id: b, numbers: [+49401234567, \"!\"] }\n  - { id: a, numbers: [] }\n  - { numbers: 1, language: \"1\" }\n";
    insta::assert_snapshot!(faults(text), @r#"
    o.yaml:4:19: variables.A b: a name is made of a-z 0-9 . _ -, this one has 'A'
    o.yaml:4:25: variables.x: a variable is a text of at most 256 bytes, a whole number, true or false
    o.yaml:7:24: contacts[1].numbers[0]: the number +49401234567 is also one of the contact a (take it out of one of them: a caller is one contact)
    o.yaml:7:38: contacts[1].numbers[1]: '!' cannot be dialled
    o.yaml:8:5: contacts[2]: this contact is here twice (take one of them out, or give it another id)
    o.yaml:8:23: contacts[2].numbers: the list is empty (write at least one, or leave it out)
    o.yaml:9:5: contacts[3]: "id" is missing
    o.yaml:9:29: contacts[3].language: "1" is no language (write a tag of BCP 47, such as en, de or pt-BR)
    "#);
}

#[test]
fn routes_that_no_call_ever_takes_are_told() {
    let office = office(&with(
        "  - { id: all, from: gateways, any: true, scenario: a, priority: 3 }\n  \
         - { id: never, from: { gateway: g }, prefix: \"0\", scenario: b }\n  \
         - { id: sometimes, from: { gateway: g }, prefix: \"0\", scenario: b, priority: 2 }\n  \
         - { id: held, any: true, if: { anonymous: true }, scenario: b, priority: 3 }\n  \
         - { id: wide, like: \"7???\", scenario: a, priority: 4 }\n  \
         - { id: narrow, number: \"7123\", scenario: b }\n  \
         - { id: other, number: \"71234\", scenario: b }\n",
    ));
    insta::assert_snapshot!(office.shadowed().join("\n"), @r"
    the route never is never taken: the route all has no conditions and takes all of its calls first; give all conditions or a `priority` above that of never, or take one of them out
    the route narrow is never taken: the route wide has no conditions and takes all of its calls first; give wide conditions or a `priority` above that of narrow, or take one of them out
    calls of gateways to the incoming number main-line never reach its scenario: the route all has no conditions and takes them first; give all conditions, or take one of them out
    ");
}

#[test]
fn old_documents_route_as_they_did() {
    assert_eq!(
        office(&with("  - { id: r, from: gateways, any: true, scenario: b }\n")).shadowed(),
        Vec::<String>::new()
    );
    assert_eq!(crate::support::demo().shadowed(), Vec::<String>::new());
}

#[test]
fn blocked_callers_are_read_and_go_before_every_route() {
    let text = with("  - { id: in, from: gateways, number: \"1\", user: ann }\n  - { id: all, from: gateways, any: true, user: bob }\n")
        .replace("users: [{ id: ann,", "blocked: { callers: [\"0666*\"], then: { refuse: 603 } }\nusers: [{ id: ann, blocked: { anonymous: true, callers: [+4940*, 103], then: { scenario: b } },");
    let office = office(&text);
    let outside = |caller: &str, number: &str| asks(&gateway("g"), number).by(caller);
    for (asked, expected) in [
        (outside("+49666123", "1"), "refused 603"),
        (outside("0666123", "777"), "refused 603"),
        (outside("+49667123", "1"), "user main/ann"),
        (outside("040123456", "1"), "scenario b by blocked"),
        (outside("040123456", "777"), "user main/bob"),
        (outside("", "1"), "scenario b by blocked"),
        (asks(&user("cem"), "101"), "scenario b by blocked"),
        (asks(&user("bob"), "101"), "user main/ann"),
        (asks(&user("cem"), "112"), "help 112 through g, h"),
    ] {
        assert_eq!(told(&office, &asked), expected, "{asked:?}");
    }
    assert!(office.blocks(&crate::support::id("ann"), &outside("", "200")));
    assert!(!office.blocks(&crate::support::id("bob"), &outside("", "200")));
    let looked = office.explain(&outside("", "1")).looked;
    assert_eq!(looked.last().map(|one| one.what.as_str()), Some("the blocked callers of the user ann"));
    let again = crate::support::office(&office.export(Secrets::InClear, None));
    assert_eq!(again.blocked, office.blocked);
    assert_eq!(again.users().collect::<Vec<_>>(), office.users().collect::<Vec<_>>());
    insta::assert_snapshot!(faults("office: main\ndomains: [a]\nblocked: { callers: [] }\nusers:\n  - { id: a, number: 1, password: x, blocked: { anonymous: true, then: bussy } }\n  - { id: b, number: 2, password: x, blocked: { callers: [\"!\"], then: { refuse: 200 } } }\n  - { id: c, number: 3, password: x, blocked: { anonymous: true, then: { scenario: s, refuse: 603 } } }\n"), @r#"
    o.yaml:3:10: blocked: nobody is blocked (write `callers` with numbers, or `anonymous: true`)
    o.yaml:5:72: users[0].blocked.then: "bussy" is not one of busy (did you mean "busy"?)
    o.yaml:6:59: users[1].blocked.callers[0]: '!' cannot be part of a number (write digits, ? for one character, * at the end for whatever follows)
    o.yaml:6:81: users[1].blocked.then.refuse: a whole number from 400 to 699 is expected
    o.yaml:7:72: users[2].blocked.then: one thing happens to a blocked caller (write busy, { refuse: 603 } or { scenario: name })
    "#);
}

#[test]
fn what_was_read_is_exported_and_read_again() {
    let one = office(&with(&format!(
        "{ENDS}  - {{ id: w, from: {{ gateway: h }}, like: \"+49 30 12??\", if: {{ one_of: [{{ contact: [carla] }}, {{ language: [de, pl] }}, {{ variable: {{ level: 3 }} }}] }}, priority: 7, scenario: b, plugins: {{ echo: all, call-user: {{ capabilities: [dial], dial: {{ users: [ann], groups: [sales], numbers: [+49] }} }} }} }}\n"
    )));
    let text = one.export(Secrets::InClear, None);
    let again = office(&text);
    assert_eq!(one.routes().collect::<Vec<_>>(), again.routes().collect::<Vec<_>>(), "{text}");
    assert_eq!(one.contacts().collect::<Vec<_>>(), again.contacts().collect::<Vec<_>>());
    assert_eq!(one.variables, again.variables);
    assert_eq!(text, again.export(Secrets::InClear, None));
    let validator = jsonschema::draft202012::new(&plugboard_office::schema()).unwrap();
    let json = plugboard_document::parse("o.yaml", &text).unwrap().to_json();
    let told: Vec<String> =
        validator.iter_errors(&json).map(|error| format!("{} {error}", error.instance_path())).collect();
    assert_eq!(told, Vec::<String>::new(), "{text}");
}

#[test]
fn what_was_looked_at_is_explained_in_its_order() {
    let office = office(&with(
        "  - { id: night, from: gateways, any: true, scenario: b, priority: 5, if: { not: { time: hours } } }\n  \
         - { id: vip, from: gateways, any: true, scenario: b, priority: 6, if: { all: [{ contact: carla }, { time: hours }] } }\n  \
         - { id: rest, from: gateways, any: true, scenario: a }\n  \
         - { id: sale, from: gateways, prefix: \"7\", scenario: a }\n",
    ));
    let asked = Inquiry { at: at(0), ..asks(&gateway("g"), "+49305550") }.by("+4930111");
    let explained = office.explain(&asked);
    let lines = explained.looked.iter().map(|one| match &one.verdict {
        Verdict::Taken => format!("{} taken", one.what),
        Verdict::Late => format!("{} late", one.what),
        Verdict::Other(why) => format!("{} other: {why}", one.what),
        Verdict::Failed(why) => format!("{} failed: {why}", one.what),
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
    the route sale other: 7*
    the route night failed: not time: it is mon 2026-01-05 10:00 Europe/Berlin
    the route vip failed: contact: the caller is no contact, not carla
    the incoming number main-line taken
    the route rest late
    ");
    assert_eq!(explained.treatment, office.route(&asked));
}

/// Routes of all kinds that may meet, each with a priority of its own: so the document is without ties.
fn routes() -> impl Strategy<Value = Vec<String>> {
    let whose = prop::sample::select(vec![
        "from: users",
        "from: gateways",
        "from: { user: ann }",
        "from: { gateway: g }",
        "to: users",
        "to: { user: bob }",
        "to: gateways",
        "to: { gateway: h }",
    ]);
    let called = prop::sample::select(vec![
        "any: true",
        "number: \"199\"",
        "number: \"0123\"",
        "prefix: \"1\"",
        "prefix: \"0\"",
        "like: \"1??\"",
        "like: \"0*\"",
    ]);
    let rule = prop::sample::select(vec![
        "",
        "if: { anonymous: true }, ",
        "if: { time: hours }, ",
        "if: { caller: \"030*\" }, ",
        "if: { one_of: [{ caller_group: sales }, { contact: true }] }, ",
    ]);
    let goal = prop::sample::select(vec![
        "scenario: a",
        "scenario: b",
        "user: ann",
        "user: bob",
        "group: sales",
        "refuse: 603",
    ]);
    prop::collection::vec((whose, called, rule, goal), 1..8).prop_map(|all| {
        let line = |(place, (whose, called, rule, goal)): (usize, (&str, &str, &str, &str))| {
            format!("  - {{ id: r{place}, {whose}, {called}, {rule}priority: {}, {goal} }}\n", place * 3 + 1)
        };
        all.into_iter().enumerate().map(line).collect()
    })
}

fn calls() -> impl Strategy<Value = Inquiry> {
    let source = prop::sample::select(vec![user("ann"), user("cem"), gateway("g"), gateway("h")]);
    let called = prop::sample::select(vec!["102", "101", "0123", "200", "199", "777"]);
    let caller = prop::sample::select(vec!["", "+4930111", "+49401234567"]);
    (source, called, caller, 0_i64..48).prop_map(|(source, called, caller, hours): (Source, &str, &str, i64)| {
        Inquiry { at: at(hours), ..asks(&source, called) }.by(caller)
    })
}

proptest! {
    /// R47: what is chosen never depends on the order of the document, and is explained as it is chosen.
    #[test]
    fn r47_the_order_of_the_document_never_decides(
        (lines, other) in routes().prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle())),
        calls in prop::collection::vec(calls(), 1..20),
    ) {
        let (one, two) = (office(&with(&lines.concat())), office(&with(&other.concat())));
        for asked in &calls {
            prop_assert_eq!(one.route(asked), two.route(asked));
            prop_assert_eq!(one.route(asked), one.explain(asked).treatment);
        }
    }

    /// A route that is told to be never taken is indeed not.
    #[test]
    fn what_is_told_to_be_shadowed_is_never_taken(lines in routes(), calls in prop::collection::vec(calls(), 1..20)) {
        let office = office(&with(&lines.concat()));
        let shadowed = office.shadowed();
        for asked in &calls {
            for looked in office.explain(asked).looked.iter().filter(|looked| looked.verdict == Verdict::Taken) {
                let told = shadowed.iter().any(|line| line.starts_with(&format!("{} is never taken", looked.what)));
                prop_assert!(!told, "{} was taken: {shadowed:?}", looked.what);
            }
        }
    }
}
