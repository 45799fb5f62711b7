//! What a capability allows, in words for whoever grants it.

use crate::Capability;

/// English, Russian, German.
type Said = [&'static str; 3];

impl Capability {
    /// What a plugin that has it may do, as a clause that follows "it may". `en`, `ru` and `de`; else English.
    pub const fn allows(self, language: &str) -> &'static str {
        let [english, russian, german] = self.said();
        match language.as_bytes() {
            b"ru" => russian,
            b"de" => german,
            _ => english,
        }
    }

    const fn said(self) -> Said {
        match self {
            Self::Call => [
                "answer the call, play sounds to the caller, hear the keys that he presses, and hang up",
                "отвечать на звонок, воспроизводить звук звонящему, принимать нажатия клавиш и завершать звонок",
                "den Anruf annehmen, dem Anrufer Töne vorspielen, seine Tasten hören und auflegen",
            ],
            Self::Dial => [
                "ring users and groups and call outside numbers, which may cost money, as far as the grant names them",
                "звонить пользователям, группам и на внешние номера (это может стоить денег) в пределах разрешённого",
                "Benutzer und Gruppen anrufen und nach außen wählen, was Geld kosten kann, soweit die Freigabe sie nennt",
            ],
            Self::Directory => [
                "read names, numbers and status of users and groups",
                "читать имена, номера и состояния пользователей и групп",
                "Namen, Nummern und Status von Benutzern und Gruppen lesen",
            ],
            Self::Variables => [
                "read and set the variables of the scenario",
                "читать и изменять переменные сценария",
                "die Variablen des Szenarios lesen und setzen",
            ],
            Self::Log => [
                "write lines into the log of the call",
                "писать строки в журнал звонка",
                "Zeilen in das Protokoll des Anrufs schreiben",
            ],
            Self::Clock => ["read the time of day", "узнавать текущее время", "die Uhrzeit lesen"],
            Self::Random => ["draw random numbers", "получать случайные числа", "Zufallszahlen ziehen"],
            Self::Conference => [
                "let the caller talk in a room with others",
                "подключать звонящего к общей комнате",
                "den Anrufer in einen Raum mit anderen schalten",
            ],
            Self::Record => ["record what is said in the call", "записывать разговор", "das Gespräch aufzeichnen"],
            Self::Voicemail => [
                "leave messages in mailboxes and open mailboxes to callers who know the PIN",
                "оставлять сообщения в голосовых ящиках и открывать ящики звонящим, знающим PIN",
                "Nachrichten in Postfächer legen und Postfächer für Anrufer öffnen, die die PIN kennen",
            ],
            Self::Fax => {
                ["receive faxes from the caller", "принимать факсы от звонящего", "Faxe vom Anrufer empfangen"]
            }
            Self::Http => [
                "send data to the web services that the office has set up, and read their answers",
                "отправлять данные настроенным веб-службам офиса и читать их ответы",
                "Daten an die eingerichteten Webdienste des Büros senden und deren Antworten lesen",
            ],
            Self::History => [
                "read who talked with a number last",
                "узнавать, кто последним говорил с номером",
                "lesen, wer zuletzt mit einer Nummer gesprochen hat",
            ],
            Self::Contacts => [
                "read the contacts of the office: names, numbers, who is responsible",
                "читать контакты офиса: имена, номера, ответственных",
                "die Kontakte des Büros lesen: Namen, Nummern, Zuständige",
            ],
            Self::Database => [
                "run the queries that the office has set up in its databases",
                "выполнять настроенные запросы к базам данных офиса",
                "die eingerichteten Abfragen in den Datenbanken des Büros ausführen",
            ],
            Self::Mail => [
                "send e-mail in the name of the office",
                "отправлять электронную почту от имени офиса",
                "E-Mails im Namen des Büros senden",
            ],
            Self::TextMessage => [
                "send text messages, which may cost money",
                "отправлять текстовые сообщения (это может стоить денег)",
                "Textnachrichten senden, was Geld kosten kann",
            ],
            Self::Queue => [
                "let the caller wait in a queue until somebody is free",
                "ставить звонящего в очередь, пока кто-нибудь не освободится",
                "den Anrufer in einer Schlange warten lassen, bis jemand frei ist",
            ],
            Self::Settings => [
                "read what the office has set for it",
                "читать свои настройки, заданные офисом",
                "lesen, was das Büro für sie eingestellt hat",
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_capability_is_told_in_each_language_in_words_of_its_own() {
        for language in ["en", "ru", "de"] {
            let said: BTreeSet<&str> = Capability::ALL.iter().map(|capability| capability.allows(language)).collect();
            assert_eq!(said.len(), Capability::ALL.len(), "{language}");
            assert!(said.iter().all(|text| text.len() > 10 && !text.ends_with('.')));
        }
        assert_eq!(Capability::Clock.allows("fr"), Capability::Clock.allows("en"));
        assert_ne!(Capability::Clock.allows("de"), Capability::Clock.allows("en"));
        assert!(Capability::Clock.allows("ru").contains("время"));
    }
}
