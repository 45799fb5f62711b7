//! A phone of a story: what a person does with it, and what he sees and hears.

mod agent;
mod call;
mod digest;
mod fax;
mod faxing;
mod home;
mod resend;
mod secrecy;
mod voice;
mod watch;

pub(crate) use agent::{Agent, Manner};
pub(crate) use digest::Account;
pub(crate) use watch::in_words;

pub use call::Stage;
pub use digest::answer_to_challenge;
pub use secrecy::Encrypts;

use plugboard_media::{Codec, Suite};
use plugboard_model::Time;
use plugboard_sip::flow::Transport;
use plugboard_switch::Clock;
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::SimClock;
use call::Call;
pub(crate) use call::HOME;

/// A sound counts as heard while its last packet is not older: a few packets may be lost.
const JUST_NOW: Duration = Duration::from_millis(100);

/// A phone. A clone is the same phone.
///
/// What a person does takes effect at once; what he sees is a condition for [`crate::Sim::run_until`]. Where a phone has
/// several calls, the words are about the last one.
#[derive(Clone)]
pub struct Phone {
    agent: Rc<RefCell<Agent>>,
    clock: Arc<SimClock>,
}

impl Phone {
    pub(crate) const fn new(agent: Rc<RefCell<Agent>>, clock: Arc<SimClock>) -> Self {
        Self { agent, clock }
    }

    // ---- what a person does ---------------------------------------------------------------------------------

    /// Registers for an hour.
    pub fn registers(&self) {
        self.registers_for(3_600);
    }

    /// Registers for so many seconds; 0 takes the registration back.
    pub fn registers_for(&self, seconds: u32) {
        self.agent.borrow_mut().register(self.now(), seconds);
    }

    /// From now on it registers by way of these proxies (RFC 3327).
    pub fn is_behind(&self, proxies: &[&str]) {
        let path = proxies.iter().map(|proxy| ("Path".to_owned(), (*proxy).to_owned()));
        self.agent.borrow_mut().registers_with.0.extend(path);
    }

    /// From now on it registers as an app that sleeps: this push service wakes it (RFC 8599).
    pub fn is_woken_by(&self, provider: &str, prid: &str) {
        self.agent.borrow_mut().uri_params = format!(";pn-provider={provider};pn-prid={prid};pn-param=app");
    }

    /// From now on it registers as this flow of the device with this name (RFC 5626).
    pub fn is_flow(&self, reg_id: u32, device: &str) {
        let mut agent = self.agent.borrow_mut();
        agent.registers_with.0.push(("Supported".into(), "path, outbound".into()));
        agent.registers_with.1 = format!(";+sip.instance=\"<{device}>\";reg-id={reg_id}");
    }

    /// Calls a number.
    pub fn dials(&self, number: &str) {
        self.agent.borrow_mut().dial(self.now(), number);
    }

    /// Calls a number at this domain or address.
    pub fn dials_at(&self, number: &str, domain: &str) {
        let mut agent = self.agent.borrow_mut();
        let own = agent.account.as_ref().map(|account| format!("<sip:{}@{}>", account.user, account.domain));
        agent.dial_as(self.now(), number, domain, &own.unwrap_or_else(|| self.nothing("without an account")));
    }

    /// Calls a number from outside, with this number of his own.
    pub fn dials_as(&self, number: &str, own: &str) {
        self.dials_as_at(number, own, "plugboard.test");
    }

    /// The same at this domain.
    pub(crate) fn dials_as_at(&self, number: &str, own: &str, domain: &str) {
        self.agent.borrow_mut().dial_as(self.now(), number, domain, &format!("<sip:{own}@outside.test>"));
    }

    /// Calls a number at this domain or address and hides who he is (RFC 3323 section 4.1.1.3).
    pub fn dials_anonymously(&self, number: &str, domain: &str) {
        let hidden = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";
        self.agent.borrow_mut().dial_as(self.now(), number, domain, hidden);
    }

