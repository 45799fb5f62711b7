//! A phone that knows both digests registers by the one that its user's setting asks for.

use plugboard_tests_interop::{Linphone, Office, Plugboard, Sipp, free_port};

fn office() -> Office {
    let settings = [(102, "digest: sha256"), (103, "digest: both")];
    let signed = [(105, "digest_integrity: required"), (106, "digest_integrity: offered")];
    settings.into_iter().chain(signed).fold(Office::new(), |office, (user, setting)| office.user(user, setting))
}

#[test]
fn a_phone_signs_its_bodies_where_the_users_setting_says_so() {
    let switch = Plugboard::with_office(&office());
    for user in ["105", "106"] {
        Sipp::registers(&switch, user, &format!("secret-{user}"), free_port(1)).succeeds();
        switch.waits_for_registration(user, 1);
    }
    Sipp::registers(&switch, "105", "guessed", free_port(1)).fails();
}

#[test]
fn a_phone_registers_by_sha_256_where_the_users_setting_says_so() {
    let switch = Plugboard::with_office(&office());
    let phone = Linphone::start(&switch, "102", "secret-102");
    switch.waits_for_registration("102", 1);
    let sent = phone.credentials();
    assert!(!sent.is_empty() && sent.iter().all(|line| line.contains("algorithm=SHA-256")), "{sent:?}");
}

#[test]
fn a_phone_registers_by_md5_which_is_what_most_phones_know() {
    let switch = Plugboard::with_office(&office());
    let phone = Linphone::start(&switch, "101", "secret-101");
    switch.waits_for_registration("101", 1);
    let sent = phone.credentials();
    assert!(!sent.is_empty() && sent.iter().all(|line| line.contains("algorithm=MD5")), "{sent:?}");
}

#[test]
fn a_phone_that_is_offered_both_digests_takes_the_stronger_one() {
    let switch = Plugboard::with_office(&office());
    let phone = Linphone::start(&switch, "103", "secret-103");
    switch.waits_for_registration("103", 1);
    let sent = phone.credentials();
    assert!(!sent.is_empty() && sent.iter().all(|line| line.contains("algorithm=SHA-256")), "{sent:?}");
    phone.waits_to_say("algorithm=MD5");
}

#[test]
fn a_phone_with_md5_alone_cannot_register_where_sha_256_is_asked_for() {
    let switch = Plugboard::with_office(&office());
    Sipp::registers(&switch, "102", "secret-102", free_port(1)).fails();
    switch.waits_for_registration("102", 0);
}

#[test]
fn a_wrong_password_is_refused_whatever_the_digest() {
    let switch = Plugboard::with_office(&office());
    let md5 = Linphone::start(&switch, "101", "guessed");
    let sha256 = Linphone::start(&switch, "102", "guessed");
    for phone in [md5, sha256] {
        phone.waits_to_say("LinphoneRegistrationFailed");
        assert!(!phone.credentials().is_empty(), "it tried");
    }
    switch.waits_for_registration("101", 0);
    switch.waits_for_registration("102", 0);
}

#[test]
fn a_failed_login_names_its_source_in_the_log_and_the_user_only_for_who_debugs() {
    let switch = Plugboard::with_office(&office());
    let port = free_port(1);
    Sipp::registers(&switch, "101", "guessed", port).fails();
    let (log, source) = (switch.log(), format!("127.0.0.1:{port}"));
    let told = log.lines().find(|line| line.contains("login failed") && line.contains(&source));
    let told = told.unwrap_or_else(|| panic!("the log does not tell of {source}: {log}"));
    assert!(told.contains("wrong_password") && !told.contains("\"101\""), "{told}");
    assert!((switch.sample("plugboard_login_failures_total{fault=\"wrong_password\"}") - 1.0).abs() < 0.1);
}
