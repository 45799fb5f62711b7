//! What sipp does, in sipp's own language.
//!
//! Source: <https://sipp.readthedocs.io/en/latest/scenarios/>, sipp 3.6.

use std::path::Path;
use std::time::Duration;

/// The codecs of a leg, as SDP has them, and where it hears. A stream has a port of its own in sipp, which is opened when
/// its keyword is used.
pub(crate) fn sdp(talk: Option<&String>) -> String {
    let port = if talk.is_some() { "rtpstream_audio_port" } else { "hears" };
    format!(
        "Content-Type: application/sdp\nContent-Length: [len]\n\nv=0\no=u 1 1 IN IP[media_ip_type] [media_ip]\ns=-\n\
         c=IN IP[media_ip_type] [media_ip]\nt=0 0\nm=audio [{port}] RTP/AVP 0 101\na=rtpmap:0 PCMU/8000\n\
         a=rtpmap:101 telephone-event/8000\n"
    )
}

/// The end of a call, as sipp has it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    /// It hangs up after a while.
    HangsUp(Duration),
    /// It waits until the other side hangs up.
    Waits,
}

/// A caller.
#[derive(Debug, Clone)]
pub struct Call {
    user: String,
    password: Option<String>,
    called: String,
    expect: u16,
    talk: Option<String>,
    holds: bool,
    key: Option<char>,
    end: End,
}

/// How often a key is pressed, and how long after each other: who presses does not know when somebody listens to it.
const PRESSES: (u8, Duration) = (100, Duration::from_millis(100));

impl Call {
    /// A user calls a number, shows his password when asked, and hangs up after a second.
    pub fn new(user: &str, password: &str, called: &str) -> Self {
        Self { password: Some(password.to_owned()), ..Self::without_password(user, called) }
    }

    /// Somebody calls a number and knows no password: a gateway, or a stranger.
    pub fn without_password(user: &str, called: &str) -> Self {
        let end = End::HangsUp(Duration::from_secs(1));
        Self {
            user: user.to_owned(),
            password: None,
            called: called.to_owned(),
            expect: 200,
            talk: None,
            holds: false,
            key: None,
            end,
        }
    }

    /// The last response that the caller gets instead of an answer.
    #[must_use]
    pub fn gets(mut self, status: u16) -> Self {
        self.expect = status;
        self
    }

    /// He sends this file (raw PCMU) when he is answered.
    #[must_use]
    pub fn talks(mut self, file: &Path) -> Self {
        self.talk = Some(file.display().to_string());
        self
    }

    /// He holds and resumes, each by a re-INVITE, before he talks on.
    #[must_use]
    pub fn holds(mut self) -> Self {
        self.holds = true;
        self
    }

    /// He presses a key again and again for ten seconds, by INFO (`application/dtmf-relay`).
    #[must_use]
    pub const fn presses(mut self, key: char) -> Self {
        self.key = Some(key);
        self
    }

    /// He talks so long.
    #[must_use]
    pub fn lasts(mut self, time: Duration) -> Self {
        self.end = End::HangsUp(time);
        self
    }

    /// He talks until the other side, or the switch, hangs up.
    #[must_use]
    pub fn stays(mut self) -> Self {
        self.end = End::Waits;
        self
    }

    /// The credentials, as sipp's keyword.
    fn credentials(&self) -> Option<String> {
        self.password.as_ref().map(|word| format!("[authentication username={} password={word}]", self.user))
    }

    fn request(&self, method: &str, cseq: u8, to: &str, branch: &str, rest: &str) -> String {
        let target = if to.contains("last_To") {
            "[next_url]".to_owned()
        } else {
            format!("sip:{}@plugboard.test", self.called)
        };
        let (user, to) = (&self.user, to.replace("{called}", &self.called));
        format!(
            "{method} {target} SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}\n\
             From: <sip:{user}@plugboard.test>;tag=[pid]-[call_number]\n{to}\nCall-ID: [call_id]\nCSeq: {cseq} {method}\n\
             Contact: <sip:{user}@[local_ip]:[local_port];transport=[transport]>\nMax-Forwards: 70\n{routes}{rest}",
            // Those that a proxy noted; without one there is no such line.
            routes = if to.contains("last_To") { "[routes]\n" } else { "" },
        )
    }

