//! What reads words aloud, as the switch asks it and as it is configured.

use plugboard_sound::espeak::{Espeak, SpeechError};
use plugboard_switch::{Voice, VoiceReply};
use std::path::Path;

/// The switch's way to the speech engine.
pub(crate) struct Reader(Espeak);

impl Reader {
    /// By this program.
    ///
    /// # Errors
    /// Its threads could not be started. A machine without the program is told when words are asked for.
    pub(crate) fn start(program: &Path) -> Result<Self, String> {
        Espeak::start(program).map(Self).map_err(|error| format!("the speech engine could not be started: {error}"))
    }
}

impl Voice for Reader {
    fn speak(&self, text: &str, language: &str, reply: VoiceReply) {
        let told = |made: Result<_, SpeechError>| made.map_err(|error| error.to_string());
        self.0.speak(text, language, Box::new(move |made| reply(told(made))));
    }
}
