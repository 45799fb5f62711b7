//! What can be played, by office.

use plugboard_media::{Audio, Prompts};
use plugboard_model::OfficeId;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

/// An office's audio: prompts and music.
#[derive(Debug, Default)]
pub(crate) struct OfficeAudio {
    pub(crate) prompts: Prompts,
    pub(crate) music: Prompts,
}

/// The audio of every office. Read by calls, replaced by `apply`; the lock is held for a look-up only.
#[derive(Debug, Default)]
pub(crate) struct Library {
    offices: RwLock<BTreeMap<OfficeId, Arc<OfficeAudio>>>,
}

impl Library {
    /// Puts an office's audio in place of what it had.
    pub(crate) fn put(&self, office: OfficeId, audio: Arc<OfficeAudio>) {
        self.offices.write().unwrap_or_else(PoisonError::into_inner).insert(office, audio);
    }
}

impl plugboard_switch::Prompts for Library {
    fn find(&self, office: &OfficeId, name: &str, language: &str, music: bool) -> Result<Audio, String> {
        let offices = self.offices.read().unwrap_or_else(PoisonError::into_inner);
        let audio = offices.get(office).ok_or_else(|| format!("office {office} has no audio"))?;
        let kept = if music { &audio.music } else { &audio.prompts };
        // `welcome.de` before `welcome`; `de-AT` is content with `de`.
        let short = language.split('-').next().unwrap_or(language);
        let names = [format!("{name}.{language}"), format!("{name}.{short}"), name.to_owned(), format!("{name}.en")];
        let kind = if music { "music" } else { "prompt" };
        names
            .iter()
            .find_map(|name| kept.get(name))
            .ok_or_else(|| format!("there is no {kind} {name:?} (for language {language})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_switch::Prompts as _;

    #[test]
    fn a_prompt_is_found_in_the_callers_language_or_in_what_there_is() {
        let library = Library::default();
        let office = OfficeId::new("main").unwrap();
        let audio = OfficeAudio::default();
        audio.prompts.insert("welcome.de", Audio::from_linear(&[1])).unwrap();
        audio.prompts.insert("welcome.en", Audio::from_linear(&[1, 2])).unwrap();
        library.put(office.clone(), Arc::new(audio));
        assert_eq!(library.find(&office, "welcome", "de-AT", false).unwrap().len(), 1);
        assert_eq!(library.find(&office, "welcome", "ru", false).unwrap().len(), 2);
        let fault = library.find(&office, "goodbye", "ru", false).unwrap_err();
        assert!(fault.contains("\"goodbye\""), "{fault}");
    }
}