    /// Takes the call that rings.
    pub fn answers(&self) {
        let index = self.find(|call| call.stage == Stage::Ringing).unwrap_or_else(|| self.nothing("to answer"));
        self.agent.borrow_mut().answer(self.now(), index);
    }

    /// Speaks to whoever calls before the call is taken: a 183 with a description.
    pub fn speaks_early(&self) {
        let index = self.find(|call| call.stage == Stage::Ringing).unwrap_or_else(|| self.nothing("to speak to"));
        self.agent.borrow_mut().progress(self.now(), index, 183, true);
    }

    /// Says once more that it rings, with a description or without, and makes no sound.
    pub fn rings_again(&self, described: bool) {
        let index = self.find(|call| call.stage == Stage::Ringing).unwrap_or_else(|| self.nothing("to ring for"));
        self.agent.borrow_mut().progress(self.now(), index, 180, described);
    }

    /// Refuses the call that rings with this status.
    pub fn refuses(&self, status: u16) {
        let index = self.find(|call| call.stage == Stage::Ringing).unwrap_or_else(|| self.nothing("to refuse"));
        self.agent.borrow_mut().refuse(self.now(), index, status);
    }

    /// Sends the call that rings on to others (a 3xx): its answer has these Contacts.
    pub fn sends_on(&self, status: u16, contacts: &[&str]) {
        self.names_others(contacts);
        self.refuses(status);
    }

    /// Sends every call on from now on.
    pub fn always_sends_on(&self, status: u16, contacts: &[&str]) {
        self.names_others(contacts);
        self.always_refuses(status);
    }

    fn names_others(&self, contacts: &[&str]) {
        self.agent.borrow_mut().others = contacts.iter().map(|contact| (*contact).to_owned()).collect();
    }

    /// Ends the last call that goes on, whatever it is at.
    pub fn hangs_up(&self) {
        let index = self.find(|call| !call.is_over()).unwrap_or_else(|| self.nothing("to hang up"));
        self.agent.borrow_mut().hang_up(self.now(), index);
    }

    /// Presses keys, one after the other, 220 ms each.
    pub fn presses(&self, keys: &str) {
        let index = self.find(|call| call.stage == Stage::Up).unwrap_or_else(|| self.nothing("to press keys in"));
        self.agent.borrow_mut().press(index, keys);
    }

    /// Puts the other one on hold: a re-INVITE with `sendonly`.
    pub fn holds(&self) {
        self.reinvites("sendonly");
    }

    /// Takes him back.
    pub fn resumes(&self) {
        self.reinvites("sendrecv");
    }

    /// Puts the other one on hold and sends nothing either: `inactive`.
    pub fn holds_both_ways(&self) {
        self.reinvites("inactive");
    }

    /// Puts the other one on hold as phones did before RFC 3264: with an address of zeros.
    pub fn holds_with_zeros(&self) {
        self.reinvites("zeros");
    }

    /// Puts the other one on hold by UPDATE (RFC 3311).
    pub fn holds_by_update(&self) {
        self.updates("sendonly");
    }

    /// Takes him back by UPDATE.
    pub fn resumes_by_update(&self) {
        self.updates("sendrecv");
    }

    /// Hands whom it talks to on to a number (RFC 5589 section 6.1).
    pub fn hands_on_to(&self, number: &str) {
        self.refers_to(&format!("<sip:{number}@plugboard.test>"));
    }

    /// Sends a REFER with this target.
    pub fn refers_to(&self, target: &str) {
        let index = self.find(|call| call.stage == Stage::Up).unwrap_or_else(|| self.nothing("to hand on"));
        self.agent.borrow_mut().refer(self.now(), index, target);
    }

