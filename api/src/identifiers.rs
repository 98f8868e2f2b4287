//! Official numbers of French organisations, verified when they are read.
//!
//! A SIREN names a legal entity, a SIRET one of its sites, an RNA number an association.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// La Poste: its sites are too many for the ordinary checksum.
const LA_POSTE: &str = "356000000";

/// The number of a legal entity: nine digits whose Luhn checksum has been verified.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema, sea_orm::DeriveValueType,
)]
#[sea_orm(value_type = "String")]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[0-9]{9}$", example = "356000000")]
pub struct Siren(String);

/// The number of a site: the SIREN of its entity and five digits, both checksums verified.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema, sea_orm::DeriveValueType,
)]
#[sea_orm(value_type = "String")]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[0-9]{14}$", example = "35600000000048")]
pub struct Siret(String);

/// The number of an association in the national register: `W`, its département, seven digits. It has no checksum.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema, sea_orm::DeriveValueType,
)]
#[sea_orm(value_type = "String")]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^W[0-9][0-9A-Z][0-9]{7}$", example = "W691000000")]
pub struct Rna(String);

/// Why a text is not the number it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Zeros, `1`, `NC`…: what people type when they do not know. The number is unknown, not wrong.
    #[error("the value only fills the field: the number is unknown")]
    Placeholder,
    /// Not the right number of characters.
    #[error("{expected} characters are expected, {found} were found")]
    Length {
        /// How many the number has.
        expected: usize,
        /// How many the text has, spaces left out.
        found: usize,
    },
    /// A character that the number cannot have at this place.
    #[error("{character:?} cannot stand at this place")]
    Character {
        /// The first such character.
        character: char,
    },
    /// The shape is right, a digit is not.
    #[error("the checksum does not match: one of the digits is wrong")]
    Checksum,
}

impl Siret {
    /// The legal entity of this site.
    #[must_use]
    pub fn siren(&self) -> Siren {
        Siren(self.0[..9].to_owned())
    }
}

impl FromStr for Siren {
    type Err = IdentifierError;

    /// Accepts spaces between groups of digits.
    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let digits = digits(text, 9)?;
        if luhn_sum(&digits).is_multiple_of(10) { Ok(Self(digits)) } else { Err(IdentifierError::Checksum) }
    }
}

impl FromStr for Siret {
    type Err = IdentifierError;

    /// Accepts spaces between groups of digits.
    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let digits = digits(text, 14)?;
        let by_digits: u32 = digits.bytes().map(|b| u32::from(b - b'0')).sum();
        let site_holds =
            luhn_sum(&digits).is_multiple_of(10) || (digits.starts_with(LA_POSTE) && by_digits.is_multiple_of(5));
        if site_holds && luhn_sum(&digits[..9]).is_multiple_of(10) {
            Ok(Self(digits))
        } else {
            Err(IdentifierError::Checksum)
        }
    }
}

impl FromStr for Rna {
    type Err = IdentifierError;

    /// Accepts lower case and spaces.
    fn from_str(text: &str) -> Result<Self, IdentifierError> {
        let compact = compact(text)?.to_ascii_uppercase();
        for (position, character) in compact.chars().enumerate() {
            let fits = match position {
                0 => character == 'W',
                2 => character.is_ascii_digit() || character.is_ascii_uppercase(),
                _ => character.is_ascii_digit(),
            };
            if !fits {
                return Err(IdentifierError::Character { character });
            }
        }
        if compact.len() == 10 {
            Ok(Self(compact))
        } else {
            Err(IdentifierError::Length { expected: 10, found: compact.len() })
        }
    }
}

macro_rules! text_newtype {
    ($($name:ident),+) => {$(
        impl $name {
            /// The number without spaces.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdentifierError;

            fn try_from(text: String) -> Result<Self, IdentifierError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(number: $name) -> Self {
                number.0
            }
        }
    )+};
}

text_newtype!(Siren, Siret, Rna);

