//! Amounts, quantities, dates and codes as French readers write them.

use chrono::{DateTime, Datelike as _, NaiveDate, Timelike as _, Utc};

/// Keeps a number with what follows it on one line.
const TIE: char = '\u{a0}';
/// Words longer than this may be broken.
const LONGEST_WORD: usize = 40;

/// `1 234` with non-breaking spaces.
pub fn number(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::from(if value < 0 { "−" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(TIE);
        }
        text.push(digit);
    }
    text
}

/// `1 234,50 €`.
pub fn amount(cents: i64) -> String {
    let sign = if cents < 0 { "−" } else { "" };
    let (euros, rest) = (cents.unsigned_abs() / 100, cents.unsigned_abs() % 100);
    format!("{sign}{},{rest:02}{TIE}€", number(i64::try_from(euros).unwrap_or(i64::MAX)))
}

/// `12,5 %`, with two decimals at most.
pub fn percent(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.').replace('.', ",");
    format!("{text}{TIE}%")
}

/// `1er janvier 2027`.
pub fn day(date: NaiveDate) -> String {
    const MONTHS: [&str; 12] = [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ];
    let month = usize::try_from(date.month0()).ok().and_then(|month| MONTHS.get(month)).copied().unwrap_or_default();
    let day = if date.day() == 1 { "1er".to_owned() } else { date.day().to_string() };
    format!("{day}{TIE}{month}{TIE}{}", date.year())
}

/// A day with its time, which is UTC and says so.
pub fn instant(at: DateTime<Utc>) -> String {
    format!("{} à {}{TIE}h{TIE}{:02} (UTC)", day(at.date_naive()), at.hour(), at.minute())
}

/// What a role is called.
pub fn role(code: &str) -> &str {
    match code {
        "group-lead" => "mandataire",
        "group-mem" => "cotraitant",
        "sole-tenderer" => "candidat seul",
        "subcont" => "sous-traitant",
        "oeron" => "entité invoquée",
        other => other,
    }
}

/// What the form of a group is called.
pub fn form(code: &str) -> &str {
    match code {
        "conjoint" => "groupement conjoint",
        "conjoint_solidary_lead" => "groupement conjoint avec mandataire solidaire",
        "solidary" => "groupement solidaire",
        other => other,
    }
}

/// What people wrote, as it can be set: control characters become spaces, and words without end may be broken.
pub fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut word = 0;
    for letter in text.chars() {
        let forbidden = letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}');
        let letter = if forbidden { ' ' } else { letter };
        word = if letter.is_whitespace() { 0 } else { word + 1 };
        cleaned.push(letter);
        if word > 0 && word % LONGEST_WORD == 0 {
            cleaned.push('\u{200b}');
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn numbers_are_written_as_french_readers_write_them() {
        let plain = |text: String| text.replace(TIE, " ");
        assert_eq!(plain(amount(70_000_000)), "700 000,00 €");
        assert_eq!(plain(amount(-5)), "−0,05 €");
        assert_eq!(plain(amount(123_456)), "1 234,56 €");
        assert_eq!(plain(percent(100.0)), "100 %");
        assert_eq!(plain(percent(12.5)), "12,5 %");
        assert_eq!(plain(number(1_000)), "1 000");
        assert_eq!(plain(day("2027-01-01".parse().unwrap())), "1er janvier 2027");
        assert_eq!(plain(instant("2026-08-09T07:05:00Z".parse().unwrap())), "9 août 2026 à 7 h 05 (UTC)");
    }

    #[test]
    fn what_cannot_be_set_is_taken_out_and_endless_words_can_be_broken() {
        assert_eq!(clean("a\u{1}b\tc"), "a b c");
        let long = clean(&"x".repeat(100));
        assert_eq!(long.matches('\u{200b}').count(), 2);
        assert_eq!(long.replace('\u{200b}', ""), "x".repeat(100));
    }
}