    /// Connects whom it talks to in its first call that is up with whom it talks to in its last (RFC 5589 section 7.1).
    pub fn connects_its_calls(&self) {
        let replaces = self.last(Call::as_replaces).unwrap_or_else(|| self.nothing("to connect"));
        let escaped = replaces.replace(';', "%3B").replace('=', "%3D").replace('@', "%40");
        let first = self.agent.borrow().calls.iter().position(|call| call.stage == Stage::Up);
        let first = first.unwrap_or_else(|| self.nothing("to connect"));
        let target = format!("<sip:anybody@plugboard.test?Replaces={escaped}>");
        self.agent.borrow_mut().refer(self.now(), first, &target);
    }

    /// Takes the place of the last call of another phone (RFC 3891).
    pub fn takes_the_call_of(&self, other: &Self) {
        let replaces = other.last(Call::as_replaces).unwrap_or_else(|| self.nothing("to take"));
        self.agent.borrow_mut().dial_in_place(self.now(), "replaced", replaces);
    }

    /// The same, but only while it rings (RFC 3891 section 6.1, `early-only`), as the lamp of a phone does it.
    pub fn takes_early(&self, other: &Self) {
        let replaces = other.last(Call::as_replaces).unwrap_or_else(|| self.nothing("to take"));
        self.agent.borrow_mut().dial_in_place(self.now(), "replaced", format!("{replaces};early-only"));
    }

    /// Asks the switch for an offer: a re-INVITE without one, answered in the ACK (RFC 3261 section 14.1).
    pub fn asks_for_an_offer(&self) {
        let index = self.find(|call| call.stage == Stage::Up).unwrap_or_else(|| self.nothing("to change"));
        self.agent.borrow_mut().ask_for_offer(self.now(), index);
    }

    /// Calls a number without an offer; the answer comes with the ACK.
    pub fn dials_without_an_offer(&self, number: &str) {
        self.agent.borrow_mut().dial_without_offer(self.now(), number);
    }

    /// Keeps the session alive as it is: a re-INVITE that changes nothing (RFC 4028 section 7.4).
    pub fn refreshes(&self) {
        let direction = self.last(|call| call.direction).unwrap_or_else(|| self.nothing("to refresh"));
        self.reinvites(direction);
    }

    /// Says something within its last call: a request of this method, with this body, of which nothing is expected.
    pub fn says_within(&self, method: &str, content_type: &str, body: &str) {
        let index = self.find(|call| call.stage == Stage::Up).unwrap_or_else(|| self.nothing("to speak in"));
        self.agent.borrow_mut().say_within(self.now(), index, method, (content_type, body));
    }

    fn reinvites(&self, direction: &'static str) {
        let index = self.find(|call| call.stage == Stage::Up).unwrap_or_else(|| self.nothing("to change"));
        self.agent.borrow_mut().reinvite(self.now(), index, direction);
    }

    fn updates(&self, direction: &'static str) {
        let index = self.find(|call| call.stage == Stage::Up).unwrap_or_else(|| self.nothing("to change"));
        self.agent.borrow_mut().update(self.now(), index, direction);
    }

    /// Calls what is registered with it, for this number, with this number of his own.
    pub fn dials_registered(&self, number: &str, own: &str) {
        let mut agent = self.agent.borrow_mut();
        let contact = agent.contact_held.clone().unwrap_or_else(|| self.nothing("that is registered with it"));
        let (to, own) = (format!("<sip:{number}@carrier.test>"), format!("<sip:{own}@carrier.test>"));
        agent.dial_at(self.now(), &contact, &to, &own);
    }

    /// Calls this URI, whatever it is of.
    pub fn dials_uri(&self, uri: &str) {
        let mut agent = self.agent.borrow_mut();
        let own = agent.account.as_ref().map(|account| format!("<sip:{}@{}>", account.user, account.domain));
        let own = own.unwrap_or_else(|| self.nothing("without an account"));
        agent.dial_at(self.now(), uri, &format!("<{uri}>"), &own);
    }

    // ---- what a phone is like -------------------------------------------------------------------------------

    /// It refuses every call and every change of one with this status from now on.
    pub fn always_refuses(&self, status: u16) {
        self.agent.borrow_mut().set_manner(Manner::Refuses(status));
    }

