//! A phone's own keys: do-not-disturb and forwards, told to it and asked by it.
//!
//! Source: ECMA-323 (CSTA XML, edition 3), whose `SetDoNotDisturb` and `SetForwarding` a phone puts into its SUBSCRIBE and whose
//! `DoNotDisturbEvent` and `ForwardingEvent` it gets by NOTIFY: the "device feature key synchronisation" of hosted switches.

use super::xml::{Xml, XmlFault, read, text};

const NAMESPACE: &str = "http://www.ecma-international.org/standards/ecma-323/csta/ed3";
/// The longest target of a forward that is read; longer ones are no number.
const TARGET_LEN_MAX: usize = 128;
/// Rings of a phone before a forward takes a call over; a phone that says more means never.
const RINGS_MAX: u32 = 100;

/// How a user's keys stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Features {
    /// His number: phones want a device, and look at none.
    pub device: String,
    /// Do-not-disturb is on.
    pub do_not_disturb: bool,
    /// His forwards, each kind once.
    pub forwards: Vec<Forward>,
}

/// One forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// When it applies.
    pub kind: ForwardKind,
    /// Where calls go; `None` when it is off.
    pub to: Option<String>,
    /// Rings before it applies, for [`ForwardKind::NoAnswer`].
    pub rings: Option<u32>,
}

/// When a forward applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ForwardKind {
    /// To every call.
    Always,
    /// When he is busy.
    Busy,
    /// When he does not answer.
    NoAnswer,
}

/// What a phone wants changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeatureWish {
    /// Do-not-disturb, on or off.
    DoNotDisturb(bool),
    /// A forward, on with its target or off.
    Forward(Forward),
}

impl ForwardKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Always, Self::Busy, Self::NoAnswer];

    const fn name(self) -> &'static str {
        match self {
            Self::Always => "forwardImmediate",
            Self::Busy => "forwardBusy",
            Self::NoAnswer => "forwardNoAns",
        }
    }
}

impl Features {
    /// One document for each key.
    pub(super) fn write(&self) -> Vec<Vec<u8>> {
        let forwards = self.forwards.iter().map(|forward| {
            event("ForwardingEvent", &self.device, |xml| {
                xml.leaf("forwardingType", &[], forward.kind.name());
                xml.leaf("forwardStatus", &[], on(forward.to.is_some()));
                if let Some(to) = &forward.to {
                    xml.leaf("forwardTo", &[], to);
                }
                if let Some(rings) = forward.rings {
                    xml.leaf("ringCount", &[], &rings.to_string());
                }
            })
        });
        let disturb = event("DoNotDisturbEvent", &self.device, |xml| {
            xml.leaf("doNotDisturbOn", &[], on(self.do_not_disturb));
        });
        std::iter::once(disturb).chain(forwards).collect()
    }
}

fn event(name: &str, device: &str, inner: impl FnOnce(&mut Xml)) -> Vec<u8> {
    let mut xml = Xml::new("UTF-8");
    xml.open(name, &[("xmlns", NAMESPACE)]);
    xml.leaf("device", &[], device);
    inner(&mut xml);
    xml.close(name);
    xml.finish()
}

const fn on(is: bool) -> &'static str {
    if is { "true" } else { "false" }
}

