//! A caller of sipp's who asks a second one first and then connects both: the attended transfer of RFC 5359 section 2.5,
//! with one dialog a call, each with a Call-ID of its own (sipp takes what is before `///` for a part of it).

use crate::scenario::{either_is_answered, scenario, sdp, send};

/// What tells sipp's two dialogs apart.
struct Line {
    /// Before `///` in its Call-ID, and its own tag.
    name: &'static str,
    called: String,
}

impl Line {
    fn send(&self, method: &str, cseq: u8, user: &str, rest: &str) -> String {
        let Self { name, called } = self;
        // Before there is an answer, it knows neither the other tag nor the other's contact.
        let (target, tag) = match (method, cseq) {
            ("INVITE", 1 | 2) => (format!("sip:{called}@plugboard.test"), String::new()),
            ("ACK", 1) => (format!("sip:{called}@plugboard.test"), "[peer_tag_param]".to_owned()),
            _ => (format!("[${name}_contact]"), format!(";tag=[${name}_tag]")),
        };
        // The ACK of a refusal belongs to its transaction, every other one is a transaction of its own.
        let branch = if (method, cseq) == ("ACK", 1) { "[branch-3]" } else { "[branch]" };
        let message = format!(
            "{method} {target} SIP/2.0\nVia: SIP/2.0/[transport] [local_ip]:[local_port];branch={branch}\n\
             From: <sip:{user}@plugboard.test>;tag={name}\nTo: <sip:{called}@plugboard.test>{tag}\n\
             Call-ID: {name}///[call_id]\nCSeq: {cseq} {method}\n\
             Contact: <sip:{user}@[local_ip]:[local_port];transport=[transport]>\nMax-Forwards: 70\n{rest}"
        );
        send(&message, method != "ACK")
    }

    /// Calls, shows the password, and remembers where the other end is.
    fn is_called(&self, user: &str, password: &str) -> String {
        let empty = "Content-Length: 0\n\n";
        let credentials = format!("[authentication username={user} password={password}]\n{}", sdp(None));
        let name = self.name;
        [
            self.send("INVITE", 1, user, &sdp(None)),
            "<recv response=\"100\" optional=\"true\"/><recv response=\"407\" auth=\"true\"/>\n".into(),
            self.send("ACK", 1, user, empty),
            self.send("INVITE", 2, user, &credentials),
            "<recv response=\"100\" optional=\"true\"/><recv response=\"180\" optional=\"true\"/>".into(),
            format!(
                "<recv response=\"200\"><action>\
                 <ereg regexp=\"tag=([^;]*)\" search_in=\"hdr\" header=\"To:\" assign_to=\"{name}_all,{name}_tag\"/>\
                 <ereg regexp=\"sip:[^&gt;]*\" search_in=\"hdr\" header=\"Contact:\" assign_to=\"{name}_contact\"/>\
                 </action></recv>\n<Reference variables=\"{name}_all\"/>\n"
            ),
            self.send("ACK", 2, user, empty),
        ]
        .concat()
    }
}

/// A user calls `first`, puts him on hold, calls `second`, connects them, and is out of it.
pub(crate) fn xml(user: &str, password: &str, first: &str, second: &str) -> String {
    let (one, two) = (Line { name: "one", called: first.to_owned() }, Line { name: "two", called: second.to_owned() });
    // RFC 3891 section 6: as a part of a URI, a semicolon and an equals sign are escaped.
    let refer = format!(
        "Refer-To: <sip:{second}@plugboard.test?Replaces=two///[call_id]%3Bto-tag%3D[$two_tag]%3Bfrom-tag%3Dtwo>\n\
         Referred-By: <sip:{user}@plugboard.test>\nSupported: replaces\nContent-Length: 0\n\n"
    );
    let steps = [
        one.is_called(user, password),
        one.send("INVITE", 3, user, &format!("{}a=sendonly\n", sdp(None))),
        "<recv response=\"100\" optional=\"true\"/><recv response=\"200\"/>\n".into(),
        one.send("ACK", 3, user, "Content-Length: 0\n\n"),
        two.is_called(user, password),
        one.send("REFER", 4, user, &refer),
        "<recv response=\"202\"/>\n".into(),
        // Each dialog is told and ended by itself: which of them is first is open.
        (1..=4).map(|place| either_is_answered(["NOTIFY", "BYE"], place)).collect(),
    ];
    scenario("consultation", &steps.concat())
}