    /// It answers OPTIONS with this status from now on.
    pub fn answers_options_with(&self, status: u16) {
        self.agent.borrow_mut().options = status;
    }

    /// Whoever calls it or registers with it must know this name and password.
    pub fn demands(&self, user: &str, password: &str) {
        let account = Account { user: user.into(), domain: "carrier.test".into(), password: password.into() };
        self.agent.borrow_mut().demands = Some(account);
    }

    /// Its plug is in again.
    pub fn is_plugged_in(&self) {
        self.agent.borrow_mut().set_manner(Manner::Rings);
    }

    /// Its INVITEs have this header from now on.
    pub fn says(&self, header: &str, value: &str) {
        self.agent.borrow_mut().says.push((header.into(), value.into()));
    }

    /// Its provisional responses say of sounds before the answer what this is (RFC 5009); nothing, from now on, when empty.
    pub fn says_of_early_media(&self, word: &str) {
        let said = (!word.is_empty()).then(|| ("P-Early-Media".to_owned(), word.to_owned()));
        self.agent.borrow_mut().says_early = said.into_iter().collect();
    }

    /// It says that it takes UPDATE, in calls from now on.
    pub fn allows_updates(&self) {
        self.agent.borrow_mut().allows = true;
    }

    /// Its sessions live for so long without a refresh, and the refreshes are its own; else they are the switch's (RFC 4028).
    pub fn keeps_time(&self, seconds: u32, refreshes: bool) {
        self.agent.borrow_mut().timer = Some((seconds, refreshes));
    }

    /// It takes no shorter sessions.
    pub fn takes_no_session_below(&self, seconds: u32) {
        self.agent.borrow_mut().min_se = seconds;
    }

    /// It answers 491 to an INVITE that crosses its own within a call (RFC 3261 section 14.2); others take it.
    pub fn minds_glare(&self) {
        self.agent.borrow_mut().minds = true;
    }

    /// From now on words that nobody else says are in every part of what it sends, and those of others are looked for in what the
    /// switch says to it.
    pub fn is_salted(&self) {
        self.agent.borrow().is_salted();
    }

    /// Whatever of one salted phone was found in what the switch said to another: which words, or its address or tag, in which
    /// message, to whom.
    pub fn salt_found(&self) -> Vec<String> {
        self.agent.borrow().salt_found()
    }

    /// It takes calls without a word until a person answers: no 180.
    pub fn keeps_quiet(&self) {
        self.agent.borrow_mut().set_manner(Manner::Quiet);
    }

    /// Its plug is pulled: it hears and says nothing any more, and forgets its calls.
    pub fn is_unplugged(&self) {
        self.agent.borrow_mut().set_manner(Manner::Unplugged);
    }

    /// It sends nothing in its last call from now on, as some phones do that are muted; or speaks again.
    pub fn is_muted(&self, muted: bool) {
        let mut agent = self.agent.borrow_mut();
        let call = agent.calls.last_mut().unwrap_or_else(|| panic!("there is no call to mute"));
        call.voice.muted = muted;
    }

    /// What it says in its last call, be that over or not, goes from now on to where that one sends its own: it sprays a port that is
    /// not its own, or goes on sending to one that is used again.
    pub fn aims_at(&self, other: &Self) {
        let to = other.sends_to();
        let (now, mut agent) = (self.now(), self.agent.borrow_mut());
        let call = agent.calls.last_mut().unwrap_or_else(|| panic!("there is no call whose audio could go astray"));
        call.voice.remote = to;
        call.voice.start(now);
    }

    /// Its provisional responses are to be acknowledged from now on, where the caller can (RFC 3262).
    pub fn rings_reliably(&self) {
        self.agent.borrow_mut().reliable = true;
    }

    /// It acknowledges no provisional response from now on, or does again.
    pub fn forgets_to_acknowledge(&self, forgets: bool) {
        self.agent.borrow_mut().pracks = !forgets;
    }

