//! Mail that scenarios send: taken once, kept, and leaving by itself.

use plugboard_model::{
    CallOutcome, HostResult, JournalEvent, Notice, NoticeContent, NoticeEnd, NoticeState, OfficeId, OutgoingMail,
};
use plugboard_simulator::{OfficeText, Setup, Sim};
use std::time::Duration;

use crate::{journaled, millis, seconds, steps, talk};

const MAIL: &str = "mail:\n  host: mail.example.com\n  from: \"Desk <desk@plugboard.test>\"\n  an_hour: 20\n  templates:\n    - id: hold\n      texts:\n        \
    en: { subject: \"{caller_name} waits\", text: \"User {agent_name} put on hold {caller_number}.\", html: \"<p>{caller_name}</p>\" }\n        de: { subject: Gehalten, text: Gehalten }\nusers:\n";

fn office(steps: &str) -> OfficeText {
    OfficeText::demo()
        .with_story(steps)
        .replace("users:\n", MAIL)
        .replace("name: Bob Baker,", "name: Bob Baker, mail: bob@example.com,")
        .replace("name: Sales\n", "name: Sales\n    mail: sales@example.com\n")
}

fn story(steps: &str) -> Setup {
    Setup::offices(vec![office(steps)])
}

/// The notice of the hold of the seed: who holds whom.
const HOLD: &str = "  - event: hold\n    steps: [{ send-email: { to: [102, sales, boss@example.com], subject: Hold, text: 'User {agent_name} put on hold {caller_number}.' } }]\n\
    \x20 - call-user: { mode: user, target: 102 }\n";

fn mail(notice: &Notice) -> &OutgoingMail {
    let NoticeContent::Mail(mail) = &notice.content else { panic!("{notice:?}") };
    mail
}

/// Ann calls the story, Bob answers and holds her; he takes her back when `then` is over, and she hangs up.
fn held(sim: &mut Sim, then: impl FnOnce(&mut Sim)) {
    let (ann, bob) = (sim.phone("ann", "101"), sim.phone("bob", "102"));
    ann.dials("300");
    sim.run_until(bob.rings());
    bob.answers();
    talk(sim, &ann, &bob);
    bob.holds();
    sim.run_until(bob.was_answered_again());
    then(sim);
    bob.resumes();
    sim.run_until(bob.was_answered_again());
    talk(sim, &ann, &bob);
    ann.hangs_up();
    sim.run_until_quiet();
}

fn known(sim: &Sim) -> Vec<Notice> {
    sim.store().notices().all(&OfficeId::new("main").unwrap()).unwrap()
}

#[test]
fn r37_and_r38_and_r39_a_mail_leaves_at_once_when_a_caller_is_held_and_says_who_holds_whom() {
    let mut sim = story(HOLD).start();
    let mut began = None;
    held(&mut sim, |sim| {
        began = Some(sim.now());
        sim.run_for(seconds(1));
        let carried = sim.carried();
        assert_eq!(carried.len(), 1, "once a hold: {carried:?}");
        let sent = mail(&carried[0].1);
        assert_eq!((sent.subject.as_str(), sent.text.as_str()), ("Hold", "User Bob Baker put on hold 101."));
        assert_eq!(sent.to, ["bob@example.com", "boss@example.com", "sales@example.com"]);
        assert!(carried[0].0.since(began.unwrap()) < millis(100), "{carried:?}");
    });
    let record = sim.record();
    assert_eq!(record.outcome, CallOutcome::Answered);
    assert!(steps(&record).contains(&"steps[0].steps[0] send-email: queued".to_owned()), "{:?}", steps(&record));
    let queued = |event: &JournalEvent| matches!(event, JournalEvent::End { result: HostResult::Noticed(Ok(_)), .. });
    assert_eq!(journaled(&sim, &record, queued), 1);
    let kept = known(&sim);
    assert!(matches!(kept[0].state, NoticeState::Sent { .. }), "{kept:?}");
    assert_eq!(mail(&kept[0]).text, "", "what it said is not kept once it has left");
    assert_eq!(sim.metric("plugboard_notice_tries_total{end=\"sent\",kind=\"mail\"}"), Some(1.0));
    assert_eq!(sim.replays(&record), 2);
}

