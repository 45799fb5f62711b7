//! What goes wrong in a simulation.

use plugboard_media::Command as MediaCommand;
use plugboard_model::{DatabaseError, DatabaseRows, HttpError, HttpRequest, HttpResponse, Notice, NoticeEnd, Time};
use plugboard_sip::flow::{Flow, Transport};
use plugboard_switch::{DatabaseQuestion, WebRequest};
use std::net::SocketAddr;
use std::time::Duration;

use super::Sim;
use crate::network::{Packet, Payload, Weather};
use crate::phone::Phone;

impl Sim {
    /// How the network is from now on.
    pub fn weather(&self, weather: Weather) {
        self.world.network.set_weather(weather);
    }

    /// What DNS says from now on, a record a line: name, time to live in seconds, type, and what it says. `NAPTR` has order,
    /// preference, service and next name, `SRV` priority, weight, port and host. `FAIL` in place of all that: no server
    /// knows; `SILENT`: none answers.
    pub fn zone_is(&self, records: &str) {
        self.world.names.zone_is(records);
    }

    /// The apps that push services were asked to wake so far, in order.
    pub fn devices_woken(&self) -> Vec<String> {
        self.world.pushes.woken()
    }

    /// A push service knows this app no more.
    pub fn push_service_forgets(&self, prid: &str) {
        self.world.pushes.forgets(prid);
    }

    /// What services of the web answer from now on, and after how long.
    pub fn site_is(
        &self,
        site: impl FnMut(&HttpRequest) -> (Duration, Result<HttpResponse, HttpError>) + Send + 'static,
    ) {
        self.world.sites.site_is(Box::new(site));
    }

    /// What was asked of services of the web, in this order.
    pub fn sites_asked(&self) -> Vec<WebRequest> {
        self.world.sites.asked()
    }

    /// What databases answer from now on, and after how long.
    pub fn tables_are(
        &self,
        tables: impl FnMut(&DatabaseQuestion) -> (Duration, Result<DatabaseRows, DatabaseError>) + Send + 'static,
    ) {
        self.world.databases.tables_are(Box::new(tables));
    }

    /// What databases were asked, in this order.
    pub fn databases_asked(&self) -> Vec<DatabaseQuestion> {
        self.world.databases.asked()
    }

    /// What becomes of mails, text messages and posts from now on, and after how long; unless said, they are taken in 50 ms.
    pub fn carrier_is(&self, carrier: impl FnMut(&Notice) -> (Duration, NoticeEnd) + Send + 'static) {
        self.world.carrier.carrier_is(Box::new(carrier));
    }

    /// The mails, text messages and posts that were to leave, in this order, each with when.
    pub fn carried(&self) -> Vec<(Time, Notice)> {
        self.world.carrier.carried()
    }

    /// What DNS was asked so far, in order.
    pub fn names_asked(&self) -> Vec<String> {
        self.world.names.asked()
    }

    /// The next `times` messages whose ladder line has these words are lost.
    pub fn loses(&self, words: &str, times: usize) {
        self.world.network.lose(words, times);
    }

    /// The phone's connection to the switch breaks, if it has one, and what it says is lost.
    pub fn disconnects(&self, phone: &Phone) {
        if let Some((transport, connection)) = phone.speaks_over(None) {
            self.world.network.disconnect(connection);
            let remote = phone.address();
            let local = self.world.network.switch(remote.ip());
            self.world.router.closed(Flow { transport, local, remote, connection });
        }
    }

    /// The phone's host is there and its program is not: of each datagram it says that nobody takes it (ICMP). Or it is back.
    pub fn closes_port(&self, phone: &Phone, closed: bool) {
        self.world.network.take_nothing(phone.address(), closed);
    }

    /// Somebody else on the phone's host, or behind the same NAT, sends this from a port of his own to where the audio of its last
    /// call goes.
    pub fn strays(&self, phone: &Phone, bytes: Vec<u8>) {
        let to = phone.sends_to().unwrap_or_else(|| panic!("{} has no call", phone.address()));
        let from = SocketAddr::new(phone.address().ip(), 7_777);
        self.world.network.send(Packet { from, to, payload: Payload::Rtp(bytes) });
    }

    /// Somebody says in the phone's name that it took nothing of this.
    pub fn forges_undelivered(&self, phone: &Phone, quoted: &str) {
        let flow = Flow::udp(self.world.network.switch(phone.address().ip()), phone.address());
        self.world.router.undelivered(flow, quoted.to_owned().into());
    }

    /// The phone opens a TCP connection and speaks over it from now on.
    pub fn connects(&self, phone: &Phone) {
        self.connects_over(phone, Transport::Tcp);
    }

    /// The same over another transport; over WebSocket it is a browser and knows no address of its own.
    pub fn connects_over(&self, phone: &Phone, transport: Transport) {
        self.disconnects(phone);
        phone.speaks_over(Some((transport, self.world.network.connect())));
    }

    /// The switch can open a TCP connection to the phone from now on; what comes over one is answered over one.
    pub fn takes_connections(&self, phone: &Phone) {
        phone.listens(self.world.network.connect());
        self.world.network.takes_streams(phone.address(), false);
    }

    /// What the switch sends over TCP to this address is swallowed from now on, as by a firewall.
    pub fn swallows_connections(&self, phone: &Phone) {
        self.world.network.takes_streams(phone.address(), true);
    }

    /// From now on the switch's messages whose ladder line has these words are longer than a datagram can be.
    pub fn finds_too_long(&self, words: &str) {
        self.world.network.too_long(words);
    }

    /// From now on each message has waited so long when the switch looks at it, as on a machine that does not keep up.
    pub fn messages_wait(&self, time: Duration) {
        self.world.waits.set(time);
    }

    /// The media plane panics in the hands of whoever gives it the next command for which this is true.
    pub fn media_breaks_on(&self, fault: impl Fn(&MediaCommand) -> bool + Send + 'static) {
        self.world.media.break_on(Box::new(fault));
    }

    /// A media thread breaks amid the next command for which this is true: the media of its leg ends.
    pub fn media_fails_on(&self, fails: impl Fn(&MediaCommand) -> bool + Send + 'static) {
        self.world.media.fail_on(Box::new(fails));
    }

    /// From now on nothing reads words aloud, as where no speech engine is installed.
    pub fn loses_its_voice(&self) {
        self.records.lose_voice();
    }

    /// From now on there is no such prompt: its file is gone.
    pub fn loses_prompt(&self, name: &str) {
        self.records.remove(name);
    }
}
