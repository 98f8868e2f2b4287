//! Codes that clients choose, of terms, territories, lots and needs; names to search for; digests.

use sha2::{Digest as _, Sha256};

use crate::fold::fold;
use crate::problem::{Fault, Problem};

/// What a code must be, for people.
pub const EXPECTED: &str = "1 to 64 letters, digits, `-`, `_`, `.` or `:`";

/// Whether a text is a code.
#[must_use]
pub fn is_code(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}

/// The part of a name to search for, as names are searched.
///
/// # Errors
/// A text that is too long, or that has neither a letter nor a digit and would find everything.
pub fn searched(parameter: &str, text: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let folded = fold(text);
    if folded.is_empty() || text.chars().count() > 300 {
        return Err(Problem::malformed(vec![Fault::parameter(
            parameter,
            "1 to 300 characters, with a letter or a digit",
        )]));
    }
    Ok(Some(folded))
}

/// The SHA-256 of `bytes`, in lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
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
