//! The manifest of an action, put together from what the macros read.

use crate::bindings::plugboard::switch::description::{ActionDescription, Outcome as OutcomeEntry, Sets, Text};
use crate::{Failure, Outcome, Parameters};

/// A title, and where there is one a sentence, in one language.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Words {
    /// BCP 47.
    pub language: &'static str,
    pub title: &'static str,
    /// Empty when there is none.
    pub sentence: &'static str,
}

/// What the attribute of the action says.
#[doc(hidden)]
#[derive(Debug)]
pub struct Manifest {
    pub name: &'static str,
    pub version: &'static str,
    pub texts: &'static [Words],
    pub blocking: bool,
}

/// Makes the manifest. The function is given for its types alone.
#[doc(hidden)]
pub fn describe<P: Parameters, O: Outcome>(
    manifest: &Manifest,
    _action: fn(P) -> Result<O, Failure>,
) -> ActionDescription {
    ActionDescription {
        name: manifest.name.into(),
        version: manifest.version.into(),
        titles: texts(manifest.texts, |words| words.title),
        summaries: texts(manifest.texts, |words| words.sentence),
        parameters: P::schema(),
        outcomes: O::DECLARED
            .iter()
            .map(|outcome| OutcomeEntry { name: outcome.name.into(), texts: texts(outcome.texts, |words| words.title) })
            .collect(),
        sets: sets::<O>(),
        blocking: manifest.blocking,
    }
}

fn texts(words: &[Words], part: fn(&Words) -> &'static str) -> Vec<Text> {
    words
        .iter()
        .filter(|words| !part(words).is_empty())
        .map(|words| Text { language: words.language.into(), text: part(words).into() })
        .collect()
}

/// One entry for each variable, with all the outcomes that promise it.
fn sets<O: Outcome>() -> Vec<Sets> {
    let mut all: Vec<Sets> = Vec::new();
    for outcome in O::DECLARED {
        for variable in outcome.sets {
            let after = variable.always.then(|| outcome.name.to_owned());
            match all.iter_mut().find(|known| known.name == variable.name) {
                Some(known) => known.after.extend(after),
                None => all.push(Sets {
                    name: variable.name.into(),
                    type_: variable.type_name.into(),
                    after: after.into_iter().collect(),
                }),
            }
        }
    }
    all
}
