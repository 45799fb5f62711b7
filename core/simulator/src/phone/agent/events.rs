//! Subscriptions and publications of a phone.

use plugboard_model::Time;
use plugboard_sip::{Method, Request, Response};
use std::collections::BTreeMap;
use std::net::SocketAddr;

use super::{Agent, Purpose, request};
use crate::phone::watch::in_words;

/// Something that it watches.
#[derive(Debug)]
pub(crate) struct Watching {
    number: String,
    event: String,
    call_id: String,
    local: String,
    remote: String,
    target: String,
    pub(crate) cseq: u32,
    more: Vec<(String, String)>,
    /// The status of the last answer.
    pub(crate) answered: Option<u16>,
    /// The last Subscription-State.
    pub(crate) state: String,
    /// How often it was told.
    pub(crate) told: usize,
    /// The number of the last NOTIFY, and the version of its document: both count up, the version by one.
    last: (u32, Option<u32>),
    /// What was told last, by the key that it is about where there are several.
    bodies: BTreeMap<String, String>,
}

impl Agent {
    pub(crate) fn subscribe(&mut self, now: Time, number: &str, event: &str, expires: u32, more: &[(&str, &str)]) {
        let Some(account) = self.account.clone() else { return };
        let index = self.watched.len();
        let of_record = format!("<sip:{}@{}>", account.user, account.domain);
        self.watched.push(Watching {
            number: number.into(),
            event: event.into(),
            call_id: format!("watch-{index}@{}", self.name),
            local: format!("{of_record};tag={}-w{index}", self.name),
            remote: format!("<sip:{number}@{}>", account.domain),
            target: format!("sip:{number}@{}", account.domain),
            cseq: 0,
            more: more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            answered: None,
            state: String::new(),
            told: 0,
            last: (0, None),
            bodies: BTreeMap::new(),
        });
        self.send_subscribe(now, index, expires, None);
    }

    pub(crate) fn resubscribe(&mut self, now: Time, number: &str, event: &str, expires: u32, body: Option<String>) {
        let is_it = |watching: &Watching| watching.number == number && watching.event == event;
        let Some(index) = self.watched.iter().rposition(is_it) else { panic!("{} watches no {event}", self.name) };
        self.send_subscribe(now, index, expires, body);
    }

    fn send_subscribe(&mut self, now: Time, index: usize, expires: u32, body: Option<String>) {
        let contact = self.contact();
        let Some(watching) = self.watched.get_mut(index) else { return };
        watching.cseq += 1;
        watching.answered = None;
        let mut request = request(Method::Subscribe, &watching.target);
        request.headers.push("From", watching.local.as_str());
        request.headers.push("To", watching.remote.as_str());
        request.headers.push("Call-ID", watching.call_id.as_str());
        request.headers.push("CSeq", format!("{} SUBSCRIBE", watching.cseq));
        request.headers.push("Contact", contact);
        request.headers.push("Event", watching.event.as_str());
        request.headers.push("Expires", expires.to_string());
        for (name, value) in &watching.more {
            request.headers.push(name, value.as_str());
        }
        if let Some(body) = body {
            request.headers.push("Content-Type", "application/x-as-feature-event+xml");
            request.body = body.into_bytes();
        }
        let switch = self.network.switch(self.address.ip());
        self.send_request(now, request, switch, Purpose::Subscribe(index), false);
    }

    pub(super) fn subscribe_heard(&mut self, index: usize, response: &Response) {
        let Some(watching) = self.watched.get_mut(index) else { return };
        watching.answered = Some(response.status);
        if response.is_success() {
            response.headers.get("To").unwrap_or_default().clone_into(&mut watching.remote);
            let target = response.headers.get("Contact").unwrap_or_default();
            target.trim_matches(['<', '>']).clone_into(&mut watching.target);
        }
    }

    /// A NOTIFY; the status that it gets.
    pub(super) fn notified(&mut self, notify: &Request) -> u16 {
        let call_id = notify.headers.call_id().unwrap_or_default();
        let Some(watching) = self.watched.iter_mut().find(|watching| watching.call_id == call_id) else { return 481 };
        if self.notifies != 200 {
            return self.notifies;
        }
        let number = notify.headers.cseq().map_or(0, |cseq| cseq.number);
        assert!(number > watching.last.0, "{} was told something old after something new", self.name);
        notify.headers.get("Subscription-State").unwrap_or_default().clone_into(&mut watching.state);
        watching.told += 1;
        let body = String::from_utf8_lossy(&notify.body).into_owned();
        let version =
            body.split("dialog-info\" version=\"").nth(1).and_then(|rest| rest.split('"').next()?.parse().ok());
        if let (Some(last), Some(version)) = (watching.last.1, version) {
            // A subscription that ended and began anew counts from 0.
            assert!(version == last + 1 || version == 0, "{}: version {version} after {last}", self.name);
        }
        watching.last = (number, version);
        if !body.is_empty() {
            let words = in_words(&body);
            let key = if body.contains("<doNotDisturbOn>") || body.contains("<forwardingType>") {
                words.first().and_then(|word| word.split('=').next()).unwrap_or_default().to_owned()
            } else {
                String::new()
            };
            watching.bodies.insert(key, body);
        }
        200
    }

    pub(crate) fn publish(&mut self, now: Time, body: &str, expires: u32) {
        let Some(account) = self.account.clone() else { return };
        let (target, of_record) =
            (format!("sip:{}@{}", account.user, account.domain), format!("<sip:{}@{}>", account.user, account.domain));
        self.published_cseq += 1;
        let mut request = request(Method::Publish, &target);
        request.headers.push("From", format!("{of_record};tag={}-p", self.name));
        request.headers.push("To", of_record);
        request.headers.push("Call-ID", format!("publish@{}", self.name));
        request.headers.push("CSeq", format!("{} PUBLISH", self.published_cseq));
        request.headers.push("Event", "presence");
        request.headers.push("Expires", expires.to_string());
        if let Some((_, tag)) = self.published.take().filter(|(_, tag)| !tag.is_empty()) {
            request.headers.push("SIP-If-Match", tag);
        }
        if !body.is_empty() {
            request.headers.push("Content-Type", "application/pidf+xml");
            request.body = body.as_bytes().to_vec();
        }
        let switch = self.network.switch(self.address.ip());
        self.send_request(now, request, switch, Purpose::Publish, false);
    }

    pub(super) fn publish_heard(&mut self, response: &Response) {
        let tag = response.headers.get("SIP-ETag").unwrap_or_default();
        self.published = Some((response.status, tag.to_owned()));
    }

    pub(crate) fn watching(&self, number: &str, event: &str) -> Option<&Watching> {
        self.watched.iter().rev().find(|watching| watching.number == number && watching.event == event)
    }

    pub(crate) fn told_of(&self, number: &str, event: &str) -> String {
        let watching = self.watching(number, event);
        watching.map(|watching| watching.bodies.values().map(String::as_str).collect()).unwrap_or_default()
    }

    pub(crate) fn state_of(&self, number: &str, event: &str) -> String {
        let watching = self.watching(number, event);
        let words =
            watching.map(|watching| watching.bodies.values().flat_map(|body| in_words(body)).collect::<Vec<_>>());
        words.unwrap_or_default().join(" ")
    }

    /// Answers a NOTIFY, if it is one of a subscription.
    pub(super) fn takes_notify(&mut self, from: SocketAddr, notify: &Request) {
        let status = self.notified(notify);
        self.respond(from, notify, status, Vec::new(), None);
    }
}
