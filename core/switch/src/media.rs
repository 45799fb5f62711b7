//! What the office says of a leg's media, as the media plane wants it: how it may be encrypted, by which way keys go.

use plugboard_media::{
    Command, Encryption as Policy, KeyForm as SendsKeys, Keying, KeysByEar, MediaLeg, OfferAnswer, OurKeys, Protection,
    Suite, Terms,
};
use plugboard_model::LegEncryption;
use plugboard_office::{Encryption, EncryptionBy, KeyForm, MediaRules};
use plugboard_sip::flow::{Flow, Transport};

use crate::env::Env;

/// What a leg's descriptions are made and read by.
pub(crate) fn terms(env: &Env, rules: MediaRules, flow: Flow) -> Terms {
    let secure = match flow.transport {
        Transport::Tls | Transport::Wss => true,
        Transport::Udp | Transport::Tcp | Transport::Ws => false,
    };
    if env.media.fingerprint().is_none() {
        return Terms { encryption: Policy::Off, ..Terms::default() };
    }
    let encryption = match rules.encryption {
        None if secure => Policy::Offered,
        None | Some(Encryption::Accepted) => Policy::Accepted,
        Some(Encryption::Off) => Policy::Off,
        Some(Encryption::Offered) => Policy::Offered,
        Some(Encryption::Required) => Policy::Required,
    };
    let sdes = secure || rules.sdes_without_tls;
    let keying = match rules.encryption_by {
        Some(EncryptionBy::Sdes) if sdes => Keying::Sdes,
        None if secure => Keying::Sdes,
        None | Some(EncryptionBy::Sdes | EncryptionBy::Dtls) => Keying::Dtls,
    };
    Terms { encryption, keying, sdes, dtls: true }
}

/// The description of a leg that may be encrypted, with keys of its own.
pub(crate) fn with_keys(env: &Env, description: OfferAnswer, terms: Terms) -> OfferAnswer {
    let mut random = [0; OurKeys::BYTES];
    env.random.fill(&mut random);
    description.encrypted_by(terms, OurKeys::new(&random, env.media.fingerprint()))
}

/// How keys come from such a leg and go to it; `None`: as usual.
pub(crate) const fn keys(rules: MediaRules, leg: MediaLeg) -> Option<Command> {
    let (hear, send) = match rules.keys {
        KeyForm::Auto => return None,
        KeyForm::Rfc4733 => (KeysByEar::Off, SendsKeys::Auto),
        KeyForm::Info => (KeysByEar::Auto, SendsKeys::Signalled),
        KeyForm::Inband => (KeysByEar::On, SendsKeys::Tones),
    };
    Some(Command::SetKeys { leg, hear, send })
}

/// What the record says of an agreement; of a handshake nothing before it gave keys.
pub(crate) fn told(protection: Option<Protection>) -> Option<LegEncryption> {
    match protection? {
        Protection::Sdes { suite, .. } => Some(by(Keying::Sdes, suite)),
        Protection::Dtls { .. } => None,
    }
}

/// The same of a handshake that gave them.
pub(crate) fn shaken(suite: Suite) -> LegEncryption {
    by(Keying::Dtls, suite)
}

fn by(keying: Keying, suite: Suite) -> LegEncryption {
    let keys = match keying {
        Keying::Sdes => "sdes",
        Keying::Dtls => "dtls",
    };
    LegEncryption { keys: keys.to_owned(), suite: suite.name().to_owned() }
}
