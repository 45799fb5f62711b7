//! The SIP domains of a certificate: URIs among its subject alternative names.
//!
//! Read only after the whole certificate was verified; what is not understood is no domain.
//!
//! Source: RFC 5280 sections 4.1 and 4.2.1.6 (its form), RFC 5922 section 7.1 (what they mean), X.690 (DER).

/// The DER of 2.5.29.17, subjectAltName.
const SUBJECT_ALT_NAME: &[u8] = &[0x06, 0x03, 0x55, 0x1d, 0x11];
/// `[6] IMPLICIT IA5String`: a URI.
const URI: u8 = 0x86;
/// `[3] EXPLICIT`: the extensions.
const EXTENSIONS: u8 = 0xa3;
const SEQUENCE: u8 = 0x30;
const OCTETS: u8 = 0x04;

/// The hosts of `sip:` URIs without a user: those name persons.
pub(super) fn sip_domains(certificate: &[u8]) -> Vec<&str> {
    let Some(names) = alternative_names(certificate) else { return Vec::new() };
    elements(names)
        .filter(|(tag, _)| *tag == URI)
        .filter_map(|(_, value)| std::str::from_utf8(value).ok())
        .filter_map(|uri| uri.split_at_checked(4).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("sip:")))
        .map(|(_, rest)| rest)
        .filter(|rest| !rest.contains('@'))
        .map(|rest| rest.split([';', '?', ':']).next().unwrap_or(rest))
        .collect()
}

/// What is inside the extension: a sequence of names.
fn alternative_names(certificate: &[u8]) -> Option<&[u8]> {
    let whole = of(certificate, SEQUENCE)?;
    let signed = of(whole, SEQUENCE)?;
    let extensions = elements(signed).find(|(tag, _)| *tag == EXTENSIONS)?.1;
    elements(of(extensions, SEQUENCE)?)
        .filter_map(|(tag, extension)| extension.strip_prefix(SUBJECT_ALT_NAME).filter(|_| tag == SEQUENCE))
        .find_map(|rest| of(elements(rest).find(|(tag, _)| *tag == OCTETS)?.1, SEQUENCE))
}

/// The value of the first element, if it has this tag.
fn of(bytes: &[u8], tag: u8) -> Option<&[u8]> {
    elements(bytes).next().filter(|(found, _)| *found == tag).map(|(_, value)| value)
}

/// Tag and value of each element, one after the other.
fn elements(mut bytes: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let (tag, rest) = bytes.split_first()?;
        let (first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            0..=0x7f => (usize::from(*first), rest),
            // A certificate is far below 16 MB.
            0x81..=0x83 => {
                let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                (octets.iter().fold(0, |length, octet| length << 8 | usize::from(*octet)), rest)
            }
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(length)?;
        bytes = rest;
        Some((*tag, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, SanType};

    fn der(names: &[&str]) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["host.example".to_owned()]).unwrap();
        params.subject_alt_names.extend(names.iter().map(|name| SanType::URI((*name).try_into().unwrap())));
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn only_uris_of_domains_are_sip_domains() {
        let der =
            der(&["sip:example.com", "SIP:example.net:5061;transport=tls", "sip:ann@example.org", "https://x.example"]);
        assert_eq!(sip_domains(&der), ["example.com", "example.net"]);
        assert!(sip_domains(&self::der(&[])).is_empty());
    }

    #[test]
    fn what_is_cut_anywhere_or_changed_anywhere_breaks_nothing() {
        let der = der(&["sip:example.com"]);
        for end in 0..der.len() {
            let _ = sip_domains(&der[..end]);
            for bits in [0x01, 0x80, 0xff] {
                let mut changed = der.clone();
                changed[end] ^= bits;
                let _ = sip_domains(&changed);
            }
        }
    }
}
