//! The calls of somebody, as lamps show them.
//!
//! Source: RFC 4235.

use super::xml::Xml;

/// Dialogs in one body: a person has two or three calls, and a datagram has room for so many.
pub const DIALOGS_MAX: usize = 8;

/// Every call of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialogInfo {
    /// The resource's URI.
    pub entity: String,
    /// Its calls, at most [`DIALOGS_MAX`] of which are told: the first.
    pub dialogs: Vec<EventDialog>,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventDialog {
    /// The same as long as the call goes on, and no other call's of this resource.
    pub id: String,
    /// How far it is.
    pub state: DialogState,
    /// Who began it.
    pub direction: Direction,
    /// Call-ID, the resource's tag and the other end's: for who may take the call's place by Replaces. None: nobody may.
    pub replaces: Option<[String; 3]>,
    /// Whoever is at the other end, where that is shown.
    pub remote: Option<Party>,
}

/// An end of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// The name; empty when there is none.
    pub name: String,
    /// The address.
    pub uri: String,
}

/// How far a call is (RFC 4235 section 3.7.1). One that is over is no longer told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DialogState {
    /// It begins.
    Trying,
    /// It rings.
    Early,
    /// They talk.
    Confirmed,
}

/// Who began a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// The resource.
    Initiator,
    /// The other end.
    Recipient,
}

impl DialogState {
    const fn name(self) -> &'static str {
        match self {
            Self::Trying => "trying",
            Self::Early => "early",
            Self::Confirmed => "confirmed",
        }
    }
}

impl DialogInfo {
    /// The document, always whole. Its version is one above that of the last one (RFC 4235 section 4.1).
    pub(super) fn write(&self, version: u32) -> Vec<u8> {
        let mut xml = Xml::new("UTF-8");
        let version = version.to_string();
        xml.open(
            "dialog-info",
            &[
                ("xmlns", "urn:ietf:params:xml:ns:dialog-info"),
                ("version", &version),
                ("state", "full"),
                ("entity", &self.entity),
            ],
        );
        for dialog in self.dialogs.iter().take(DIALOGS_MAX) {
            dialog.write(&self.entity, &mut xml);
        }
        xml.close("dialog-info");
        xml.finish()
    }
}

impl EventDialog {
    fn write(&self, entity: &str, xml: &mut Xml) {
        let mut attributes: Vec<(&str, &str)> = vec![("id", &self.id)];
        if let Some([call_id, local, remote]) = &self.replaces {
            attributes.extend([("call-id", &**call_id), ("local-tag", local), ("remote-tag", remote)]);
        }
        let direction = match self.direction {
            Direction::Initiator => "initiator",
            Direction::Recipient => "recipient",
        };
        attributes.push(("direction", direction));
        xml.open("dialog", &attributes);
        xml.leaf("state", &[], self.state.name());
        xml.open("local", &[]);
        xml.leaf("identity", &[], entity);
        xml.empty("target", &[("uri", entity)]);
        xml.close("local");
        if let Some(remote) = &self.remote {
            let display: &[(&str, &str)] = &[("display", &remote.name)];
            xml.open("remote", &[]);
            xml.leaf("identity", if remote.name.is_empty() { &[] } else { display }, &remote.uri);
            xml.empty("target", &[("uri", &remote.uri)]);
            xml.close("remote");
        }
        xml.close("dialog");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ringing(id: &str) -> EventDialog {
        EventDialog {
            id: id.into(),
            state: DialogState::Early,
            direction: Direction::Recipient,
            replaces: Some(["s0-1&2".into(), "bob".into(), "1f-0".into()]),
            remote: Some(Party { name: "Ann \"<A>\"".into(), uri: "sip:101@plugboard.test".into() }),
        }
    }

    #[test]
    fn a_call_that_rings_is_told_with_what_picks_it_up() {
        let info = DialogInfo { entity: "sip:102@plugboard.test".into(), dialogs: vec![ringing("1")] };
        insta::assert_snapshot!(String::from_utf8(info.write(7)).unwrap(), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="7" state="full" entity="sip:102@plugboard.test"><dialog id="1" call-id="s0-1&amp;2" local-tag="bob" remote-tag="1f-0" direction="recipient"><state>early</state><local><identity>sip:102@plugboard.test</identity><target uri="sip:102@plugboard.test"/></local><remote><identity display="Ann &quot;&lt;A&gt;&quot;">sip:101@plugboard.test</identity><target uri="sip:101@plugboard.test"/></remote></dialog></dialog-info>
        "#);
    }

    #[test]
    fn whoever_is_not_shown_is_not_told_and_no_more_calls_than_a_datagram_has_room_for() {
        let hidden = EventDialog { replaces: None, remote: None, ..ringing("1") };
        let info = DialogInfo { entity: "sip:102@h".into(), dialogs: vec![hidden; 20] };
        let text = String::from_utf8(info.write(0)).unwrap();
        assert!(!text.contains("<remote>") && !text.contains("call-id"));
        assert_eq!(text.matches("<dialog ").count(), DIALOGS_MAX);
        let full = DialogInfo { entity: "sip:102@plugboard.test".into(), dialogs: vec![ringing("1"); 20] };
        assert!(full.write(0).len() < crate::limits::UDP_BYTES_MAX / 2);
    }
}