impl FeatureWish {
    /// Reads what a phone asks. Namespaces are not looked at: phones spell this one in several ways.
    ///
    /// # Errors
    /// [`XmlFault`]: 400.
    pub fn read(body: &[u8]) -> Result<Self, XmlFault> {
        read(body, |root| match root.tag_name().name() {
            "SetDoNotDisturb" => {
                let on = text(root, "doNotDisturbOn").and_then(flag).ok_or(XmlFault::Lacks("doNotDisturbOn"))?;
                Ok(Self::DoNotDisturb(on))
            }
            "SetForwarding" => {
                let kind = text(root, "forwardingType");
                let kind = kind.and_then(|name| ForwardKind::ALL.into_iter().find(|kind| kind.name() == name));
                let kind = kind.ok_or(XmlFault::Lacks("forwardingType"))?;
                let on = text(root, "activateForward").and_then(flag).ok_or(XmlFault::Lacks("activateForward"))?;
                let target = text(root, "forwardDN").filter(|to| !to.is_empty() && to.len() <= TARGET_LEN_MAX);
                let to = match (on, target) {
                    (true, Some(to)) => Some(to.to_owned()),
                    (true, None) => return Err(XmlFault::Lacks("forwardDN")),
                    (false, _) => None,
                };
                let rings = text(root, "ringCount").and_then(|rings| rings.parse().ok());
                let rings = rings.filter(|rings| (1..=RINGS_MAX).contains(rings) && kind == ForwardKind::NoAnswer);
                Ok(Self::Forward(Forward { kind, to, rings }))
            }
            _ => Err(XmlFault::Lacks("SetDoNotDisturb or SetForwarding")),
        })
    }
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_is_told_in_a_document_of_its_own() {
        let features = Features {
            device: "102".into(),
            do_not_disturb: true,
            forwards: vec![
                Forward { kind: ForwardKind::Always, to: None, rings: None },
                Forward { kind: ForwardKind::NoAnswer, to: Some("103".into()), rings: Some(4) },
            ],
        };
        let told: Vec<String> = features.write().into_iter().map(|body| String::from_utf8(body).unwrap()).collect();
        insta::assert_snapshot!(told.concat(), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <DoNotDisturbEvent xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3"><device>102</device><doNotDisturbOn>true</doNotDisturbOn></DoNotDisturbEvent>
        <?xml version="1.0" encoding="UTF-8"?>
        <ForwardingEvent xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3"><device>102</device><forwardingType>forwardImmediate</forwardingType><forwardStatus>false</forwardStatus></ForwardingEvent>
        <?xml version="1.0" encoding="UTF-8"?>
        <ForwardingEvent xmlns="http://www.ecma-international.org/standards/ecma-323/csta/ed3"><device>102</device><forwardingType>forwardNoAns</forwardingType><forwardStatus>true</forwardStatus><forwardTo>103</forwardTo><ringCount>4</ringCount></ForwardingEvent>
        "#);
    }

    #[test]
    fn a_phones_wishes_are_read_and_half_ones_refused() {
        let read = |name: &str, inner: &str| {
            let body = format!(
                "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\r\n<{name} xmlns=\"{NAMESPACE}\">\
                                <device/>{inner}</{name}>"
            );
            FeatureWish::read(body.as_bytes())
        };
        let disturb = |text: &str| read("SetDoNotDisturb", &format!("<doNotDisturbOn> {text}\n</doNotDisturbOn>"));
        assert_eq!(disturb("true"), Ok(FeatureWish::DoNotDisturb(true)));
        assert_eq!(disturb("0"), Ok(FeatureWish::DoNotDisturb(false)));
        assert_eq!(disturb("yes"), Err(XmlFault::Lacks("doNotDisturbOn")));
        let forward = |inner: &str| read("SetForwarding", inner);
        let on = "<forwardingType>forwardNoAns</forwardingType><activateForward>true</activateForward>";
        let wish = Forward { kind: ForwardKind::NoAnswer, to: Some("103".into()), rings: Some(3) };
        let told = format!("{on}<forwardDN>103</forwardDN><ringCount>3</ringCount>");
        assert_eq!(forward(&told), Ok(FeatureWish::Forward(wish)));
        assert_eq!(forward(&format!("{on}<forwardDN></forwardDN>")), Err(XmlFault::Lacks("forwardDN")));
        let off = "<forwardingType>forwardBusy</forwardingType><activateForward>false</activateForward>";
        let wish = Forward { kind: ForwardKind::Busy, to: None, rings: None };
        assert_eq!(forward(&format!("{off}<forwardDN>103</forwardDN>")), Ok(FeatureWish::Forward(wish)));
        assert_eq!(forward("<forwardingType>always</forwardingType>"), Err(XmlFault::Lacks("forwardingType")));
        assert!(read("Other", "").is_err());
    }
}
