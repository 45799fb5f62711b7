//! How an office sends e-mail, as a document.

use super::{Entries, Secrets, secret_node};
use crate::{MailRules, MailTemplate, MailTls, MailTo};
use plugboard_document::{Node, write_duration};
use std::path::Path;

pub(super) fn node(rules: &MailRules, secrets: Secrets, folder: Option<&Path>) -> Node {
    let word = |tls: MailTls| MailTls::WORDS.iter().find(|(_, known)| *known == tls).map_or("", |(word, _)| *word);
    let mut entry = Entries::default();
    entry.put("host", rules.host.as_str());
    entry.put_unless("port", u32::from(rules.port), u32::from(rules.tls.port()));
    entry.put_unless("tls", word(rules.tls), word(MailTls::default()));
    if let Some(login) = &rules.login {
        let mut own = Entries::default();
        own.put("user", login.user.as_str());
        own.put("password", secret_node(&login.password, secrets, folder));
        entry.put("login", own.node());
    }
    entry.put("from", rules.from.written().as_str());
    entry.put_unless("private", rules.private, false);
    entry.put_unless("timeout", write_duration(rules.timeout), write_duration(MailRules::TIMEOUT));
    entry.put_unless("at_once", rules.at_once, MailRules::AT_ONCE);
    entry.put_unless("an_hour", rules.an_hour, MailRules::AN_HOUR);
    let usual = write_duration(MailRules::GIVE_UP_AFTER);
    entry.put_unless("give_up_after", write_duration(rules.give_up_after), usual);
    entry.put_unless("attachments", rules.attachments_max, MailRules::ATTACHMENTS_MAX);
    entry.put_list("templates", rules.templates.values().map(|one| template(one)));
    entry.node()
}

/// Where something goes.
pub(super) fn to(to: &MailTo) -> Node {
    let mut entry = Entries::default();
    entry.put("to", to.to.as_str());
    entry.put_unless("attach", to.attach, true);
    entry.node()
}

fn template(template: &MailTemplate) -> Node {
    let texts = template.texts.iter().map(|(language, one)| {
        let mut entry = Entries::default();
        entry.put("subject", one.subject.as_str());
        entry.put("text", one.text.as_str());
        if let Some(html) = &one.html {
            entry.put("html", html.as_str());
        }
        (language.as_str(), entry.node())
    });
    [("id", Node::from(template.id.as_str())), ("texts", texts.collect())].into_iter().collect()
}
