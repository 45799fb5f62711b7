//! How somebody is, written for watchers and read from devices.
//!
//! Source: RFC 3863 (PIDF), RFC 4479 (person), RFC 4480 (activities).

use super::xml::{Xml, XmlFault, children, read, text};

/// The longest note that is taken over from a device, in characters: a line on a phone's screen and some to spare.
const NOTE_LEN_MAX: usize = 80;

/// What somebody does (RFC 4480 section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Activity {
    /// He talks.
    OnThePhone,
    /// He does not want to be disturbed, or is occupied.
    Busy,
    /// He is not there.
    Away,
    /// He is at table.
    Meal,
    /// He sits in a meeting.
    Meeting,
}

/// How a user is, as watchers are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// His URI.
    pub entity: String,
    /// Whether a call reaches him.
    pub open: bool,
    /// What he does, the most telling first.
    pub activities: Vec<Activity>,
    /// In words; empty when there is nothing to say.
    pub note: String,
}

/// What a device says of its user.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Published {
    /// What he does, by what it says.
    pub activities: Vec<Activity>,
    /// It says that he does not want to be disturbed.
    pub do_not_disturb: bool,
    /// In his own words, cut to a line.
    pub note: Option<String>,
}

impl Activity {
    const ALL: [Self; 5] = [Self::OnThePhone, Self::Busy, Self::Away, Self::Meal, Self::Meeting];

    const fn name(self) -> &'static str {
        match self {
            Self::OnThePhone => "on-the-phone",
            Self::Busy => "busy",
            Self::Away => "away",
            Self::Meal => "meal",
            Self::Meeting => "meeting",
        }
    }
}

impl Presence {
    pub(super) fn write(&self) -> Vec<u8> {
        let mut xml = Xml::new("UTF-8");
        xml.open(
            "presence",
            &[
                ("xmlns", "urn:ietf:params:xml:ns:pidf"),
                ("xmlns:dm", "urn:ietf:params:xml:ns:pidf:data-model"),
                ("xmlns:rpid", "urn:ietf:params:xml:ns:pidf:rpid"),
                ("entity", &self.entity),
            ],
        );
        xml.open("tuple", &[("id", "t1")]);
        xml.open("status", &[]);
        xml.leaf("basic", &[], if self.open { "open" } else { "closed" });
        xml.close("status");
        xml.leaf("contact", &[], &self.entity);
        if !self.note.is_empty() {
            xml.leaf("note", &[], &self.note);
        }
        xml.close("tuple");
        xml.open("dm:person", &[("id", "p1")]);
        xml.open("rpid:activities", &[]);
        for activity in &self.activities {
            xml.empty(&format!("rpid:{}", activity.name()), &[]);
        }
        if self.activities.is_empty() {
            xml.empty("rpid:unknown", &[]);
        }
        xml.close("rpid:activities");
        xml.close("dm:person");
        xml.close("presence");
        xml.finish()
    }
}

impl Published {
    /// Reads what a device publishes. Activities stand under a person, or, with older devices, under a tuple or its status.
    ///
    /// # Errors
    /// [`XmlFault`]: 400.
    pub fn read(body: &[u8]) -> Result<Self, XmlFault> {
        read(body, |root| {
            if root.tag_name().name() != "presence" {
                return Err(XmlFault::Lacks("presence"));
            }
            let mut published = Self::default();
            for node in root.descendants().filter(|node| node.tag_name().name() == "activities") {
                for activity in node.children().filter(roxmltree::Node::is_element) {
                    let name = activity.tag_name().name();
                    // RFC 4480 has no word for it; those who have one spell it so.
                    if matches!(name, "dnd" | "do-not-disturb") {
                        published.do_not_disturb = true;
                    }
                    let known = Activity::ALL.into_iter().find(|known| known.name() == name);
                    published.activities.extend(known.filter(|known| !published.activities.contains(known)));
                }
            }
            let place = |name| children(root, name).find_map(|node| text(node, "note"));
            let note = place("tuple").or_else(|| place("person")).or_else(|| text(root, "note"));
            published.note = note.filter(|note| !note.is_empty()).map(|note| note.chars().take(NOTE_LEN_MAX).collect());
            Ok(published)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_on_the_phone_is_told_and_read_back() {
        let presence = Presence {
            entity: "sip:102@plugboard.test".into(),
            open: true,
            activities: vec![Activity::OnThePhone, Activity::Away],
            note: "On the phone & away".into(),
        };
        insta::assert_snapshot!(String::from_utf8(presence.write()).unwrap(), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <presence xmlns="urn:ietf:params:xml:ns:pidf" xmlns:dm="urn:ietf:params:xml:ns:pidf:data-model" xmlns:rpid="urn:ietf:params:xml:ns:pidf:rpid" entity="sip:102@plugboard.test"><tuple id="t1"><status><basic>open</basic></status><contact>sip:102@plugboard.test</contact><note>On the phone &amp; away</note></tuple><dm:person id="p1"><rpid:activities><rpid:on-the-phone/><rpid:away/></rpid:activities></dm:person></presence>
        "#);
        let back = Published::read(&presence.write()).unwrap();
        assert_eq!(back.activities, presence.activities);
        assert_eq!((back.note.as_deref(), back.do_not_disturb), (Some("On the phone & away"), false));
    }

    #[test]
    fn what_devices_publish_is_read_wherever_they_put_it() {
        let of = |inner: &str| {
            let body = format!("<?xml version='1.0'?>\n<presence xmlns='urn:x' entity='sip:102@h'>{inner}</presence>");
            Published::read(body.as_bytes()).unwrap()
        };
        let in_status = of("<tuple id='a'><status><basic>open</basic><e:activities xmlns:e='urn:y'><e:busy/><e:dnd/>\
                            <e:busy/></e:activities></status><note> Back at 3 </note></tuple>");
        assert_eq!(in_status.activities, [Activity::Busy]);
        assert!(in_status.do_not_disturb);
        assert_eq!(in_status.note.as_deref(), Some("Back at 3"));
        assert_eq!(of("<tuple id='a'><status><basic>closed</basic></status></tuple>"), Published::default());
        assert_eq!(of(&format!("<note>{}</note>", "x".repeat(500))).note.map(|note| note.len()), Some(NOTE_LEN_MAX));
        assert_eq!(Published::read(b"<other/>"), Err(XmlFault::Lacks("presence")));
    }
}
