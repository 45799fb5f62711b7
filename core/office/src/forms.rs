//! A number in each way in which somebody of the office may have dialled it.

use crate::route::Whose;
use crate::{Goal, NumberFormat, Office, Pattern};
use plugboard_model::Dialled;
use std::collections::BTreeSet;

/// Ways to dial one number: six by the plan, with and without three prefixes of outside lines.
const FORMS_MAX: usize = 24;

impl Office {
    /// A number in each way in which a gateway may have shown it or a user dialled it, with the prefixes of outside lines: at most 24.
    /// What is no number of the public network stands alone.
    pub fn forms(&self, number: &str) -> Vec<String> {
        let forms = self.plain_forms(number);
        if forms.is_empty() {
            return vec![number.to_owned()];
        }
        let mut all: Vec<String> = vec![number.to_owned()];
        all.extend(forms.iter().cloned());
        for prefix in self.dialled_in_front() {
            all.extend(forms.iter().filter(|form| !form.starts_with('+')).map(|form| format!("{prefix}{form}")));
        }
        let mut seen = BTreeSet::new();
        all.retain(|form| seen.insert(form.clone()));
        all.truncate(FORMS_MAX);
        all
    }

    /// The same without any prefix of an outside line; empty for what is no number of the public network.
    pub(crate) fn plain_forms(&self, number: &str) -> Vec<String> {
        let plan = self.number_plan();
        let Some(e164) = Dialled::new(number).ok().and_then(|number| plan.e164(&number)) else { return Vec::new() };
        let written = [NumberFormat::E164, NumberFormat::Digits, NumberFormat::International, NumberFormat::National];
        let mut forms: Vec<String> = written.map(|format| plan.write(&e164, format).to_string()).into();
        forms.extend(plan.short_forms(&e164));
        forms
    }

    /// What users dial in front of numbers, and routes take off again.
    pub(crate) fn dialled_in_front(&self) -> BTreeSet<String> {
        let lines = self.routes().filter(|route| matches!(route.whose, Whose::FromUsers | Whose::FromUser(_)));
        lines
            .filter_map(|route| match (&route.called, &route.to) {
                (Pattern::Prefix(prefix), Goal::Gateway { strip, .. }) if *strip > 0 => {
                    prefix.get(..(*strip).min(prefix.len())).map(str::to_owned)
                }
                (Pattern::Exact(_) | Pattern::Prefix(_) | Pattern::Like(_), _) => None,
            })
            .collect()
    }
}
