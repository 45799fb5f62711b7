//! Feature codes in an office document, and what else takes them.

use super::{Found, Parts};
use crate::features::{CODE_LEN_MAX, FeatureCode, Features};
use plugboard_document::{Faults, Field, Kind, Mark};
use plugboard_model::Dialled;
use std::collections::BTreeMap;

/// The codes that a document says, each with its place.
pub(crate) type Written = BTreeMap<FeatureCode, (Mark, String)>;

/// How to be rid of a code.
const OTHER_CODE: &str = "give one of them another code, or switch it off with \"false\"";

impl Parts<'_> {
    /// A map of codes, each of which may be `false`; or `false` for none at all.
    pub(crate) fn features(&mut self, field: Option<Field<'_>>) -> (Features, Written) {
        let mut written = Written::new();
        let Some(field) = field else { return (Features::default(), written) };
        if matches!(field.node.kind, Kind::Boolean(false)) {
            return (Features::none(), written);
        }
        let mut features = Features::default();
        let Some(mut fields) = field.fields(self.faults) else { return (features, written) };
        for code in FeatureCode::ALL {
            let Some(field) = fields.take(code.key()) else { continue };
            if matches!(field.node.kind, Kind::Boolean(false)) {
                features.set(code, None);
            } else if let Some(dialled) = self.code(&field) {
                features.set(code, Some(dialled));
                written.insert(code, (field.node.at, field.path.clone()));
            }
        }
        fields.finish(self.faults);
        (features, written)
    }

    /// Star or hash and what follows: so no code stands in the way of a number that people have.
    fn code(&mut self, field: &Field<'_>) -> Option<Dialled> {
        let code = self.dialled(field)?;
        let text = code.as_str();
        let digits = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'*' | b'#'));
        if !text.starts_with(['*', '#']) || !digits || !(2..=CODE_LEN_MAX).contains(&text.len()) {
            let reason = format!("{text:?} is no feature code: * or # and 1 to 7 digits, * or # after it");
            field.fault(self.faults, reason, "write for example \"*55\"");
            return None;
        }
        Some(code)
    }
}

/// Codes that are the same, and numbers that a code takes as well. With a code that the document does not say itself the
/// office could be served until now.
pub(crate) fn clashes(
    features: &Features,
    written: &Written,
    found: &Found,
    faults: &mut Faults,
    bearable: &mut Faults,
) {
    let mut seen: BTreeMap<&Dialled, FeatureCode> = BTreeMap::new();
    for code in FeatureCode::ALL {
        let Some(dialled) = features.code(code) else { continue };
        let Some(other) = seen.insert(dialled, code) else { continue };
        // One of the two is written: the usual ones differ.
        let place = written.get(&code).or_else(|| written.get(&other));
        if let Some((at, path)) = place {
            let reason = format!("{dialled} is the code {} and the code {}", other.key(), code.key());
            faults.add(*at, path, reason, OTHER_CODE);
        }
    }
    let internal = found
        .internal
        .iter()
        .map(|(number, owner, at, path)| (number.as_str(), format!("the number of {}", owner.name()), *at, path));
    let taken = found.taken.iter().map(|taken| (taken.number.as_str(), taken.by.clone(), taken.at, &taken.path));
    for (number, by, at, path) in internal.chain(taken) {
        let Some(code) = features.taking(number) else { continue };
        let Some(dialled) = features.code(code) else { continue };
        let faults = if written.contains_key(&code) { &mut *faults } else { &mut *bearable };
        let reason = format!("who dials {number} means the feature code {} ({dialled}), and {by}", code.key());
        let remedy = format!("take another number, or write \"feature_codes: {{ {}: false }}\"", code.key());
        faults.add(at, path, reason, remedy);
    }
}