    /// The whole scenario.
    pub fn xml(&self) -> String {
        let to = "To: <sip:{called}@plugboard.test>";
        let to_tagged = "To: <sip:{called}@plugboard.test>[peer_tag_param]";
        let empty = "Content-Length: 0\n\n";
        let sdp = sdp(self.talk.as_ref());
        let (mut steps, mut cseq) = (String::new(), 1);
        steps += &send(&self.request("INVITE", cseq, to, "[branch]", &sdp), true);
        if let Some(credentials) = self.credentials() {
            steps += "<recv response=\"100\" optional=\"true\"/><recv response=\"407\" auth=\"true\"/>\n";
            steps += &send(&self.request("ACK", cseq, to_tagged, "[branch-3]", empty), false);
            cseq += 1;
            steps += &send(&self.request("INVITE", cseq, to, "[branch]", &format!("{credentials}\n{sdp}")), true);
        }
        steps += "<recv response=\"100\" optional=\"true\"/><recv response=\"180\" optional=\"true\"/>\
                  <recv response=\"183\" optional=\"true\"/>\n";
        if self.expect >= 300 {
            steps += &response(self.expect, "");
            steps += &send(&self.request("ACK", cseq, to_tagged, "[branch-4]", empty), false);
            return scenario("call", &steps);
        }
        steps += &response(self.expect, " rrs=\"true\"");
        steps += &send(&self.request("ACK", cseq, "[last_To:]", "[branch]", empty), false);
        for direction in ["a=sendonly\n", "a=sendrecv\n"].iter().filter(|_| self.holds) {
            cseq += 1;
            let sdp = sdp.clone() + direction;
            steps += &send(&self.request("INVITE", cseq, "[last_To:]", "[branch]", &sdp), true);
            steps += "<recv response=\"100\" optional=\"true\"/>\n";
            steps += &response(200, " rrs=\"true\"");
            steps += &send(&self.request("ACK", cseq, "[last_To:]", "[branch]", empty), false);
        }
        steps += &talk(self.talk.as_deref());
        if let Some(key) = self.key {
            let body =
                format!("Content-Type: application/dtmf-relay\nContent-Length: [len]\n\nSignal={key}\nDuration=100\n");
            for _ in 0..PRESSES.0 {
                cseq += 1;
                steps += &send(&self.request("INFO", cseq, "[last_To:]", "[branch]", &body), true);
                steps += "<recv response=\"200\"/>\n";
                steps += &pause(PRESSES.1);
            }
        }
        match self.end {
            End::HangsUp(after) => {
                steps += &pause(after);
                steps += &send(&self.request("BYE", cseq + 1, "[last_To:]", "[branch]", empty), true);
                steps += "<recv response=\"200\"/>\n";
            }
            End::Waits => steps += &hung_up(),
        }
        scenario("call", &steps)
    }
}

/// A callee.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    talk: Option<String>,
    hangs_up_after: Option<Duration>,
    rings_only: bool,
}

impl Answer {
    /// It rings, answers, and waits until the caller hangs up.
    pub fn new() -> Self {
        Self::default()
    }

    /// It sends this file (raw PCMU) when it has answered.
    #[must_use]
    pub fn talks(mut self, file: &Path) -> Self {
        self.talk = Some(file.display().to_string());
        self
    }

    /// It hangs up first.
    #[must_use]
    pub fn hangs_up_after(mut self, time: Duration) -> Self {
        self.hangs_up_after = Some(time);
        self
    }

    /// It rings until it is cancelled.
    #[must_use]
    pub fn rings_only(mut self) -> Self {
        self.rings_only = true;
        self
    }

    /// The whole scenario.
    pub fn xml(&self) -> String {
        // What a proxy noted goes back; without one there is no such line.
        let copied = "[last_Via:]\n[last_Record-Route:]\n[last_From:]\n[last_To:];tag=[pid]-[call_number]\n[last_Call-ID:]\n[last_CSeq:]\n\
                      Contact: <sip:[local_ip]:[local_port];transport=[transport]>\n";
        let mut steps = String::from("<recv request=\"INVITE\" rrs=\"true\"/>\n");
        steps += &send(&format!("SIP/2.0 180 Ringing\n{copied}Content-Length: 0\n\n"), false);
        if self.rings_only {
            steps += "<recv request=\"CANCEL\"/>\n";
            steps += &send(&copied_into("200 OK", "[last_To:]", "[last_CSeq:]"), false);
            // RFC 3261 section 9.2: the INVITE is answered as well. Its Via is that of the CANCEL.
            let tagged = "[last_To:];tag=[pid]-[call_number]";
            steps += &send(&copied_into("487 Request Terminated", tagged, "CSeq: [$cseq] INVITE"), true);
            steps += "<recv request=\"ACK\"/>\n";
            let heard = "<recv request=\"INVITE\" rrs=\"true\"><action><ereg regexp=\"[0-9]+\" search_in=\"hdr\" \
                         header=\"CSeq:\" assign_to=\"cseq\"/></action></recv>";
            steps = steps.replacen("<recv request=\"INVITE\" rrs=\"true\"/>", heard, 1);
            return scenario("ring", &steps);
        }
        steps += &send(&format!("SIP/2.0 200 OK\n{copied}{}", sdp(self.talk.as_ref())), true);
        steps += "<recv request=\"ACK\"/>\n";
        steps += &talk(self.talk.as_deref());
        match self.hangs_up_after {
            None => steps += &hung_up(),
            Some(time) => {
                steps += &pause(time);
                // The switch's From of the INVITE is our To now, and the reverse.
                steps += &send(
                    "BYE [next_url] SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n\
                     From[$to];tag=[pid]-[call_number]\nTo[$from]\nCall-ID: [call_id]\nCSeq: 1 BYE\nMax-Forwards: 70\n[routes]\n\
                     Content-Length: 0\n\n",
                    true,
                );
                steps += "<recv response=\"200\"/>\n";
                let heard = "<recv request=\"INVITE\" rrs=\"true\"><action>\
                             <ereg regexp=\":.*\" search_in=\"hdr\" header=\"To\" assign_to=\"to\"/>\
                             <ereg regexp=\":.*\" search_in=\"hdr\" header=\"From\" assign_to=\"from\"/></action></recv>";
                steps = steps.replacen("<recv request=\"INVITE\" rrs=\"true\"/>", heard, 1);
            }
        }
        scenario("answer", &steps)
    }
}

