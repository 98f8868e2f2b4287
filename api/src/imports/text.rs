//! From uploaded bytes to clean text.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::report::{Faults, NotThisFormat, Report, RowProblem};
use crate::fold::fold;

/// How the bytes of a file were written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, with or without its mark.
    Utf8,
    /// Windows-1252, of which Latin-1 is a part.
    Windows1252,
    /// Lines in UTF-8 and lines in Windows-1252, as files that were glued together.
    Mixed,
}

impl Encoding {
    /// Notes in the report, once, that the file was not in UTF-8.
    pub(super) fn note(self, log: &mut Report) {
        let message = match self {
            Self::Utf8 => return,
            Self::Windows1252 => "the file is not in UTF-8; it was read as Windows-1252 (Latin-1)",
            Self::Mixed => "some lines are not in UTF-8; they were read as Windows-1252 (Latin-1)",
        };
        Faults::of_line(1, log).correct("", "", RowProblem::ForeignEncoding, message);
    }
}

/// What separates the fields of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Delimiter {
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tabulation.
    Tab,
}

impl Delimiter {
    /// The character itself.
    #[must_use]
    pub fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }

    /// The delimiter under which the header line has most of the `known` columns; a comma when none helps.
    #[must_use]
    pub fn of_header(header: &str, known: &[&str]) -> Self {
        let hits = |delimiter: Self| {
            let columns = header.split(char::from(delimiter.byte()));
            columns.filter(|column| known.contains(&column_name(column).as_str())).count()
        };
        // The last of equal maxima wins, hence the comma at the end.
        [Self::Tab, Self::Semicolon, Self::Comma].into_iter().max_by_key(|&d| hits(d)).unwrap_or(Self::Comma)
    }
}

/// The text of a file and how it was written.
///
/// UTF-8 with or without its mark; else Windows-1252, decided line by line so that one stray byte does not garble the
/// whole file. Line ends of old Macs become line feeds. O(length).
///
/// # Errors
/// [`NotThisFormat::Empty`] without a visible character, [`NotThisFormat::NotText`] when there is a NUL or UTF-16.
pub fn decode(bytes: &[u8]) -> Result<(Cow<'_, str>, Encoding), NotThisFormat> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        return Err(NotThisFormat::NotText { reason: "it is in UTF-16; save it as CSV in UTF-8" });
    }
    if bytes.contains(&0) {
        return Err(NotThisFormat::NotText { reason: "it contains NUL; a spreadsheet must be saved as CSV first" });
    }
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let (mut text, encoding) = match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), Encoding::Utf8),
        Err(_) => decode_by_line(bytes),
    };
    if text.trim().is_empty() {
        return Err(NotThisFormat::Empty);
    }
    if !text.contains('\n') && text.contains('\r') {
        text = Cow::Owned(text.replace('\r', "\n"));
    }
    Ok((text, encoding))
}

fn decode_by_line(bytes: &[u8]) -> (Cow<'_, str>, Encoding) {
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    let mut encoding = Encoding::Windows1252;
    for line in bytes.split_inclusive(|&b| b == b'\n') {
        match std::str::from_utf8(line) {
            Ok(line) => {
                if !line.is_ascii() {
                    encoding = Encoding::Mixed;
                }
                text.push_str(line);
            }
            Err(_) => text.push_str(&WINDOWS_1252.decode_without_bom_handling(line).0),
        }
    }
    (Cow::Owned(text), encoding)
}

/// The name of a column as headers compare: lower case, without accents, `_` between words.
#[must_use]
pub fn column_name(header: &str) -> String {
    fold(header).replace(' ', "_")
}

/// A text without markup, entities, odd spaces and control characters, and whether it had markup or entities.
///
/// Line ends survive, `<br>` and the end of a paragraph or list item become one. A lone `<` stays.
#[must_use]
pub fn clean(text: &str) -> (String, bool) {
    if is_clean(text) {
        return (text.to_owned(), false);
    }
    let (decoded, entities) = decode_entities(text);
    let (plain, tags) = strip_tags(&decoded);
    let mut clean = String::with_capacity(plain.len());
    for line in plain.lines() {
        let before = clean.len();
        for word in line.split(|c: char| c.is_whitespace() || c.is_control() || c == '\u{200b}' || c == '\u{feff}') {
            if !word.is_empty() {
                if clean.len() > before {
                    clean.push(' ');
                }
                clean.push_str(word);
            }
        }
        if clean.len() > before {
            clean.push('\n');
        }
    }
    clean.truncate(clean.trim_end().len());
    (clean, entities || tags)
}

/// Whether [`clean`] would change nothing, for the plain line that most fields are.
fn is_clean(text: &str) -> bool {
    let plain = text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'<' && b != b'&');
    plain && !text.starts_with(' ') && !text.ends_with(' ') && !text.contains("  ")
}