#[test]
fn r38_a_template_is_filled_in_and_what_callers_call_themselves_breaks_neither_header_nor_html() {
    let steps = "  - send-email: { to: [101@example.com], template: hold }\n  - hang-up\n";
    let mut sim = Setup::offices(vec![office(steps).replace("name: Ann Archer", "name: \"<b>Ann</b> & Co\"")]).start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let carried = sim.carried();
    let sent = mail(&carried[0].1);
    assert_eq!(sent.subject, "<b>Ann</b> & Co waits");
    assert_eq!(sent.text, "User  put on hold 101.");
    assert_eq!(sent.html.as_deref(), Some("<p>&lt;b&gt;Ann&lt;/b&gt; &amp; Co</p>"));
    assert!(sent.message_id.ends_with(".main@plugboard.test"), "{}", sent.message_id);
}

#[test]
fn r38_an_unknown_variable_an_unknown_mail_and_somebody_without_address_are_faults_when_published() {
    let sim = story("  - hang-up\n").start();
    let template = "text: \"User {agent_name} put on hold {caller_number}.\"";
    for (step, change, told) in [
        ("{ to: [102], subject: '{agent_nam}' }", template, "there is no variable \"agent_nam\""),
        ("{ to: [102], template: held }", template, "the office has no mail \"held\""),
        ("{ to: [103], template: hold }", template, "the user 103 has no `mail`"),
        ("{ to: [nobody], template: hold }", template, "neither an address nor a user"),
        ("{ to: [102], template: hold }", "text: \"{agent}\"", "there is no variable \"agent\""),
    ] {
        let changed = office(&format!("  - send-email: {step}\n  - hang-up\n")).replace(template, change);
        let faults = sim.faults(&changed);
        assert!(faults.iter().any(|fault| fault.contains(told)), "{step}: {faults:?}");
    }
    let without = OfficeText::demo().with_story("  - send-email: { to: [a@example.com], subject: x }\n  - hang-up\n");
    assert!(sim.faults(&without)[0].contains("the office sends no mail"));
}

#[test]
fn a_server_that_is_down_holds_nobody_up_and_gets_the_mail_once_it_is_up_again() {
    let mut sim = story(HOLD).start();
    sim.carrier_is(|_| (seconds(20), NoticeEnd::NotNow("connection refused".into())));
    held(&mut sim, |_| {});
    let ended = sim.now();
    assert_eq!(sim.records("main").len(), 1, "the call waited for nobody");
    sim.carrier_is(|_| (millis(50), NoticeEnd::Sent("250 ok".into())));
    sim.run_for(seconds(120));
    let carried = sim.carried();
    let ids: Vec<&str> = carried.iter().map(|(_, notice)| mail(notice).message_id.as_str()).collect();
    assert!(ids.len() >= 2 && ids.iter().all(|id| *id == ids[0]), "each time the same mail: {ids:?}");
    assert!(matches!(known(&sim)[0].state, NoticeState::Sent { .. }), "{:?}", known(&sim));
    assert!(sim.now() > ended);
}

#[test]
fn what_a_server_refuses_for_good_is_not_sent_again_until_an_admin_wants_it() {
    let mut sim = story(HOLD).start();
    sim.carrier_is(|_| (millis(10), NoticeEnd::Refused("550 no such user".into())));
    held(&mut sim, |_| {});
    sim.run_for(Duration::from_hours(1));
    assert_eq!(sim.carried().len(), 1);
    let id = known(&sim)[0].id.clone();
    assert!(matches!(known(&sim)[0].state, NoticeState::Failed { .. }));
    sim.carrier_is(|_| (millis(10), NoticeEnd::Sent("250 ok".into())));
    let switch = sim.switch().clone();
    assert!(sim.ask(switch.retry_notice(&id)).is_ok());
    sim.run_for(seconds(5));
    assert_eq!(sim.carried().len(), 2);
    let office = OfficeId::new("main").unwrap();
    assert_eq!(sim.ask(switch.forget_notices(&office, "999")), 0);
    assert_eq!(sim.ask(switch.forget_notices(&office, "101")), 1);
    sim.run_for(seconds(5));
    assert_eq!(known(&sim), []);
}

#[test]
fn a_switch_that_ends_while_a_mail_leaves_sends_the_same_mail_again() {
    let mut sim = story(HOLD).start();
    // It goes out, and no word of it comes back before the end.
    sim.carrier_is(|_| (Duration::from_mins(5), NoticeEnd::Sent("250 ok".into())));
    held(&mut sim, |_| {});
    let before = mail(&sim.carried()[0].1).clone();
    assert!(matches!(known(&sim)[0].state, NoticeState::Sending { .. }), "{:?}", known(&sim));
    let mut again = story(HOLD).after(sim).start();
    again.run_for(seconds(60));
    let carried = again.carried();
    assert_eq!(carried.len(), 1, "{carried:?}");
    assert_eq!(mail(&carried[0].1), &before, "the same Message-ID, and the same words");
    assert!(matches!(known(&again)[0].state, NoticeState::Sent { .. }));
}