    /// It acknowledges a provisional response of its last call that nobody sent.
    pub fn acknowledges_nothing(&self) {
        let (now, index) = (self.now(), self.find(|call| !call.is_over()).unwrap_or_else(|| self.nothing("to change")));
        self.agent.borrow_mut().prack(now, index, 4_242, false);
    }

    /// It offers anew by UPDATE in its last call, which is not answered.
    pub fn updates_early(&self, direction: &'static str) {
        let (now, index) = (self.now(), self.find(|call| !call.is_over()).unwrap_or_else(|| self.nothing("to change")));
        self.agent.borrow_mut().update_early(now, index, direction);
    }

    /// The final status of its last PRACK, and how many of its own responses were acknowledged, in its last call.
    pub fn acknowledged(&self) -> (Option<u16>, usize) {
        let agent = self.agent.borrow();
        agent.calls.last().map_or((None, 0), |call| (call.pracked, call.acknowledged))
    }

    /// It does this about encryption, with this suite, in calls from now on.
    pub fn encrypts(&self, how: Encrypts, suite: Suite) {
        self.agent.borrow_mut().encrypts = (how, suite);
    }

    /// Its descriptions name another certificate than it shows, in calls from now on.
    pub fn lies_about_its_certificate(&self) {
        self.agent.borrow_mut().lies = true;
    }

    /// It has another key from its next description in its last call on.
    pub fn changes_its_key(&self) {
        let mut agent = self.agent.borrow_mut();
        let call = agent.calls.last_mut().unwrap_or_else(|| panic!("there is no call to change"));
        call.secrecy.letter = 'g';
    }

    /// Its next packets in its last call have another name for its stream (SSRC).
    pub fn changes_its_stream(&self) {
        let mut agent = self.agent.borrow_mut();
        let call = agent.calls.last_mut().unwrap_or_else(|| panic!("there is no call to change"));
        call.voice.changes_stream();
    }

    /// Its last call's packets are encrypted, both ways.
    pub fn is_encrypted(&self) -> bool {
        self.agent.borrow().calls.last().is_some_and(|call| call.secrecy.is_on())
    }

    /// It speaks this codec alone, in calls from now on.
    pub fn speaks_only(&self, codec: Codec) {
        self.agent.borrow_mut().codecs = vec![codec];
    }

    /// It knows no telephone-event: its keys are tones, in calls from now on.
    pub fn presses_tones(&self) {
        self.agent.borrow_mut().tones = true;
    }

    /// It speaks these codecs, the best first, in calls from now on.
    pub fn speaks(&self, codecs: &[Codec]) {
        self.agent.borrow_mut().codecs = codecs.into();
    }

    /// It speaks G.729 alone, in calls from now on.
    pub fn speaks_g729_only(&self) {
        self.agent.borrow_mut().codecs.clear();
    }

    /// It describes itself as browsers do, in calls from now on; its media never begins.
    pub fn is_browser(&self) {
        self.agent.borrow_mut().browser = true;
    }

    /// In its last call it describes keys alone from now on, and no codec: an answer that fits no offer.
    pub fn loses_its_codecs(&self) {
        let mut agent = self.agent.borrow_mut();
        let call = agent.calls.last_mut().unwrap_or_else(|| panic!("there is no call to change"));
        call.codecless = true;
    }

    /// It speaks over this connection from now on; the one that it spoke over before.
    pub(crate) fn speaks_over(&self, connection: Option<(Transport, u64)>) -> Option<(Transport, u64)> {
        std::mem::replace(&mut self.agent.borrow_mut().connection, connection)
    }

    /// The connection that the switch can open to it.
    pub(crate) fn listens(&self, connection: u64) {
        self.agent.borrow_mut().listens = Some(connection);
    }

    /// Where the media of its last call goes.
    pub(crate) fn sends_to(&self) -> Option<SocketAddr> {
        self.agent.borrow().calls.last().and_then(|call| call.voice.remote)
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.agent.borrow().address
    }

