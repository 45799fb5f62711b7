//! What a person watches at his phone, and what its keys do.

use super::Phone;

/// What an event's body says, in words: the states of calls, of a person, of keys, of a mailbox. Written apart from the switch's
/// own reader.
pub(crate) fn in_words(body: &str) -> Vec<String> {
    let inner = |text: &str, from: &str, to: &str| {
        text.split(from).skip(1).filter_map(|rest| rest.split(to).next()).map(str::to_owned).collect::<Vec<String>>()
    };
    let mut words = Vec::new();
    if body.contains("<dialog-info") {
        for dialog in inner(body, "<dialog ", "</dialog>") {
            let state = inner(&dialog, "<state>", "<").concat();
            words.push(if dialog.contains("direction=\"initiator\"") { format!("{state}-out") } else { state });
        }
        if words.is_empty() {
            words.push("idle".to_owned());
        }
    }
    words.extend(inner(body, "<basic>", "<"));
    words.extend(inner(body, "<rpid:", "/>").into_iter().filter(|word| !word.contains('>')));
    words.extend(inner(body, "<doNotDisturbOn>", "<").into_iter().map(|on| format!("dnd={on}")));
    for forward in inner(body, "<forwardingType>", "</Forward") {
        let kind = forward.split('<').next().unwrap_or_default().to_owned();
        let to = inner(&forward, "<forwardTo>", "<").concat();
        words.push(format!("{kind}={}", if to.is_empty() { "off" } else { &to }));
    }
    words.extend(inner(body, "Messages-Waiting: ", "\r").into_iter().map(|waiting| format!("waiting={waiting}")));
    words
}

impl Phone {
    /// Subscribes to something of a number for ten minutes.
    pub fn watches(&self, number: &str, event: &str) {
        self.subscribes(number, event, 600, &[]);
    }

    /// Subscribes for so many seconds, with these headers besides.
    pub fn subscribes(&self, number: &str, event: &str, expires: u32, more: &[(&str, &str)]) {
        self.agent.borrow_mut().subscribe(self.now(), number, event, expires, more);
    }

    /// Asks anew within the subscription, for so many seconds; 0 ends it.
    pub fn watches_again(&self, number: &str, event: &str, expires: u32) {
        self.agent.borrow_mut().resubscribe(self.now(), number, event, expires, None);
    }

    /// Presses the do-not-disturb key, which is kept in step with the switch.
    pub fn presses_do_not_disturb(&self, on: bool) {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\r\n<SetDoNotDisturb xmlns=\"http://www.ecma-international.org/\
             standards/ecma-323/csta/ed3\">\r\n<device>x</device>\r\n<doNotDisturbOn>{on}</doNotDisturbOn>\r\n</SetDoNotDisturb>"
        );
        self.presses_key(body);
    }

    /// Sets a forward by its menu: `forwardImmediate`, `forwardBusy` or `forwardNoAns`; to nobody takes it back.
    pub fn sets_forward(&self, kind: &str, to: Option<&str>) {
        let body = format!(
            "<?xml version=\"1.0\"?><SetForwarding xmlns=\"http://www.ecma-international.org/standards/ecma-323/csta/ed3\">\
             <device>x</device><forwardingType>{kind}</forwardingType><activateForward>{}</activateForward>\
             <forwardDN>{}</forwardDN></SetForwarding>",
            to.is_some(),
            to.unwrap_or_default()
        );
        self.presses_key(body);
    }

    fn presses_key(&self, body: String) {
        let mut agent = self.agent.borrow_mut();
        let own = agent.account.as_ref().map(|account| account.user.clone());
        let own = own.unwrap_or_else(|| self.nothing("whose keys they are"));
        agent.resubscribe(self.now(), &own, "as-feature-event", 600, Some(body));
    }

    /// Publishes that its user does this, for ten minutes.
    pub fn publishes(&self, activity: &str) {
        let body = format!(
            "<?xml version=\"1.0\"?><presence xmlns=\"urn:ietf:params:xml:ns:pidf\" xmlns:dm=\"urn:ietf:params:xml:ns:pidf:\
             data-model\" xmlns:rpid=\"urn:ietf:params:xml:ns:pidf:rpid\" entity=\"sip:x\"><dm:person id=\"p\"><rpid:\
             activities><rpid:{activity}/></rpid:activities></dm:person></presence>"
        );
        self.publishes_for(&body, 600);
    }

    /// Publishes a document for so many seconds, or, without one, what it said before.
    pub fn publishes_for(&self, body: &str, expires: u32) {
        self.agent.borrow_mut().publish(self.now(), body, expires);
    }

    /// Takes the call that its lamp of this number shows (RFC 5359 section 2.14).
    pub fn picks_up_by_lamp(&self, number: &str) {
        self.picks_up(number, "remote-tag", "local-tag");
    }

    /// The same by a phone that means the other end.
    pub fn picks_up_by_lamp_from_the_other_end(&self, number: &str) {
        self.picks_up(number, "local-tag", "remote-tag");
    }

    fn picks_up(&self, number: &str, to: &str, from: &str) {
        let body = self.agent.borrow().told_of(number, "dialog");
        let of = |name: &str| {
            let rest = body.split(&format!(" {name}=\"")).nth(1).unwrap_or_else(|| self.nothing("to pick up"));
            rest.split('"').next().unwrap_or_default().to_owned()
        };
        let replaces = format!("{};to-tag={};from-tag={}", of("call-id"), of(to), of(from));
        self.agent.borrow_mut().dial_in_place(self.now(), number, replaces);
    }

    /// It answers every NOTIFY with this status from now on.
    pub fn answers_notifies_with(&self, status: u16) {
        self.agent.borrow_mut().notifies = status;
    }

    /// The status of the answer to its last SUBSCRIBE about this.
    pub fn subscribed(&self, number: &str, event: &str) -> Option<u16> {
        self.agent.borrow().watching(number, event).and_then(|watching| watching.answered)
    }

    /// The status of the answer to its last PUBLISH.
    pub fn published(&self) -> Option<u16> {
        self.agent.borrow().published.as_ref().map(|(status, _)| *status)
    }

    /// What it was told last of this, in words; empty when nothing was.
    pub fn sees_of(&self, number: &str, event: &str) -> String {
        self.agent.borrow().state_of(number, event)
    }

    /// As [`Phone::sees_of`], until it is so.
    pub fn sees_that(&self, number: &str, event: &str, words: &str) -> impl Fn() -> bool + use<> {
        let (phone, number, event, words) = (self.clone(), number.to_owned(), event.to_owned(), words.to_owned());
        move || phone.sees_of(&number, &event) == words
    }

    /// The last body that it was told of this.
    pub fn told_of(&self, number: &str, event: &str) -> String {
        self.agent.borrow().told_of(number, event)
    }

    /// How its subscription to this stands: the last Subscription-State.
    pub fn subscription(&self, number: &str, event: &str) -> String {
        let agent = self.agent.borrow();
        agent.watching(number, event).map(|watching| watching.state.clone()).unwrap_or_default()
    }

    /// How often it was told of this.
    pub fn times_told(&self, number: &str, event: &str) -> usize {
        self.agent.borrow().watching(number, event).map_or(0, |watching| watching.told)
    }
}