#[test]
fn no_more_mails_are_taken_in_an_hour_than_the_office_lets() {
    let send = "  - send-email: { to: [102], subject: one }\n".repeat(21);
    let mut sim = story(&format!("{send}  - hang-up\n")).start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    assert_eq!(sim.carried().len(), 20);
    let told = steps(&sim.record());
    assert_eq!(told.iter().filter(|step| step.ends_with("send-email: failed")).count(), 1, "{told:?}");
}

#[test]
fn a_document_leaves_by_the_same_outbox_and_a_line_is_written_into_the_trace() {
    let source = "http:\n  - { id: crm, url: https://crm.example.com, methods: [post] }\n  - { id: read, url: https://crm.example.com }\nusers:\n";
    let steps_ = "  - write-log: { text: '{caller_number} was here', level: warn }\n  - webhook: { source: crm, path: calls, body: { from: '{caller_number}' } }\n\
        \x20 - webhook: { source: \"{elsewhere}\", body: 1 }\n  - hang-up\n";
    // What takes no post is refused when the office is applied, where it is known by then.
    let story =
        format!("scenario: story\nvariables: {{ elsewhere: {{ type: text, default: read }} }}\nsteps:\n{steps_}");
    let office = OfficeText::demo().with_story("  - hang-up\n").with("story.yaml", &story);
    let mut sim = Setup::offices(vec![office.replace("users:\n", source)]).start();
    sim.carrier_is(|notice| {
        let end = if notice.tried == 1 { NoticeEnd::Unknown("broken".into()) } else { NoticeEnd::Sent("204".into()) };
        (millis(10), end)
    });
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    sim.run_for(seconds(10));
    let carried = sim.carried();
    let NoticeContent::Post(post) = &carried[0].1.content else { panic!("{carried:?}") };
    assert_eq!((post.source.as_str(), post.path.as_str(), post.body.as_str()), ("crm", "calls", r#"{"from":"101"}"#));
    assert_eq!(carried.len(), 2, "the source can tell a repetition by its key, so it is asked again");
    assert_eq!(carried[0].1.id, carried[1].1.id);
    let record = sim.record();
    assert_eq!(
        steps(&record)[..3],
        ["steps[0] write-log: done", "steps[1] webhook: queued", "steps[2] webhook: failed"]
    );
    let line = |event: &JournalEvent| matches!(event, JournalEvent::Begin { call: plugboard_model::HostCall::Log { message, .. }, .. } if message == "101 was here");
    assert_eq!(journaled(&sim, &record, line), 1);
}

/// Who comes from outside to a number with a fax machine, and who leaves Bob a message.
fn delivering(steps: &str) -> Setup {
    let office = office(steps)
        .replace("mail: bob@example.com,", "mail: bob@example.com, voicemail: { mail: { to: box@example.com } },")
        .replace(
            "routes:\n",
            "numbers:\n  - { number: \"+4930777\", scenario: story, fax_mail: { to: fax@example.com } }\nroutes:\n",
        );
    Setup::offices(vec![office])
}

#[test]
fn a_message_goes_to_its_owner_by_mail_once_with_the_sound_whether_the_caller_stays_or_not() {
    for stays in [true, false] {
        let mut sim = delivering("  - voicemail: { user: 102 }\n  - hang-up\n").start();
        let ann = sim.phone("ann", "101");
        ann.dials("300");
        sim.run_until(ann.hears("tone"));
        sim.run_for(seconds(4));
        if stays {
            ann.presses("#");
            sim.run_until(ann.is_idle());
        } else {
            ann.hangs_up();
        }
        sim.run_until_quiet();
        sim.run_for(seconds(5));
        let carried = sim.carried();
        assert_eq!(carried.len(), 1, "{carried:?}");
        let sent = mail(&carried[0].1);
        assert_eq!(sent.to, ["box@example.com"]);
        assert_eq!(sent.subject, "Voice message from Ann Archer (101)");
        assert!(sent.text.starts_with("Ann Archer (101) has left a message for Bob Baker: "), "{}", sent.text);
        let [file] = sent.attachments.as_slice() else { panic!("{sent:?}") };
        assert_eq!((file.name.as_str(), file.media_type.as_str()), ("voicemail.wav", "audio/wav"));
        assert!(file.file.starts_with("main/"), "{}", file.file);
        assert!(sent.message_id.contains("-m1."), "{}", sent.message_id);
    }
}

#[test]
fn an_empty_message_goes_to_nobody() {
    let mut sim = delivering("  - voicemail: { user: 102 }\n  - hang-up\n").start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.hears("tone"));
    ann.hangs_up();
    sim.run_until_quiet();
    sim.run_for(seconds(5));
    assert_eq!(sim.carried().len(), 0);
}

#[test]
fn a_step_after_the_message_sends_it_along_and_one_that_wants_what_there_is_not_goes_alone() {
    let steps = "  - voicemail: { user: 103 }\n  - send-email: { to: [102], subject: All, attach: [voicemail, recording, fax] }\n  - hang-up\n";
    let mut sim = story(steps).start();
    let ann = sim.phone("ann", "101");
    ann.dials("300");
    sim.run_until(ann.hears("tone"));
    sim.run_for(seconds(4));
    ann.presses("#");
    sim.run_until(ann.is_idle());
    sim.run_until_quiet();
    let carried = sim.carried();
    assert_eq!(carried.len(), 1, "{carried:?}");
    let names: Vec<&str> = mail(&carried[0].1).attachments.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["voicemail.wav"]);
}

