//! Codes that clients choose: of terms, territories, lots and needs.

/// What a code must be, for people.
pub const EXPECTED: &str = "1 to 64 letters, digits, `-`, `_`, `.` or `:`";
/// The same for the document.
pub const PATTERN: &str = "^[A-Za-z0-9_.:-]{1,64}$";

/// Whether a text is a code.
#[must_use]
pub fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_no_space_slash_or_accent() {
        assert!(is_code("training-daily_tools.2:a"));
        for bad in ["", "a b", "a/b", "é", &"a".repeat(65)] {
            assert!(!is_code(bad), "{bad}");
        }
    }
}
