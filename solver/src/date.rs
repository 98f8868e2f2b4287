//! Calendar dates, as far as the solver needs them: validity and order.

/// Whether the text is a date of the Gregorian calendar in the form `YYYY-MM-DD`. Two such texts compare as their dates do.
pub(crate) fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = bytes.len() == 10
        && bytes.iter().enumerate().all(|(i, b)| if i == 4 || i == 7 { *b == b'-' } else { b.is_ascii_digit() });
    if !shape {
        return false;
    }
    let number = |range: std::ops::Range<usize>| text[range].parse::<u32>().unwrap_or(0);
    let (year, month, day) = (number(0..4), number(5..7), number(8..10));
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    };
    (1..=last).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::is_date;

    #[test]
    fn only_real_days_in_iso_form_are_dates() {
        assert!(is_date("2026-11-22") && is_date("2028-02-29") && is_date("2000-02-29"));
        for wrong in [
            "2026-02-29",
            "1900-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-1-1",
            "22/11/2026",
            "2026-11-31",
            "é026-11-2",
        ] {
            assert!(!is_date(wrong), "{wrong}");
        }
    }
}
