//! Where messages and faxes go by mail, in an office's document.

use crate::support::{demo_folder, faults};
use plugboard_office::{Office, Secrets};

const MAIL: &str = "mail: { host: mail.example.com, from: desk@example.com }\n";

fn office(mail: &str, to: &str) -> String {
    format!(
        "office: main\ndomains: [plugboard.test]\n{mail}users:\n  - {{ id: ann, number: 101, password: x, voicemail: {{ mail: {to} }} }}\n\
         groups:\n  - {{ id: sales, members: [ann], voicemail: {{ mail: {to} }} }}\n\
         numbers:\n  - {{ number: '+4930777', scenario: s, fax_mail: {to} }}\nscenarios:\n  - {{ scenario: s, steps: [hang-up] }}\n"
    )
}

#[test]
fn mailboxes_and_numbers_say_where_messages_and_faxes_go() {
    let text = office(MAIL, "{ to: a@example.com, attach: false }");
    let office = Office::parse("o.yaml", &text, &demo_folder()).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let again = Office::parse("o.yaml", &office.export(Secrets::InClear, None), &demo_folder()).unwrap();
    for office in [office, again] {
        let user = office.users().next().unwrap().mailbox.mail.clone().unwrap();
        assert_eq!((user.to.as_str(), user.attach), ("a@example.com", false));
        assert_eq!(office.groups().next().unwrap().mailbox.mail.as_ref(), Some(&user));
        assert_eq!(office.numbers().next().unwrap().fax_mail.as_ref(), Some(&user));
    }
}

#[test]
fn what_goes_nowhere_is_a_fault() {
    for (mail, to, told) in [
        ("", "{ to: a@example.com }", "the office sends no mail"),
        (MAIL, "{ to: nobody }", "has no @"),
        (MAIL, "{ attach: true }", "to"),
        (MAIL, "{ to: a@example.com, attached: true }", "attach"),
    ] {
        let found = faults(&office(mail, to));
        assert_eq!(found.matches(told).count().min(3), 3, "{to}: {found}");
    }
}
