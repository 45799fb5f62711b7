//! What an office document says, and what is refused.

use crate::support::{Files, demo, demo_folder, faults, id, office};
use plugboard_model::UserStatus;
use plugboard_office::{DigestChoice, Office, SecretOrigin, Secrets, schema};

#[test]
fn the_demo_is_the_office_that_the_readme_promises() {
    let demo = demo();
    assert_eq!(demo.realm(), "plugboard.test");
    let users: Vec<_> = demo.users().map(|user| (user.number.to_string(), user.password.reveal().to_owned())).collect();
    assert_eq!(users.len(), 6);
    assert!(users.iter().all(|(number, password)| *password == format!("demo-{number}")), "{users:?}");
    let sales = demo.find_group("200").unwrap();
    let members: Vec<_> = sales.members.iter().map(|member| member.user.name.to_string()).collect();
    assert_eq!(members, ["102", "103", "104"]);
    assert_eq!(demo.scenarios().len(), 3);
    let user = demo.user(&id("101")).unwrap();
    assert_eq!((user.digest, user.calls_at_once, user.settings.status), (DigestChoice::Md5, 2, UserStatus::Available));
    assert!(demo.gateway_by_source("127.0.0.1:5080".parse().unwrap()).is_some());
    assert!(demo.gateway_by_source("127.0.0.1:5081".parse().unwrap()).is_none());
    assert!(demo.gateway_by_source("[::ffff:127.0.0.1]:5080".parse().unwrap()).is_some());
}

