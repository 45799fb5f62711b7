//! What is said to somebody who waits.

/// His place, as it is read aloud, and the language: the closest of those that the switch speaks.
pub fn position(language: &str, place: usize) -> (String, &'static str) {
    match language.get(..2).unwrap_or_default() {
        "de" | "DE" => (
            if place <= 1 {
                "Sie sind als Nächster an der Reihe.".into()
            } else {
                format!("Sie sind Nummer {place} in der Warteschlange.")
            },
            "de",
        ),
        "ru" | "RU" => (
            if place <= 1 {
                "Вы следующий в очереди.".into()
            } else {
                format!("Вы номер {place} в очереди.")
            },
            "ru",
        ),
        _ => {
            (if place <= 1 { "You are next in line.".into() } else { format!("You are number {place} in line.") }, "en")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_told_in_the_language_of_the_office() {
        assert_eq!(position("de-AT", 3), ("Sie sind Nummer 3 in der Warteschlange.".into(), "de"));
        assert_eq!(position("ru", 1), ("Вы следующий в очереди.".into(), "ru"));
        assert_eq!(position("fr", 2), ("You are number 2 in line.".into(), "en"));
        assert_eq!(position("", 1).1, "en");
    }
}
