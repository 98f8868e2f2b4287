//! Numbers and lists in English sentences.

use crate::model::{Cents, Quantity};

/// `1234567` → `1,234,567`.
pub(crate) fn number(value: u128) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Cents as euros: `€1,234` or `€1,234.50`.
pub(crate) fn euros(cents: Cents) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    match cents % 100 {
        0 => format!("{sign}€{}", number(u128::from(cents / 100))),
        rest => format!("{sign}€{}.{rest:02}", number(u128::from(cents / 100))),
    }
}

/// A quantity with its unit: `1 device`, `2,000 devices`.
pub(crate) fn amount(quantity: Quantity, unit: &str) -> String {
    let plural = if quantity == 1 || unit.ends_with('s') { "" } else { "s" };
    format!("{} {}{plural}", number(u128::from(quantity)), unit.replace('_', "-"))
}

/// A sentence's beginning, inside one.
pub(crate) fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list<T: AsRef<str>>(items: &[T]) -> String {
    match items {
        [] => String::new(),
        [one] => one.as_ref().to_owned(),
        [first @ .., last] => {
            let first: Vec<&str> = first.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", first.join(", "), last.as_ref())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_english() {
        assert_eq!(number(0), "0");
        assert_eq!(euros(123_456_700), "€1,234,567");
        assert_eq!(euros(-5), "-€0.05");
        assert_eq!(amount(1, "device"), "1 device");
        assert_eq!(amount(2000, "device"), "2,000 devices");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }
}
