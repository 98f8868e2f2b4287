//! The key under which two spellings of one name compare equal.

/// Lower case, no accents, no punctuation, single spaces: `L’Écluse, 8ᵉ` becomes `l ecluse 8e`.
///
/// It serves comparison only; what is stored and shown keeps its own spelling. O(length).
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut gap = false;
    for character in text.chars() {
        if is_combining(character) {
            continue;
        }
        let before = folded.len();
        if gap && before > 0 {
            folded.push(' ');
        }
        let start = folded.len();
        push_plain(&mut folded, character);
        if folded.len() == start {
            folded.truncate(before);
            gap = true;
        } else {
            gap = false;
        }
    }
    folded
}

/// Appends the plain letters of one character, or nothing when it separates words.
fn push_plain(folded: &mut String, character: char) {
    if character.is_ascii_alphanumeric() {
        folded.push(character.to_ascii_lowercase());
        return;
    }
    if character.is_ascii() {
        return;
    }
    for lower in character.to_lowercase() {
        match lower {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ā' => folded.push('a'),
            'ç' | 'ć' | 'č' => folded.push('c'),
            'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ě' | 'ᵉ' => folded.push('e'),
            'ì' | 'í' | 'î' | 'ï' | 'ī' => folded.push('i'),
            'ñ' | 'ń' => folded.push('n'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' | 'ō' => folded.push('o'),
            'š' | 'ś' => folded.push('s'),
            'ù' | 'ú' | 'û' | 'ü' | 'ū' => folded.push('u'),
            'ý' | 'ÿ' => folded.push('y'),
            'ž' | 'ź' => folded.push('z'),
            'œ' => folded.push_str("oe"),
            'æ' => folded.push_str("ae"),
            'ß' => folded.push_str("ss"),
            other if other.is_alphanumeric() => folded.push(other),
            _ => {}
        }
    }
}

/// Accents written as separate characters, as some systems do when they save `é` as `e` and an accent.
fn is_combining(character: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&character)
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn case_accents_and_punctuation_do_not_matter() {
        assert_eq!(fold("  L’Écluse – Pôle d'ŒUVRES (n° 8) "), "l ecluse pole d oeuvres n 8");
        assert_eq!(fold("Médiathèque"), fold("MEDIATHEQUE"));
    }

    #[test]
    fn an_accent_written_apart_equals_the_accented_letter() {
        assert_eq!(fold("De\u{301}cines"), fold("Décines"));
    }

    #[test]
    fn nothing_but_punctuation_folds_to_nothing() {
        assert_eq!(fold(" -–’ \u{202f}"), "");
    }
}