    /// Its password is another one from now on.
    pub fn has_password(&self, password: &str) {
        if let Some(account) = &mut self.agent.borrow_mut().account {
            password.clone_into(&mut account.password);
        }
    }

    /// It is another user's from now on, with this password.
    pub fn belongs_to(&self, user: &str, password: &str) {
        if let Some(account) = &mut self.agent.borrow_mut().account {
            user.clone_into(&mut account.user);
        }
        self.has_password(password);
    }

    // ---- what a person sees and hears -----------------------------------------------------------------------

    /// Its registration was accepted.
    pub fn is_registered(&self) -> impl Fn() -> bool + use<> {
        let phone = self.clone();
        move || matches!(phone.agent.borrow().registered, Some((200, _)))
    }

    /// The status of the answer to its registration, and how many contacts it names.
    pub fn registration(&self) -> Option<(u16, usize)> {
        self.agent.borrow().registered
    }

    /// A call rings.
    pub fn rings(&self) -> impl Fn() -> bool + use<> {
        self.sees(|call| call.stage == Stage::Ringing)
    }

    /// The call that it makes rings at the other end.
    pub fn hears_ringing(&self) -> impl Fn() -> bool + use<> {
        self.sees(|call| call.stage == Stage::Calling(180))
    }

    /// A call is up.
    pub fn talks(&self) -> impl Fn() -> bool + use<> {
        self.sees(|call| call.stage == Stage::Up)
    }

    /// No call is left.
    pub fn is_idle(&self) -> impl Fn() -> bool + use<> {
        let phone = self.clone();
        move || phone.agent.borrow().calls.iter().all(Call::is_over)
    }

    /// Its last call is over, with this status.
    pub fn was_told(&self, status: u16) -> impl Fn() -> bool + use<> {
        let phone = self.clone();
        move || phone.last(|call| call.stage) == Some(Stage::Over(status))
    }

    /// The other side answered its last re-INVITE.
    pub fn was_answered_again(&self) -> impl Fn() -> bool + use<> {
        let phone = self.clone();
        move || phone.last(|call| call.reinvited).flatten().is_some()
    }

    /// The sound of this name came within the last 100 ms: a phone's, a prompt's, or [`crate::TONE`].
    pub fn hears(&self, sound: &str) -> impl Fn() -> bool + use<> {
        let (phone, sound) = (self.clone(), sound.to_owned());
        move || phone.hears_now(&sound)
    }

    /// Nothing came within the last 100 ms.
    pub fn hears_nothing(&self) -> impl Fn() -> bool + use<> {
        let phone = self.clone();
        move || {
            let now = phone.now();
            phone.agent.borrow().heard.values().all(|at| now.since(*at) > JUST_NOW)
        }
    }

    /// As [`Phone::hears`], now.
    pub fn hears_now(&self, sound: &str) -> bool {
        let now = self.now();
        self.agent.borrow().heard.get(sound).is_some_and(|at| now.since(*at) <= JUST_NOW)
    }

    /// How many packets of a sound came.
    pub fn packets_of(&self, sound: &str) -> u64 {
        self.agent.borrow().packets.get(sound).copied().unwrap_or(0)
    }

    /// The keys that the other side pressed.
    pub fn keys(&self) -> String {
        self.agent.borrow().keys.clone()
    }

    /// The stages of its calls, oldest first.
    pub fn calls(&self) -> Vec<Stage> {
        self.agent.borrow().calls.iter().map(|call| call.stage).collect()
    }

    /// The Reason header of what ended its last call.
    pub fn reason(&self) -> Option<String> {
        self.last(|call| call.reason.clone()).flatten()
    }

    /// The final status of its last re-INVITE or UPDATE.
    pub fn reinvited(&self) -> Option<u16> {
        self.last(|call| call.reinvited).flatten()
    }

    /// The final status of its last REFER.
    pub fn referred(&self) -> Option<u16> {
        self.agent.borrow().calls.iter().rev().find_map(|call| call.referred)
    }

