//! How an office sends e-mail, in its document.

use super::{Owner, Parts};
use crate::{MailLogin, MailRules, MailTemplate, MailText, MailTls, MailTo, Sender};
use plugboard_document::{Field, Fields};
use plugboard_model::{MailAddress, Name};
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

/// A server that looks up who sends, and what, takes its time.
pub(crate) const TIMEOUT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_mins(2);
/// Servers take few connections of one client.
pub(crate) const AT_ONCE_MAX: i64 = 32;
/// Whoever sends more needs another way.
pub(crate) const AN_HOUR_MAX: i64 = 3_000;
/// News of last week is none.
pub(crate) const GIVE_UP_AFTER: RangeInclusive<Duration> = Duration::from_mins(1)..=Duration::from_hours(7 * 24);
/// Servers take some 25 MB, of which a third is packing.
pub(crate) const ATTACHMENTS: RangeInclusive<i64> = 0..=20_971_520;
/// Templates of an office, and languages of one.
pub(crate) const TEMPLATES_MAX: usize = 64;
pub(crate) const LANGUAGES_MAX: usize = 16;
/// Bytes of a host's name, a user's, a subject, a text.
pub(crate) const HOST_MAX: usize = 253;
const USER_MAX: usize = 254;
pub(crate) const SUBJECT_MAX: usize = 200;
pub(crate) const TEXT_MAX: usize = 16_384;