#[test]
fn a_fax_goes_to_whoever_the_number_says_by_mail_once_with_the_document() {
    const CARRIER: &str = "198.51.100.20:5060";
    let steps = "  - receive-fax: {}\n  - play-audio: { audio: welcome }\n  - hang-up\n";
    let office = office(steps).replace("127.0.0.1:5080", CARRIER).replace(
        "routes:\n",
        "numbers:\n  - { number: \"+4930777\", scenario: story, fax_mail: { to: fax@example.com } }\nroutes:\n",
    );
    let mut sim = Setup::offices(vec![office]).start();
    let carrier = sim.outside("carrier", CARRIER);
    carrier.dials_as("+4930777", "030999");
    sim.run_until(carrier.talks());
    carrier.sends_fax("+49 30 1234", &[crate::fax::page(1)]);
    sim.run_until(carrier.has_faxed());
    sim.run_until(carrier.is_idle());
    sim.run_until_quiet();
    sim.run_for(seconds(5));
    let carried = sim.carried();
    assert_eq!(carried.len(), 1, "{carried:?}");
    let sent = mail(&carried[0].1);
    assert_eq!(
        (sent.to[0].as_str(), sent.text.contains("to +4930777, pages: 1.")),
        ("fax@example.com", true),
        "{sent:?}"
    );
    assert_eq!(sent.attachments.len(), 1);
    assert_eq!(sent.attachments[0].name, "fax.pdf");
}

#[test]
fn a_text_message_is_sent_again_only_where_the_provider_can_tell_and_its_number_is_written_for_the_world() {
    for (key, times) in [("", 1), (", id: \"{key}\"", 2)] {
        let texts = format!(
            "http:\n  - {{ id: sms, url: https://sms.example.com, methods: [post] }}\ntext_messages: {{ source: sms, body: {{ to: \"{{to}}\", text: \"{{text}}\"{key} }} }}\nusers:\n"
        );
        let steps_ = "  - send-text: { to: 0170 1234567, text: 'We call {caller_number} back.' }\n  - send-text: { to: nobody, text: x }\n  - hang-up\n";
        let mut sim = Setup::offices(vec![OfficeText::demo().with_story(steps_).replace("users:\n", &texts)]).start();
        sim.carrier_is(|notice| {
            let end =
                if notice.tried == 1 { NoticeEnd::Unknown("broken".into()) } else { NoticeEnd::Sent("200".into()) };
            (millis(10), end)
        });
        let ann = sim.phone("ann", "101");
        ann.dials("300");
        sim.run_until(ann.is_idle());
        sim.run_until_quiet();
        sim.run_for(seconds(60));
        let carried = sim.carried();
        assert_eq!(carried.len(), times, "{carried:?}");
        let NoticeContent::Text(text) = &carried[0].1.content else { panic!("{carried:?}") };
        assert_eq!((text.to.as_str(), text.text.as_str()), ("+491701234567", "We call 101 back."));
        assert_eq!(steps(&sim.record())[..2], ["steps[0] send-text: queued", "steps[1] send-text: failed"]);
    }
}
