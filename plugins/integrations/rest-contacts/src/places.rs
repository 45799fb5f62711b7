//! What stands for `{e164}` and its like.

use plugboard_sdk::Json;
use plugboard_sdk_integration::Number;

/// Names with what stands for each.
pub(crate) struct Places(Vec<(&'static str, String)>);

impl Places {
    /// Of a number: `{e164}` with its `+`, `{digits}` without, `{shown}` as the call has it, `{national}` without
    /// country code and trunk prefix, `{last7}` to `{last10}` the last digits. `None`:
    /// it has no digits.
    pub(crate) fn of_number(number: &Number) -> Option<Self> {
        let e164 = number.forms.iter().find(|form| form.starts_with('+'));
        let digits: String = e164.unwrap_or(&number.shown).chars().filter(char::is_ascii_digit).collect();
        if digits.is_empty() {
            return None;
        }
        let last = |count: usize| digits.get(digits.len().saturating_sub(count)..).unwrap_or(&digits).to_owned();
        Some(Self(vec![
            ("{e164}", e164.cloned().unwrap_or_else(|| plain(&number.shown))),
            ("{shown}", plain(&number.shown)),
            ("{last7}", last(7)),
            ("{last9}", last(9)),
            ("{last10}", last(10)),
            ("{national}", national(&digits, &number.forms)),
            ("{digits}", digits),
        ]))
    }

    /// Of whoever is responsible: `{owner}`.
    pub(crate) fn of_owner(owner: &str) -> Self {
        Self(vec![("{owner}", plain(owner))])
    }

    /// A text with its places filled in.
    pub(crate) fn fill(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (place, value)| text.replace(place, value))
    }

    /// The same for each text of a document.
    pub(crate) fn fill_json(&self, json: &Json) -> Json {
        match json {
            Json::String(text) => Json::String(self.fill(text)),
            Json::Array(items) => Json::Array(items.iter().map(|item| self.fill_json(item)).collect()),
            Json::Object(members) => {
                Json::Object(members.iter().map(|(name, value)| (name.clone(), self.fill_json(value))).collect())
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => json.clone(),
        }
    }
}

/// The longest form that is the end of the number, with or without a trunk prefix of one digit in front; else the last ten digits.
fn national(digits: &str, forms: &[String]) -> String {
    let behind = |form: &String| {
        let ends = [form.get(..).unwrap_or_default(), form.get(1..).unwrap_or_default()];
        ends.into_iter().filter(|end| end.len() < digits.len() && digits.ends_with(end)).map(str::len).max()
    };
    let len = forms.iter().filter(|form| !form.starts_with('+') && *form != digits).filter_map(behind).max();
    digits.get(digits.len().saturating_sub(len.unwrap_or(10))..).unwrap_or(digits).to_owned()
}

/// What a caller shows of himself must not end a quoted text of the service's language, nor be a place itself.
fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '*' | '#' | '-' | '.' | '_' | '@')).collect()
}