impl Parts<'_> {
    /// `{ host, port, tls, login, from, private, timeout, at_once, an_hour, give_up_after, attachments, templates }`.
    pub(crate) fn mail(&mut self, field: Option<Field<'_>>) -> Option<Arc<MailRules>> {
        let mut fields = field?.fields(self.faults)?;
        let host = fields.need("host", self.faults).and_then(|field| self.host(&field));
        let tls_field = fields.take("tls");
        let tls = tls_field.as_ref().and_then(|field| field.one_of(&MailTls::WORDS, self.faults)).unwrap_or_default();
        let port = fields.take("port").and_then(|field| field.integer(1..=65_535, self.faults));
        let login = fields.take("login").and_then(|field| self.mail_login(&field));
        let from = fields.need("from", self.faults).and_then(|field| {
            let text = field.text(self.faults)?;
            let read = Sender::read(&text);
            read.map_err(|why| field.fault(self.faults, format!("{text:?} {why}"), "write Desk <desk@example.com>"))
                .ok()
        });
        let private = fields.take("private").and_then(|field| field.boolean(self.faults)).unwrap_or_default();
        let timeout = fields.take("timeout").and_then(|field| field.duration(TIMEOUT, self.faults));
        let at_once = self.count(&mut fields, "at_once", 1..=AT_ONCE_MAX, MailRules::AT_ONCE);
        let an_hour = self.count(&mut fields, "an_hour", 1..=AN_HOUR_MAX, MailRules::AN_HOUR);
        let give_up_after = fields.take("give_up_after").and_then(|field| field.duration(GIVE_UP_AFTER, self.faults));
        let attachments_max = self.count(&mut fields, "attachments", ATTACHMENTS, MailRules::ATTACHMENTS_MAX);
        let templates = self.mail_templates(fields.take("templates"));
        fields.finish(self.faults);
        if tls == MailTls::None
            && !private
            && let Some(field) = tls_field
        {
            let remedy = "use starttls or implicit, or write `private: true` for a server of your own network";
            field.fault(self.faults, "what mails say, and the password, would be sent in the clear", remedy);
        }
        Some(Arc::new(MailRules {
            host: host?,
            port: port.and_then(|port| u16::try_from(port).ok()).unwrap_or(tls.port()),
            tls,
            login,
            from: from?,
            private,
            timeout: timeout.unwrap_or(MailRules::TIMEOUT),
            at_once,
            an_hour,
            give_up_after: give_up_after.unwrap_or(MailRules::GIVE_UP_AFTER),
            attachments_max,
            templates,
        }))
    }

    /// An address of a user, a group, or whoever is told of something.
    pub(crate) fn mail_address(&mut self, field: &Field<'_>) -> Option<MailAddress> {
        let text = field.text(self.faults)?;
        let read = MailAddress::new(&text);
        read.map_err(|why| field.fault(self.faults, format!("{text:?} {why}"), "write ann@example.com")).ok()
    }

    /// `{ to, attach }` of a mailbox or an incoming number.
    pub(crate) fn mail_to(&mut self, field: Option<Field<'_>>) -> Option<MailTo> {
        let field = field?;
        self.found.mailed.push((field.key_at, field.path.clone()));
        let mut fields = field.fields(self.faults)?;
        let to = fields.need("to", self.faults).and_then(|field| self.mail_address(&field));
        let attach = fields.take("attach").and_then(|field| field.boolean(self.faults)).unwrap_or(true);
        fields.finish(self.faults);
        Some(MailTo { to: to?, attach })
    }

    fn host(&mut self, field: &Field<'_>) -> Option<String> {
        let text = field.text(self.faults)?;
        let is_v6 = text.parse::<std::net::Ipv6Addr>().is_ok();
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
        if is_v6 || (!text.is_empty() && text.len() <= HOST_MAX && text.bytes().all(is_name)) {
            return Some(text);
        }
        field.fault(self.faults, format!("{text:?} is no name of a server"), "write mail.example.com");
        None
    }

    fn mail_login(&mut self, field: &Field<'_>) -> Option<MailLogin> {
        let mut fields = field.fields(self.faults)?;
        let (user, password) = (fields.need("user", self.faults), fields.need("password", self.faults));
        fields.finish(self.faults);
        let (user, password) = (user?, password?);
        let name = user.text(self.faults)?;
        if name.is_empty() || name.len() > USER_MAX || name.contains(char::is_control) {
            user.fault(self.faults, "no server takes such a user", "1 to 254 bytes on one line");
        }
        Some(MailLogin { user: name, password: self.secret(&password, Owner::Mail)? })
    }

    /// `[{ id, texts: { en: { subject, text, html } } }]`.
    fn mail_templates(&mut self, field: Option<Field<'_>>) -> BTreeMap<Name, Arc<MailTemplate>> {
        let mut templates = BTreeMap::new();
        for item in self.items(field, TEMPLATES_MAX) {
            let Some((id, mut fields)) = self.named(&item) else { continue };
            let texts = fields.need("texts", self.faults).map(|field| self.mail_texts(&field)).unwrap_or_default();
            fields.finish(self.faults);
            if templates.insert(id.clone(), Arc::new(MailTemplate { id, texts })).is_some() {
                self.twice(&item);
            }
        }
        templates
    }

    fn mail_texts(&mut self, field: &Field<'_>) -> BTreeMap<String, MailText> {
        let mut texts = BTreeMap::new();
        let Some(languages) = field.fields(self.faults).map(|fields| fields.all()) else { return texts };
        if languages.is_empty() || languages.len() > LANGUAGES_MAX {
            field.fault(
                self.faults,
                format!("a mail has 1 to {LANGUAGES_MAX} languages"),
                "write en: { subject, text }",
            );
        }
        for (language, one) in languages {
            let is_part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
            if !language.split('-').all(is_part) {
                one.fault(self.faults, format!("{language:?} is no language"), "write a tag of BCP 47, such as de");
            }
            let Some(mut fields) = one.fields(self.faults) else { continue };
            let subject = self.mail_part(&mut fields, "subject", SUBJECT_MAX);
            let text = self.mail_part(&mut fields, "text", TEXT_MAX);
            let html = fields.take("html").and_then(|field| self.mail_words(&field, TEXT_MAX));
            fields.finish(self.faults);
            if let (Some(subject), Some(text)) = (subject, text) {
                texts.insert(language.to_owned(), MailText { subject, text, html });
            }
        }
        texts
    }

    fn mail_part(&mut self, fields: &mut Fields<'_>, key: &'static str, most: usize) -> Option<String> {
        let field = fields.need(key, self.faults)?;
        let text = self.mail_words(&field, most)?;
        if key == "subject" && (text.is_empty() || text.contains(char::is_control)) {
            field.fault(self.faults, "a subject is one line", "write the rest into `text`");
        }
        Some(text)
    }

    fn mail_words(&mut self, field: &Field<'_>, most: usize) -> Option<String> {
        let text = field.text(self.faults)?;
        if text.len() > most {
            field.fault(self.faults, format!("it is longer than {most} bytes"), "shorten it");
            return None;
        }
        Some(text)
    }
}