/// Registers a user; `params` are more of the URI in his contact.
pub(crate) fn registration(user: &str, password: &str, params: &str) -> String {
    scenario("register", &registers(user, password, params))
}

/// The same, and waits for what never comes.
pub(crate) fn registration_that_stays(user: &str, password: &str, params: &str) -> String {
    scenario("register", &(registers(user, password, params) + "<recv request=\"BYE\"/>\n"))
}

fn registers(user: &str, password: &str, params: &str) -> String {
    let request = |cseq: u8, credentials: &str| {
        format!(
            "REGISTER sip:plugboard.test SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n\
             From: <sip:{user}@plugboard.test>;tag=[pid]-[call_number]\nTo: <sip:{user}@plugboard.test>\n\
             Call-ID: [call_id]\nCSeq: {cseq} REGISTER\nContact: <sip:{user}@[local_ip]:[local_port]{params}>\n\
             Max-Forwards: 70\nExpires: 600\n{credentials}Content-Length: 0\n\n"
        )
    };
    let credentials = format!("[authentication username={user} password={password}]\n");
    let mut steps = send(&request(1, ""), true);
    steps += "<recv response=\"401\" auth=\"true\"/>\n";
    steps += &send(&request(2, &credentials), true);
    steps + "<recv response=\"200\"/>\n"
}

/// A subscription that is told so often, and is ended then.
pub(crate) fn subscription(user: &str, password: &str, number: &str, event: &str, told: usize) -> String {
    let request = |cseq: u8, to: &str, expires: u16, credentials: &str| {
        format!(
            "SUBSCRIBE sip:{number}@plugboard.test SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n\
             From: <sip:{user}@plugboard.test>;tag=[pid]-[call_number]\nTo: <sip:{number}@plugboard.test>{to}\n\
             Call-ID: [call_id]\nCSeq: {cseq} SUBSCRIBE\nContact: <sip:{user}@[local_ip]:[local_port]>\nEvent: {event}\n\
             Max-Forwards: 70\nExpires: {expires}\n{credentials}Content-Length: 0\n\n"
        )
    };
    let credentials = format!("[authentication username={user} password={password}]\n");
    let mut steps = send(&request(1, "", 600, ""), true);
    steps += "<recv response=\"401\" auth=\"true\"/>\n";
    steps += &send(&request(2, "", 600, &credentials), true);
    steps += "<recv response=\"200\"/>\n";
    for _ in 0..told {
        steps += &request_is_answered("NOTIFY");
    }
    steps += &send(&request(3, "[peer_tag_param]", 0, ""), true);
    steps += "<recv response=\"200\"/>\n";
    steps += &request_is_answered("NOTIFY");
    scenario("watch", &steps)
}

fn response(status: u16, how: &str) -> String {
    format!("<recv response=\"{status}\"{how}/>\n")
}

fn pause(time: Duration) -> String {
    format!("<pause milliseconds=\"{}\"/>\n", time.as_millis())
}

fn hung_up() -> String {
    request_is_answered("BYE")
}

/// A request comes, and gets 200.
pub(crate) fn request_is_answered(method: &str) -> String {
    let answer = send(&copied_into("200 OK", "[last_To:]", "[last_CSeq:]"), false);
    format!("<recv request=\"{method}\"/>\n{answer}")
}

/// One of two requests comes, and gets 200. `place` is another number for each such place of a scenario.
pub(crate) fn either_is_answered([one, other]: [&str; 2], place: u32) -> String {
    let answer = send(&copied_into("200 OK", "[last_To:]", "[last_CSeq:]"), false);
    format!(
        "<recv request=\"{one}\" optional=\"true\" next=\"{place}\"/>\n<recv request=\"{other}\"/>\n\
         <label id=\"{place}\"/>\n{answer}"
    )
}

/// A response to the last request.
fn copied_into(status: &str, to: &str, cseq: &str) -> String {
    format!("SIP/2.0 {status}\n[last_Via:]\n[last_From:]\n{to}\n[last_Call-ID:]\n{cseq}\nContent-Length: 0\n\n")
}

pub(crate) fn send(message: &str, repeated: bool) -> String {
    let retrans = if repeated { " retrans=\"500\"" } else { "" };
    format!("<send{retrans}><![CDATA[\n{message}]]></send>\n")
}

fn talk(file: Option<&str>) -> String {
    file.map_or_else(String::new, |file| format!("<nop><action><exec rtp_stream=\"{file},1,0\"/></action></nop>\n"))
}

pub(crate) fn scenario(name: &str, steps: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"ISO-8859-1\" ?>\n<scenario name=\"{name}\">\n{steps}</scenario>\n")
}
