//! Sentences for people, in both languages of the service.

use serde::Serialize;
use utoipa::ToSchema;

/// The same sentence in English and in French.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Sentence {
    /// In English.
    pub en: String,
    /// In French.
    pub fr: String,
}

impl Sentence {
    /// Both.
    pub fn new(en: impl Into<String>, fr: impl Into<String>) -> Self {
        Self { en: en.into(), fr: fr.into() }
    }
}

/// Digits in groups of three, parted as each language does.
#[must_use]
pub fn number(value: u64) -> Sentence {
    let digits = value.to_string();
    let grouped = |gap: char| {
        let mut text = String::with_capacity(digits.len() * 2);
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                text.push(gap);
            }
            text.push(digit);
        }
        text
    };
    Sentence::new(grouped(','), grouped('\u{202f}'))
}

/// An amount of money without its sign, in euros: `€1,234.50`, `1 234,50 €`.
#[must_use]
pub fn euros(cents: i64) -> Sentence {
    let cents = cents.unsigned_abs();
    let Sentence { en, fr } = number(cents / 100);
    match cents % 100 {
        0 => Sentence::new(format!("€{en}"), format!("{fr}\u{a0}€")),
        rest => Sentence::new(format!("€{en}.{rest:02}"), format!("{fr},{rest:02}\u{a0}€")),
    }
}

/// A quantity with its unit.
#[must_use]
pub fn amount(quantity: u64, unit: &str) -> Sentence {
    let Sentence { en, fr } = number(quantity);
    let (one, many) = match unit {
        "hour" => (("hour", "heure"), ("hours", "heures")),
        "session" => (("session", "séance"), ("sessions", "séances")),
        "person" => (("person", "personne"), ("people", "personnes")),
        "device" => (("device", "équipement"), ("devices", "équipements")),
        "connection_month" => {
            (("month of connection", "mois de connexion"), ("months of connection", "mois de connexion"))
        }
        "full_time_equivalent" => {
            (("full-time equivalent", "équivalent temps plein"), ("full-time equivalents", "équivalents temps plein"))
        }
        _ => (("unit", "unité"), ("units", "unités")),
    };
    // In French, nought is singular.
    let english = if quantity == 1 { one.0 } else { many.0 };
    let french = if quantity < 2 { one.1 } else { many.1 };
    Sentence::new(format!("{en} {english}"), format!("{fr} {french}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_money_are_written_as_each_language_does() {
        assert_eq!(number(1_234_567), Sentence::new("1,234,567", "1\u{202f}234\u{202f}567"));
        assert_eq!(euros(-123_450), Sentence::new("€1,234.50", "1\u{202f}234,50\u{a0}€"));
        assert_eq!(euros(70_000), Sentence::new("€700", "700\u{a0}€"));
    }

    #[test]
    fn a_quantity_agrees_with_its_unit() {
        assert_eq!(amount(1, "person"), Sentence::new("1 person", "1 personne"));
        assert_eq!(amount(0, "hour"), Sentence::new("0 hours", "0 heure"));
        assert_eq!(amount(2, "connection_month"), Sentence::new("2 months of connection", "2 mois de connexion"));
    }

    #[test]
    fn every_unit_has_its_words() {
        use crate::capabilities::Unit;
        use sea_orm::Iterable as _;
        assert!(Unit::iter().all(|unit| !amount(1, unit.code()).en.contains("unit")));
    }
}
