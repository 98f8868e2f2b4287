//! Numbers as the report writes them.

use crate::capabilities::Unit;

/// `61234500` → `612 345.00 €`.
#[must_use]
pub fn euros(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    format!("{sign}{}.{:02} €", grouped(cents / 100), cents % 100)
}

/// `12000`, hours → `12 000 hours`.
#[must_use]
pub fn quantity(value: u64, unit: Unit) -> String {
    let (one, many) = match unit {
        Unit::Hour => ("hour", "hours"),
        Unit::Session => ("session", "sessions"),
        Unit::Person => ("person", "people"),
        Unit::Device => ("device", "devices"),
        Unit::ConnectionMonth => ("connection-month", "connection-months"),
        Unit::FullTimeEquivalent => ("full-time post", "full-time posts"),
    };
    format!("{} {}", grouped(value), if value == 1 { one } else { many })
}

/// `3`, `territory`, `territories` → `3 territories`.
#[must_use]
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number as u64), if number == 1 { one } else { many })
}

/// `99.95` → `99.9 %`, `100.0` → `100 %`: rounded down, so that only what is whole looks whole.
#[must_use]
pub fn percent(value: f64) -> String {
    let tenths = (value * 10.0 + 1e-6).floor() / 10.0;
    if tenths.fract() == 0.0 { format!("{tenths:.0} %") } else { format!("{tenths:.1} %") }
}

/// `1234567` → `1 234 567`.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// Columns that a text takes in a terminal. Ours holds no wide or combining character.
#[must_use]
pub fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_grouped_by_thousands() {
        assert_eq!(euros(61_234_500), "612 345.00 €");
        assert_eq!(euros(5), "0.05 €");
        assert_eq!(euros(-123_456_789), "-1 234 567.89 €");
        assert_eq!(euros(i64::MIN), "-92 233 720 368 547 758.08 €");
    }

    #[test]
    fn units_agree_with_their_number() {
        assert_eq!(quantity(12_000, Unit::Hour), "12 000 hours");
        assert_eq!(quantity(1, Unit::Person), "1 person");
        assert_eq!(count(1, "commune", "communes"), "1 commune");
    }

    #[test]
    fn a_part_that_is_not_whole_never_reads_as_whole() {
        assert_eq!(percent(100.0), "100 %");
        assert_eq!(percent(99.99), "99.9 %");
        assert_eq!(percent(0.0), "0 %");
        assert_eq!(percent(61.25), "61.2 %");
        assert_eq!(percent(0.3 * 100.0), "30 %");
    }
}