    /// The statuses that it was told of its last REFER.
    pub fn told_of_transfer(&self) -> Vec<u16> {
        let agent = self.agent.borrow();
        agent.calls.iter().rev().find(|call| !call.told.is_empty()).map(|call| call.told.clone()).unwrap_or_default()
    }

    /// Its last REFER came to this end.
    pub fn was_told_of_transfer(&self, status: u16) -> impl Fn() -> bool + use<> {
        let phone = self.clone();
        move || phone.told_of_transfer().last() == Some(&status)
    }

    /// Its last REFER was refused with this status.
    pub fn was_refused_transfer(&self, status: u16) -> impl Fn() -> bool + use<> {
        let phone = self.clone();
        move || phone.referred() == Some(status)
    }

    /// Whom its last call shows, since somebody said so within the call.
    pub fn shows(&self) -> Option<String> {
        self.last(|call| call.shown.clone()).flatten()
    }

    /// From of the last INVITE that came.
    pub fn caller(&self) -> Option<String> {
        self.last(|call| call.invite.headers.get("From").map(str::to_owned)).flatten()
    }

    /// The number of the last INVITE that came.
    pub fn called(&self) -> Option<String> {
        self.last(|call| call.invite.uri.user().map(|user| user.into_owned())).flatten()
    }

    /// The Request-URI of the last INVITE that came.
    pub fn called_at(&self) -> Option<String> {
        self.last(|call| call.invite.uri.to_string())
    }

    /// Every request with this method that came, as text.
    pub fn requests(&self, method: &str) -> Vec<String> {
        let agent = self.agent.borrow();
        let is_it = |text: &&String| text.split(' ').next() == Some(method);
        agent.requests.iter().filter(is_it).cloned().collect()
    }

    /// The `Warning` of each response that had one, the oldest first.
    pub fn warnings(&self) -> Vec<String> {
        self.agent.borrow().warnings.clone()
    }

    /// What every refusal said of when to try again (Retry-After), the oldest first.
    pub fn told_to_wait(&self) -> Vec<String> {
        self.agent.borrow().waits.clone()
    }

    /// A header of the last INVITE that came.
    pub fn was_told_of_caller(&self, header: &str) -> Option<String> {
        self.last(|call| call.invite.headers.get(header).map(str::to_owned)).flatten()
    }

    /// Every value of a header of the last INVITE that came.
    pub fn all_told_of_caller(&self, header: &str) -> Vec<String> {
        let all = |call: &Call| call.invite.headers.get_all(header).map(str::to_owned).collect();
        self.last(all).unwrap_or_default()
    }

    /// The Contact that is registered with it.
    pub fn holds_contact(&self) -> Option<String> {
        self.agent.borrow().contact_held.clone()
    }

    /// Something is registered with it.
    pub fn has_registration(&self) -> impl Fn() -> bool + use<> {
        let phone = self.clone();
        move || phone.agent.borrow().contact_held.is_some()
    }

    /// The proxies that the last INVITE is to pass on its way.
    pub fn routes(&self) -> Vec<String> {
        self.last(|call| call.invite.headers.get_all("Route").map(ToOwned::to_owned).collect()).unwrap_or_default()
    }

    /// Its name in the ladder.
    pub fn name(&self) -> String {
        self.agent.borrow().name.clone()
    }

    fn last<T>(&self, of: impl Fn(&Call) -> T) -> Option<T> {
        self.agent.borrow().calls.last().map(of)
    }

    fn sees(&self, what: fn(&Call) -> bool) -> impl Fn() -> bool + use<> {
        let phone = self.clone();
        move || phone.agent.borrow().calls.iter().any(what)
    }

    fn find(&self, what: fn(&Call) -> bool) -> Option<usize> {
        self.agent.borrow().calls.iter().rposition(what)
    }

    fn nothing(&self, why: &str) -> ! {
        panic!("{} has no call {why}: {:?}", self.name(), self.calls())
    }

    fn now(&self) -> Time {
        self.clock.now()
    }
}
