//! SIP addresses outside in an office document.

use super::Parts;
use crate::Addresses;
use plugboard_document::Field;

/// Domains that one office names.
pub(crate) const DOMAINS_MAX: usize = 64;

impl Parts<'_> {
    /// `{ domains, private, toll }`.
    pub(crate) fn addresses(&mut self, field: Option<Field<'_>>) -> Addresses {
        let mut addresses = Addresses::default();
        let Some(field) = field else { return addresses };
        let Some(mut fields) = field.fields(self.faults) else { return addresses };
        let domains = fields.take("domains").map(|field| field.list(DOMAINS_MAX, self.faults)).unwrap_or_default();
        for item in domains {
            let Some(text) = item.text(self.faults) else { continue };
            let host = text.to_ascii_lowercase();
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
            if host.is_empty() || host.len() > 253 || !host.chars().all(allowed) {
                item.fault(self.faults, format!("{text:?} is no domain"), "write for example partner.example");
            } else if !addresses.domains.insert(host) {
                item.fault(self.faults, format!("the domain {text:?} is here twice"), "take one of them out");
            }
        }
        addresses.private = fields.take("private").and_then(|field| field.boolean(self.faults)).unwrap_or_default();
        addresses.toll = self.toll(fields.take("toll"));
        fields.finish(self.faults);
        addresses
    }
}
