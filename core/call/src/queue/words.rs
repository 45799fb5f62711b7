//! What is said to somebody who waits.

use std::time::Duration;

/// His place and how long it is likely to take, as they are read aloud, and the language: the closest of those that the switch speaks.
pub fn position(language: &str, place: usize, wait: Option<Duration>) -> (String, &'static str) {
    let minutes = wait.map(|wait| wait.as_secs().div_ceil(60).max(1));
    let (place, wait, language) = match language.get(..2).unwrap_or_default() {
        "de" | "DE" => (
            if place <= 1 {
                "Sie sind als Nächster an der Reihe.".into()
            } else {
                format!("Sie sind Nummer {place} in der Warteschlange.")
            },
            minutes.map(|minutes| match minutes {
                1 => "Die Wartezeit beträgt etwa eine Minute.".into(),
                _ => format!("Die Wartezeit beträgt etwa {minutes} Minuten."),
            }),
            "de",
        ),
        "ru" | "RU" => (
            if place <= 1 {
                "Вы следующий в очереди.".into()
            } else {
                format!("Вы номер {place} в очереди.")
            },
            minutes.map(|minutes| match minutes {
                1 => "Ждать около минуты.".into(),
                // The genitive: of one, of twenty-one.
                _ if minutes % 10 == 1 && minutes % 100 != 11 => format!("Ждать около {minutes} минуты."),
                _ => format!("Ждать около {minutes} минут."),
            }),
            "ru",
        ),
        _ => (
            if place <= 1 { "You are next in line.".into() } else { format!("You are number {place} in line.") },
            minutes.map(|minutes| match minutes {
                1 => "The wait is about a minute.".into(),
                _ => format!("The wait is about {minutes} minutes."),
            }),
            "en",
        ),
    };
    let text: String = match wait {
        Some(wait) => [place, wait].join(" "),
        None => place,
    };
    (text, language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_in_the_language_of_the_office() {
        assert_eq!(position("de-AT", 3, None), ("Sie sind Nummer 3 in der Warteschlange.".into(), "de"));
        assert_eq!(position("ru", 1, None), ("Вы следующий в очереди.".into(), "ru"));
        assert_eq!(position("fr", 2, None), ("You are number 2 in line.".into(), "en"));
        assert_eq!(position("", 1, None).1, "en");
    }

    #[test]
    fn a_time_is_told_in_whole_minutes_with_the_words_of_its_number() {
        let say = |language, seconds| position(language, 2, Some(Duration::from_secs(seconds))).0;
        assert_eq!(say("en", 20), "You are number 2 in line. The wait is about a minute.");
        assert_eq!(say("en", 241), "You are number 2 in line. The wait is about 5 minutes.");
        assert_eq!(say("de", 120), "Sie sind Nummer 2 in der Warteschlange. Die Wartezeit beträgt etwa 2 Minuten.");
        assert!(say("de", 5).ends_with("etwa eine Minute."));
        let russian = [1, 2, 11, 21].map(|minutes| say("ru", minutes * 60).rsplit_once("около ").unwrap().1.to_owned());
        assert_eq!(russian, ["минуты.", "2 минут.", "11 минут.", "21 минуты."]);
    }
}
