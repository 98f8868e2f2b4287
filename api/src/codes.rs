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

/// A name as it is searched: lower case, without accents or punctuation, single spaces.
#[must_use]
pub fn search_form(name: &str) -> String {
    let folded: String = name.chars().flat_map(char::to_lowercase).map(fold).collect();
    let spaced: String = folded.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    let text = spaced.replace('œ', "oe").replace('æ', "ae");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The letter without its accent, for the letters of western European languages.
const fn fold(letter: char) -> char {
    match letter {
        'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'ç' => 'c',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'ì' | 'í' | 'î' | 'ï' => 'i',
        'ñ' => 'n',
        'ò' | 'ó' | 'ô' | 'õ' | 'ö' => 'o',
        'ù' | 'ú' | 'û' | 'ü' => 'u',
        'ý' | 'ÿ' => 'y',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_case_and_punctuation_do_not_matter_in_a_search() {
        assert_eq!(search_form("  Fréquences-Écoles (Œuvre)"), "frequences ecoles oeuvre");
    }

    #[test]
    fn a_code_has_no_space_slash_or_accent() {
        assert!(is_code("training-daily_tools.2:a"));
        for bad in ["", "a b", "a/b", "é", &"a".repeat(65)] {
            assert!(!is_code(bad), "{bad}");
        }
    }
}