#[test]
fn every_fault_is_listed_with_its_place() {
    insta::assert_snapshot!(faults("office: Main\ndomains: []\nusers:\n  - { id: ann, number: 101, password: x, digets: md5 }\n  - { id: bob, number: 101, password: \"\" }\n  - { id: ann, number: \"1 @\", password: y, calls_at_once: 0, ring_for: 5 }\n  - { number: 105, password: { file: none.txt } }\n  - { id: eve, number: 106, password: { environment: HOME, file: x } }\n  - { id: fay, number: 107, password: { environment: HOME } }\ngroups:\n  - { id: sales, number: 101, members: [ann, ann, zed, { user: bob, weight: -1 }] }\ngateways:\n  - { id: out, address: example org }\n  - { id: a, address: \"192.0.2.1:5060\", inbound: [192.0.2.300] }\nnumbers:\n  - { number: +4930123, scenario: nothing }\nroutes:\n  - { id: r, number: 100, prefix: 1, scenario: s }\n  - { id: r, number: 102 }\n  - { id: t, any: true, from: { gateway: lost }, refuse: 200 }\n  - { id: u, prefix: 0, gateway: a }\n  - { id: v, prefix: 0, user: ann, strip: 1 }\nscenarios:\n  - { steps: [] }\n  - { file: lost.yaml }\n"), @r#"
    o.yaml:1:9: office: a name is made of a-z 0-9 . _ -, this one has 'M'
    o.yaml:2:10: domains: an office has at least one domain (add for example plugboard.test)
    o.yaml:4:42: users[0].digets: "digets" is not known (did you mean "digest"?)
    o.yaml:5:39: users[1].password: a secret has 1 to 256 bytes
    o.yaml:6:24: users[2].number: '@' cannot be dialled
    o.yaml:6:59: users[2].calls_at_once: a whole number from 1 to 16 is expected
    o.yaml:6:72: users[2].ring_for: a time with its unit is expected, from 1s to 10m (write for example "20s", "500ms" or "2m")
    o.yaml:7:5: users[3]: "id" is missing
    o.yaml:7:38: users[3].password.file: none.txt cannot be read: entity not found
    o.yaml:8:39: users[4].password: a secret is a text, { file: path }, { environment: NAME } or { keep: true }
    o.yaml:9:54: users[5].password.environment: the environment has no variable HOME (set it)
    o.yaml:11:5: groups[0]: the number 101 already belongs to the user ann (give it another number)
    o.yaml:11:46: groups[0].members[1]: ann is a member twice (take one of them out)
    o.yaml:11:51: groups[0].members[2]: the office has no user zed
    o.yaml:11:77: groups[0].members[3].weight: a whole number from 0 to 1000000 is expected
    o.yaml:13:25: gateways[0].address: "example org" is no address and no host name (write 192.0.2.1:5060, sip.carrier.test or sip.carrier.test:5080)
    o.yaml:14:51: gateways[1].inbound[0]: "192.0.2.300" is no address (write 192.0.2.1 or 192.0.2.1:5060)
    o.yaml:16:35: numbers[0].scenario: the office has no scenario nothing
    o.yaml:18:27: routes[0].prefix: a route is for one "number", one "prefix", what is "like" one, or "any" call, this one says two of them (take one out, or make them two routes)
    o.yaml:18:48: routes[0].scenario: the office has no scenario s
    o.yaml:19:5: routes[1]: the route does not say where it leads (add one of "scenario", "user", "group", "gateway", "gateways", "gateway_group" and "refuse")
    o.yaml:20:42: routes[2].from.gateway: the office has no gateway lost
    o.yaml:20:58: routes[2].refuse: a whole number from 400 to 699 is expected
    o.yaml:22:5: routes[4]: the route u is for the same calls (say which goes first: give one of them a `priority` below the other's (10 unless told))
    o.yaml:22:43: routes[4].strip: "strip" and "add" belong to a route to a gateway (take it out)
    o.yaml:24:5: scenarios[0]: o.yaml does not say the scenario's name (begin with "scenario: name")
    o.yaml:25:13: scenarios[1].file: lost.yaml cannot be read: entity not found
    "#);
}

#[test]
fn a_broken_file_inside_is_told_with_its_own_place() {
    assert!(
        faults("office: main\ndomains: [a.test]\nscenarios: [{ file: office.yaml }]\n")
            .contains("does not say the scenario's name")
    );
    insta::assert_snapshot!(faults("office: main\ndomains: [a.test\n"), @"o.yaml:2:10: unclosed bracket '['");
}

#[test]
fn a_scenario_whose_file_is_broken_is_not_missing_as_well_and_hides_no_other_fault() {
    let surroundings = Files(&[
        ("night.yaml", "scenario: 'late' # at night\nsteps: [\n"),
        ("day.yaml", "steps: [\n"),
        ("odd.yaml", "title: Odd\nscenario: Odd One\nsteps: []\n"),
    ]);
    let text = "office: main\ndomains: [a.test]\ncountry: de\ncountry: at\nroutes:\n  - { id: a, number: 1, scenario: late }\n  \
                - { id: b, number: 2, scenario: day }\n  - { id: c, number: 3, scenario: gone }\n  \
                - { id: d, number: 4, scenario: lost }\n  - { id: e, number: 5, user: ann, group: g }\n\
                scenarios: [{ file: night.yaml }, { file: day.yaml }, { file: gone.yaml }, { file: odd.yaml }]\n";
    let faults = Office::parse("o.yaml", text, &surroundings).unwrap_err();
    insta::assert_snapshot!(faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"), @r#"
    day.yaml:1:8: unclosed bracket '['
    night.yaml:2:8: unclosed bracket '['
    o.yaml:4:1: the key "country" is here twice (take one of them out)
    o.yaml:9:35: routes[3].scenario: the office has no scenario lost
    o.yaml:10:36: routes[4].group: a route leads to one place, this one to a "user" and to a "group" (take one out; to ring several, make a group of them or a scenario)
    o.yaml:11:63: scenarios[2].file: gone.yaml cannot be read: entity not found
    odd.yaml:2:11: scenarios[3].scenario: a name is made of a-z 0-9 . _ -, this one has 'O'
    "#);
}

#[test]
fn a_language_and_a_country_are_codes_that_there_are() {
    let of = |language: &str, country: &str| {
        faults(&format!("office: main\ndomains: [a.test]\nlanguage: {language}\ncountry: {country}\n"))
    };
    for (language, country) in [("de", "de"), ("pt-BR", "GB"), ("zh-Hant-TW", "uk"), ("fil", "xk")] {
        assert_eq!(of(language, country).is_empty(), country != "xk", "{language} {country}");
    }
    insta::assert_snapshot!(of("german", "germany"), @r#"
    o.yaml:3:11: language: "german" is no language (write a tag of BCP 47, such as en, de or pt-BR)
    o.yaml:4:10: country: "germany" is no country (write the two letters of ISO 3166-1, such as de or us)
    "#);
    for language in ["d", "de_DE", "en--us", "\"\""] {
        assert!(of(language, "de").contains("is no language"), "{language}");
    }
}

#[test]
fn secrets_come_from_files_and_the_environment_and_do_not_show() {
    let office = office(
        "office: main\ndomains: [a.test]\nusers:\n  - { id: ann, number: 101, password: { environment: PLUGBOARD_ANN } }\n",
    );
    let ann = office.user(&id("ann")).unwrap();
    assert_eq!(ann.password.reveal(), "secret of PLUGBOARD_ANN");
    assert_eq!(ann.password.origin(), &SecretOrigin::Environment("PLUGBOARD_ANN".into()));
    assert!(!format!("{ann:?}").contains("secret of"));
}

#[test]
fn an_exported_office_read_again_is_the_same_office() {
    let demo = demo();
    let yaml = demo.export(Secrets::InClear, None);
    let again =
        Office::parse("again.yaml", &yaml, &demo_folder()).unwrap_or_else(|faults| panic!("{yaml}\n{faults:#?}"));
    assert_eq!(again.export(Secrets::InClear, None), yaml);
    assert_eq!(again.users().collect::<Vec<_>>(), demo.users().collect::<Vec<_>>());
    assert_eq!(again.groups().collect::<Vec<_>>(), demo.groups().collect::<Vec<_>>());
    assert_eq!(again.gateways().collect::<Vec<_>>(), demo.gateways().collect::<Vec<_>>());
    assert_eq!(again.routes().collect::<Vec<_>>(), demo.routes().collect::<Vec<_>>());
    let written = |office: &Office| office.scenarios().map(|source| source.document.to_yaml()).collect::<Vec<_>>();
    assert_eq!(written(&again), written(&demo));
}

#[test]
fn what_is_so_anyway_is_not_exported_and_the_rest_stands_in_the_order_that_people_read() {
    let text = "office: main\ndomains: [a.test, b.test]\nlanguage: en\ncountry: at\nusers:\n  \
                - { id: ann, number: \"0101\", password: x, digest: md5, calls_at_once: 2, devices: 8, ring_for: 60s }\n  \
                - { id: bob, number: 102, name: Bob, password: x, digest: both, calls_at_once: 1, devices: 9, status: busy }\n\
                groups:\n  - { id: sales, members: [bob, { user: ann, weight: 4 }], ring_for: 20s }\n\
                gateways:\n  - { id: out, address: \"192.0.2.1:5060\", inbound: [\"192.0.2.1:5060\"], calls: 1000 }\n  \
                - { id: other, address: \"192.0.2.2:5060\", transport: tcp, inbound: [192.0.2.3], calls: 5 }\n\
                numbers:\n  - { number: +4930, scenario: s, id: \"4930\" }\n  - { number: +4931, scenario: s, id: hotline }\n\
                routes:\n  - { id: r, from: users, number: 9, gateway: out, strip: 0 }\n  - { id: any, any: true, from: gateways, refuse: 603 }\n\
                scenarios:\n  - { scenario: s, steps: [hang-up] }\n";
    insta::assert_snapshot!(office(text).export(Secrets::InClear, None), @r#"
    office: main
    domains: [a.test, b.test]
    country: at
    users:
      - { id: ann, number: "0101", password: x }
      - id: bob
        number: "102"
        name: Bob
        password: x
        digest: both
        calls_at_once: 1
        devices: 9
        status: busy
    groups:
      - id: sales
        members:
          - bob
          - { user: ann, weight: 4 }
    gateways:
      - id: other
        address: "192.0.2.2:5060"
        transport: tcp
        inbound: ["192.0.2.3"]
        calls: 5
      - { id: out, address: "192.0.2.1:5060" }
    numbers:
      - { number: "+4930", scenario: s }
      - { id: hotline, number: "+4931", scenario: s }
    routes:
      - { id: r, number: "9", gateway: out }
      - { id: any, from: gateways, any: true, refuse: 603 }
    scenarios:
      - scenario: s
        steps: [hang-up]
    "#);
}

#[test]
fn a_scenario_is_exported_in_its_own_order_with_its_numbers_as_they_are_written() {
    let scenario = "  - scenario: s\n    variables: { b: text, a: text }\n    steps:\n      - set: { b: one, a: \"{b}\" }\n      \
                    - call-user: { target: 0101, mode: user }\n";
    let text = format!("office: main\ndomains: [a.test]\nscenarios:\n{scenario}");
    let yaml = office(&text).export(Secrets::Hidden, None);
    let order = ["set:", "b: one", "a: \"{b}\"", "target: 0101", "mode: user"].map(|word| yaml.find(word));
    assert!(order.iter().all(Option::is_some) && order.is_sorted(), "{yaml}");
}

#[test]
fn an_export_writes_times_as_people_write_them_and_stays_the_same_when_it_is_read_and_exported_again() {
    let text = "office: main\ndomains: [a.test]\nusers:\n  - { id: ann, number: 1, password: x, ring_for: 90s }\n  \
                - { id: bob, number: 2, password: x }\ngroups:\n  - { id: sales, ring_for: 1500ms, members: [ann] }\n  \
                - { id: desk, members: [bob] }\n";
    let first = office(text).export(Secrets::InClear, None);
    let times: Vec<&str> = first.lines().filter_map(|line| line.trim().strip_prefix("ring_for: ")).collect();
    assert_eq!(times, ["1500ms"], "{first}");
    assert!(first.contains("ring_for: 90s }") && first.matches("ring_for").count() == 2, "{first}");
    assert_eq!(office(&first).export(Secrets::InClear, None), first);
}

#[test]
fn an_export_keeps_secrets_to_itself_unless_asked() {
    let yaml = demo().export(Secrets::Hidden, None);
    assert!(!yaml.contains("demo-101"), "{yaml}");
    let again = Office::parse("again.yaml", &yaml, &demo_folder()).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let kept: Vec<&str> = again.users().map(|user| user.password.reveal()).collect();
    assert_eq!(kept.first(), Some(&"kept by main for 101"));
    assert_eq!(again.export(Secrets::Hidden, None), yaml);
}

#[test]
fn a_secret_that_nobody_has_cannot_be_kept() {
    let text = "office: main\ndomains: [a.test]\nusers: [{ id: zoe, number: 1, password: { keep: true } }, { id: ann, number: 2, password: { keep: no } }]";
    let faults = Office::parse("o.yaml", text, &demo_folder()).unwrap_err();
    let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
    assert!(
        told[0].contains("users[0].password.keep") && told[0].contains("zoe") && told[0].contains("write one"),
        "{told:?}"
    );
    assert!(told[1].contains("users[1].password.keep"), "{told:?}");
}

#[test]
fn an_export_may_lie_in_any_folder() {
    let yaml = demo().export(Secrets::Hidden, Some(std::path::Path::new("/etc/plugboard")));
    assert!(yaml.contains("prompts: /etc/plugboard/audio\n"), "{yaml}");
    assert!(yaml.contains("music: { music: /etc/plugboard/audio/music.wav }\n"), "{yaml}");
}

#[test]
fn the_published_schema_takes_the_demo_and_refuses_what_is_misspelt() {
    let schema = schema();
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let json = |text: &str| plugboard_document::parse("o.yaml", text).unwrap().to_json();
    for text in
        [std::fs::read_to_string(demo_folder().0.join("office.yaml")).unwrap(), demo().export(Secrets::Hidden, None)]
    {
        let told: Vec<String> =
            validator.iter_errors(&json(&text)).map(|error| format!("{} {error}", error.instance_path())).collect();
        assert_eq!(told, Vec::<String>::new(), "{text}");
    }
    for wrong in [
        "office: main",
        "office: main\ndomains: [a]\nusers: [{ id: a }]",
        "office: main\ndomains: [a]\nroutes: [{ id: r, number: 1 }]",
        "office: main\ndomains: [a]\nroutes: [{ id: r, refuse: 603 }]",
        "office: main\ndomains: [a]\nroutes: [{ id: r, from: users, to: users, refuse: 603 }]",
        "office: main\ndomains: [a]\nroutes: [{ id: r, any: true, if: { caller: 1, called: 2 }, refuse: 603 }]",
    ] {
        assert!(!validator.is_valid(&json(wrong)), "{wrong}");
    }
}

#[test]
fn the_schema_knows_the_form_of_languages_and_countries_as_the_checker_does() {
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let both = |key: &str, value: &str| {
        let text = format!("office: main\ndomains: [a.test]\n{key}: {value:?}\n");
        let by_schema = validator.is_valid(&plugboard_document::parse("o.yaml", &text).unwrap().to_json());
        (by_schema, faults(&text).is_empty())
    };
    let longest = format!("en-{}", ["abcdefgh"; 3].join("-"));
    for value in ["de", "fil", "pt-BR", "zh-Hant-TW", "de-1996", "DE", &format!("{longest}-abcde")] {
        assert_eq!(both("language", value), (true, true), "{value}");
    }
    for value in ["german", "d", "de_DE", "en--us", "e1", "de-", "", &format!("{longest}-abcdef")] {
        assert_eq!(both("language", value), (false, false), "{value}");
    }
    for value in ["de", "US", "uk"] {
        assert_eq!(both("country", value), (true, true), "{value}");
    }
    for value in ["germany", "d", "d1", "49", ""] {
        assert_eq!(both("country", value), (false, false), "{value}");
    }
    assert_eq!(both("country", "xk"), (true, false), "which two letters are a country, the checker alone knows");
}
