//! People outside whom an office knows, and phones outside of its users.

use crate::support::{faults, office};
use plugboard_office::{Office, Secrets, schema};

const TEXT: &str = "office: main\ndomains: [a]\ncountry: de\narea: 40\nusers:\n  - id: bob\n    number: 102\n    password: x\n    language: ru\n    phones:\n      - { number: \"00491701\", name: mobile, confirm_within: 20s }\n      - \"00493088\"\n      - { number: \"00493089\", confirm: false }\n  - { id: cem, number: 103, password: x, phones: \"00491702\" }\ncontacts:\n  - { id: carla, name: Carla Customer, numbers: [\"040 1234567\", \"+15551234567\"], company: Customer & Co., email: carla@customer.test, groups: [vip, north], responsible: [bob, cem] }\n  - { id: dan, numbers: \"040777\", responsible: cem }\nroutes:\n  - { id: out, prefix: 0, strip: 1, gateway: g }\ngateways: [{ id: g, address: \"192.0.2.1:5060\" }]\n";

fn found(office: &Office, number: &str) -> Option<String> {
    office.find_contact(number).map(|contact| contact.id.to_string())
}

#[test]
fn a_contact_is_found_by_each_of_his_numbers_however_it_is_written() {
    let office = office(TEXT);
    let carla = Some("carla".to_owned());
    for number in ["+49401234567", "0401234567", "0049401234567", "1234567", "00401234567", "00015551234567"] {
        assert_eq!(found(&office, number), carla, "{number}");
    }
    for number in ["+4940777", "040777", "0040777"] {
        assert_eq!(found(&office, number).as_deref(), Some("dan"), "{number}");
    }
    for number in ["", "102", "+49401234568", "anonymous"] {
        assert_eq!(found(&office, number), None, "{number}");
    }
}

#[test]
fn a_caller_from_outside_has_dialled_nothing_in_front_of_his_number() {
    let office = office(TEXT);
    let gateway = office.gateways().next().unwrap().id.clone();
    let calls = |number: &str| office.find_caller(&gateway, number).map(|contact| contact.id.to_string());
    for number in ["+49401234567", "0401234567", "0049401234567"] {
        assert_eq!(calls(number).as_deref(), Some("carla"), "{number}");
    }
    // Somebody in Romania, and not Carla behind the prefix of an outside line.
    assert_eq!((calls("00401234567"), found(&office, "00401234567").as_deref()), (None, Some("carla")));
}

#[test]
fn a_contact_shows_his_fields_and_who_is_responsible_with_the_phones_of_each() {
    let office = office(TEXT);
    let shown = office.to_directory_contact(office.contact("carla").unwrap());
    assert_eq!((shown.company.as_str(), shown.email.as_str()), ("Customer & Co.", "carla@customer.test"));
    assert_eq!((shown.language.as_str(), shown.groups), ("en", vec!["vip".to_owned(), "north".to_owned()]));
    let responsible: Vec<_> = shown.responsible.iter().map(|one| (one.user.name.to_string(), one.phones)).collect();
    assert_eq!(responsible, [("bob".to_owned(), 3), ("cem".to_owned(), 1)]);
    let dan = office.to_directory_contact(office.contact("dan").unwrap());
    assert_eq!((dan.name.as_str(), dan.company.as_str(), dan.email.as_str()), ("dan", "", ""));
}

#[test]
fn phones_stand_in_their_order_and_want_a_key_unless_it_is_said() {
    let office = office(TEXT);
    let phones = &office.find_user("bob").unwrap().phones;
    let told: Vec<_> =
        phones.iter().map(|phone| (phone.number.to_string(), phone.confirm, phone.confirm_within.as_secs())).collect();
    assert_eq!(
        told,
        [("00491701".to_owned(), true, 20), ("00493088".to_owned(), true, 15), ("00493089".to_owned(), false, 15)]
    );
    assert_eq!(office.find_user("cem").unwrap().phones.len(), 1);
}

#[test]
fn what_is_exported_is_read_again() {
    let before = office(TEXT);
    let text = before.export(Secrets::InClear, None);
    let after = office(&text);
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let json = plugboard_document::parse("o.yaml", &text).unwrap().to_json();
    assert!(validator.is_valid(&json), "{text}");
    assert_eq!(before.contacts().collect::<Vec<_>>(), after.contacts().collect::<Vec<_>>());
    for user in before.users() {
        let again = after.user(&user.id).unwrap();
        assert_eq!((&user.phones, &user.language), (&again.phones, &again.language));
    }
}

#[test]
fn contacts_and_phones_have_faults_with_their_places() {
    let text = "office: main\ndomains: [a]\nusers:\n  - { id: bob, number: 102, password: x, language: \"1\", phones: [\"017\", \"017\", { name: x }, { number: \"018\", confirm_within: 1s }] }\ncontacts:\n  - { id: a, numbers: \"0401\", responsible: [bob, bob, zed], email: nobody, company: \"\", groups: [VIP] }\n";
    insta::assert_snapshot!(faults(text), @r#"
    o.yaml:4:52: users[0].language: "1" is no language (write a tag of BCP 47, such as en, de or pt-BR)
    o.yaml:4:73: users[0].phones[1]: the phone 017 is here twice (take one of them out)
    o.yaml:4:80: users[0].phones[2]: "number" is missing
    o.yaml:4:126: users[0].phones[3].confirm_within: a time with its unit is expected, from 5s to 1m (write for example "20s", "500ms" or "2m")
    o.yaml:6:50: contacts[0].responsible[1]: bob is here twice (take one of them out)
    o.yaml:6:55: contacts[0].responsible[2]: the office has no user zed
    o.yaml:6:68: contacts[0].email: "nobody" is no address of e-mail (write for example carla@customer.test)
    o.yaml:6:85: contacts[0].company: this is no text of one line of 1 to 254 bytes
    o.yaml:6:98: contacts[0].groups[0]: a name is made of a-z 0-9 . _ -, this one has 'V'
    "#);
}

#[test]
fn a_hundred_thousand_contacts_are_read_and_each_is_found_at_once() {
    let head = "office: main\ndomains: [a]\ncountry: de\nusers: [{ id: bob, number: 102, password: x }]\ncontacts:\n";
    let contact = |n: u32| format!("  - {{ id: c{n}, numbers: \"+4940{n:07}\", responsible: bob }}\n");
    let office = office(&(0..100_000).map(contact).fold(head.to_owned(), |text, next| text + &next));
    assert_eq!(office.contacts().len(), 100_000);
    // Whoever looked through them all each time would not come to an end here.
    for n in 0..100_000 {
        assert_eq!(found(&office, &format!("040{n:07}")), Some(format!("c{n}")));
    }
}