/// The digits of `text`, exactly `expected` of them.
fn digits(text: &str, expected: usize) -> Result<String, IdentifierError> {
    let compact = compact(text)?;
    if let Some(character) = compact.chars().find(|c| !c.is_ascii_digit()) {
        return Err(IdentifierError::Character { character });
    }
    if compact.len() == expected {
        Ok(compact)
    } else {
        Err(IdentifierError::Length { expected, found: compact.len() })
    }
}

/// `text` without spaces of any width, unless it is a placeholder.
fn compact(text: &str) -> Result<String, IdentifierError> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let mut characters = compact.chars();
    let first = characters.next();
    let one_repeated = characters.all(|c| Some(c) == first);
    let in_words = ["na", "n/a", "nc", "néant", "inconnu", "nonrenseigné", "null", "none"];
    if one_repeated || in_words.contains(&compact.to_lowercase().as_str()) {
        return Err(IdentifierError::Placeholder);
    }
    Ok(compact)
}

/// The Luhn sum: from the right, every second digit counts double, less nine when above nine.
fn luhn_sum(digits: &str) -> u32 {
    let weigh = |(position, byte): (usize, u8)| {
        let digit = u32::from(byte - b'0');
        match (position % 2, digit) {
            (0, _) => digit,
            (_, 0..=4) => 2 * digit,
            _ => 2 * digit - 9,
        }
    };
    digits.bytes().rev().enumerate().map(weigh).sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{IdentifierError, Rna, Siren, Siret};

    #[test]
    fn a_siret_gives_its_siren() {
        let siret: Siret = "732 829 320\u{202f}00074".parse().unwrap();
        assert_eq!(siret.as_str(), "73282932000074");
        assert_eq!(siret.siren(), "732829320".parse::<Siren>().unwrap());
    }

    #[test]
    fn one_wrong_digit_is_found() {
        assert_eq!("73282932000075".parse::<Siret>(), Err(IdentifierError::Checksum));
        assert_eq!("732829321".parse::<Siren>(), Err(IdentifierError::Checksum));
    }

    #[test]
    fn two_errors_that_hide_each_other_in_the_site_checksum_are_found_in_the_entity() {
        assert_eq!("82282932000073".parse::<Siret>(), Err(IdentifierError::Checksum));
    }

    #[test]
    fn the_post_office_has_its_own_rule() {
        assert!("35600000000048".parse::<Siret>().is_ok(), "its head office follows the ordinary rule");
        assert!("35600000012342".parse::<Siret>().is_err(), "digits that sum to 26");
        assert!("35600000012341".parse::<Siret>().is_ok(), "digits that sum to 25");
        assert!("73282932000079".parse::<Siret>().is_err(), "nobody else has this rule");
    }

    #[test]
    fn a_filler_is_unknown_rather_than_wrong() {
        for filler in ["", " ", "0", "1", "00000000000000", "-", "99999999999999", "NC", "Non renseigné"] {
            assert_eq!(filler.parse::<Siret>(), Err(IdentifierError::Placeholder), "{filler:?}");
            assert_eq!(filler.parse::<Rna>(), Err(IdentifierError::Placeholder), "{filler:?}");
        }
    }

    #[test]
    fn the_fault_of_shape_is_named() {
        assert_eq!("7328293200007".parse::<Siret>(), Err(IdentifierError::Length { expected: 14, found: 13 }));
        assert_eq!("7328293200007O".parse::<Siret>(), Err(IdentifierError::Character { character: 'O' }));
        assert_eq!("W69100000".parse::<Rna>(), Err(IdentifierError::Length { expected: 10, found: 9 }));
        assert_eq!("X691000001".parse::<Rna>(), Err(IdentifierError::Character { character: 'X' }));
    }

    #[test]
    fn associations_of_corsica_and_overseas_have_a_letter() {
        assert_eq!("w2a1000123".parse::<Rna>().unwrap().as_str(), "W2A1000123");
        assert_eq!("W9R1001234".parse::<Rna>().unwrap().as_str(), "W9R1001234");
    }

    #[test]
    fn json_is_checked_as_well() {
        assert!(serde_json::from_str::<Siren>("\"732829320\"").is_ok());
        assert!(serde_json::from_str::<Siren>("\"732829321\"").is_err());
    }
}