fn strip_tags(text: &str) -> (Cow<'_, str>, bool) {
    if !text.contains('<') {
        return (Cow::Borrowed(text), false);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    let mut found = false;
    while let Some(start) = rest.find('<') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let opens = rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
        let end = rest[1..].find(['<', '>']).map(|i| i + 1);
        match end {
            Some(end) if opens && rest.as_bytes()[end] == b'>' => {
                let tag = rest[1..end].to_ascii_lowercase();
                let breaks = ["br", "/p", "/li", "/ul", "/ol", "/div", "ul", "ol"];
                plain.push_str(if breaks.contains(&tag.trim_end_matches(['/', ' '])) { "\n" } else { " " });
                rest = &rest[end + 1..];
                found = true;
            }
            _ => {
                plain.push('<');
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    (Cow::Owned(plain), found)
}

fn decode_entities(text: &str) -> (Cow<'_, str>, bool) {
    if !text.contains('&') {
        return (Cow::Borrowed(text), false);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    let mut found = false;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        let end = rest.char_indices().take(10).find(|&(_, c)| c == ';').map(|(i, _)| i);
        if let Some((end, character)) = end.and_then(|end| Some((end, entity(&rest[1..end])?))) {
            plain.push(character);
            rest = &rest[end + 1..];
            found = true;
        } else {
            plain.push('&');
            rest = &rest[1..];
        }
    }
    plain.push_str(rest);
    (Cow::Owned(plain), found)
}

fn entity(name: &str) -> Option<char> {
    let number = name.strip_prefix('#');
    match (name, number) {
        ("amp", _) => Some('&'),
        ("lt", _) => Some('<'),
        ("gt", _) => Some('>'),
        ("quot", _) => Some('"'),
        ("apos" | "rsquo", _) => Some('’'),
        ("nbsp", _) => Some(' '),
        ("eacute", _) => Some('é'),
        ("egrave", _) => Some('è'),
        ("agrave", _) => Some('à'),
        (_, Some(number)) => {
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                None => number.parse(),
            };
            code.ok().and_then(char::from_u32).filter(|c| *c != '\0')
        }
        _ => None,
    }
}

/// A decimal number and whether its notation was corrected: spaces of any width, and a comma for the point.
///
/// `None` for what is not a finite number. Exponents are refused: in these files they are damage done by spreadsheets.
#[must_use]
pub fn number(text: &str) -> Option<(f64, bool)> {
    let compact: String = text.trim().chars().filter(|c| !c.is_whitespace()).collect();
    let plain = compact.replace(',', ".");
    let digits = plain.strip_prefix(['-', '+']).unwrap_or(&plain);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let value: f64 = plain.parse().ok()?;
    value.is_finite().then_some((value, plain != text.trim()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{Delimiter, Encoding, clean, decode, number};
    use crate::imports::NotThisFormat;

    #[test]
    fn the_mark_of_utf_8_is_dropped() {
        let (text, encoding) = decode(b"\xEF\xBB\xBFid,nom\n").unwrap();
        assert_eq!((text.as_ref(), encoding), ("id,nom\n", Encoding::Utf8));
    }

    #[test]
    fn latin_1_is_read_and_named() {
        let (text, encoding) = decode(b"nom\nM\xE9diath\xE8que \x96 \x80\n").unwrap();
        assert_eq!((text.as_ref(), encoding), ("nom\nMédiathèque – €\n", Encoding::Windows1252));
    }

    #[test]
    fn one_stray_byte_leaves_the_other_lines_alone() {
        let (text, encoding) = decode(b"\xC3\x89cully\nD\xE9cines\n").unwrap();
        assert_eq!((text.as_ref(), encoding), ("Écully\nDécines\n", Encoding::Mixed));
    }

    #[test]
    fn what_is_no_text_is_refused() {
        assert_eq!(decode(b""), Err(NotThisFormat::Empty));
        assert_eq!(decode(b"\xEF\xBB\xBF \r\n"), Err(NotThisFormat::Empty));
        assert!(matches!(decode(b"PK\x03\x04\x00"), Err(NotThisFormat::NotText { .. })));
        assert!(matches!(decode(b"\xFF\xFEi\x00d\x00"), Err(NotThisFormat::NotText { .. })));
    }

    #[test]
    fn line_ends_of_old_macs_are_line_ends() {
        assert_eq!(decode(b"a\rb\r").unwrap().0, "a\nb\n");
    }

    #[test]
    fn the_header_tells_the_delimiter() {
        let known = ["id", "nom", "commune"];
        assert_eq!(Delimiter::of_header("id;nom;commune", &known), Delimiter::Semicolon);
        assert_eq!(Delimiter::of_header("\"id\"\t\"NOM\"\tx", &known), Delimiter::Tab);
        assert_eq!(Delimiter::of_header("id,nom,a;b;c;d", &known), Delimiter::Comma);
        assert_eq!(Delimiter::of_header("nothing", &known), Delimiter::Comma);
    }

    #[test]
    fn markup_goes_and_text_stays() {
        assert_eq!(
            clean("<p>Lundi :<br/>9h&nbsp;&ndash; 12h</p> 1 < 2"),
            ("Lundi :\n9h &ndash; 12h\n1 < 2".into(), true)
        );
        assert_eq!(clean("Clic&#39; &amp; Ressources"), ("Clic' & Ressources".into(), true));
        assert_eq!(clean("&lt;script&gt;alert(1)&lt;/script&gt;").0, "alert(1)");
        assert_eq!(clean("  Espace\u{a0}:\u{202f}public \n\n ici\u{200b} "), ("Espace : public\nici".into(), false));
        assert_eq!(clean("a <b"), ("a <b".into(), false));
    }

    #[test]
    fn numbers_come_in_french_as_well() {
        assert_eq!(number("45.75"), Some((45.75, false)));
        assert_eq!(number("45,75"), Some((45.75, true)));
        assert_eq!(number("1\u{202f}433\u{a0}613"), Some((1_433_613.0, true)));
        assert_eq!(number("-20.88"), Some((-20.88, false)));
        for text in ["", "x", "1e5", "NaN", "inf", "1.2.3", "--1", "1,234,567", ".", "-"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
