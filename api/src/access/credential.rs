//! Secrets: how they are made, how they look, and what is kept of them.
//!
//! A secret has 256 random bits, written in hexadecimal after a prefix that tells what it is, so that scanners find leaked ones, and
//! before a checksum, so that a mistyped one is refused without a query. Only its SHA-256 is kept: a secret of 256 random bits needs no
//! slow hash. It is shown once.

use sha2::{Digest as _, Sha256};

use crate::codes::{hex, sha256_hex};
use crate::problem::Problem;

const SECRET_BYTES: usize = 32;
const CHECK_BYTES: usize = 4;
/// Characters of a secret that lists show, so that people tell keys apart: 32 of its 256 bits.
const SHOWN: usize = 8;

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A key of an organisation or of the platform.
    ApiKey,
    /// A signed-in person.
    Session,
    /// Lets whoever holds it join an organisation.
    Invitation,
}

impl Kind {
    const ALL: [Self; 3] = [Self::ApiKey, Self::Session, Self::Invitation];

    /// What a secret of this kind begins with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::ApiKey => "attelage_key_",
            Self::Session => "attelage_session_",
            Self::Invitation => "attelage_invitation_",
        }
    }
}

/// A secret in clear: to be handed out, or as it was sent. Never logged: it has no `Debug`.
#[derive(Clone)]
pub struct Secret {
    kind: Kind,
    text: String,
}

impl Secret {
    /// A fresh secret, from the system's generator.
    ///
    /// # Errors
    /// A system without one.
    pub fn generate(kind: Kind) -> Result<Self, Problem> {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes).map_err(Problem::internal)?;
        let body = hex(&bytes);
        let text = format!("{}{body}{}", kind.prefix(), checksum(kind, &body));
        Ok(Self { kind, text })
    }

    /// Reads a secret; `None` where it cannot be one of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let kind = Kind::ALL.into_iter().find(|kind| text.starts_with(kind.prefix()))?;
        let rest = text.strip_prefix(kind.prefix())?;
        let (body, check) = rest.split_at_checked(2 * SECRET_BYTES)?;
        let is_hex = |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (is_hex(body) && checksum(kind, body) == check).then(|| Self { kind, text: text.to_owned() })
    }

    /// What it is for.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What is kept of it.
    #[must_use]
    pub fn digest(&self) -> String {
        sha256_hex(self.text.as_bytes())
    }

    /// What lists show of it.
    #[must_use]
    pub fn shown(&self) -> String {
        self.text.chars().take(self.kind.prefix().len() + SHOWN).collect()
    }

    /// The secret itself, to be handed out once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }
}

fn checksum(kind: Kind, body: &str) -> String {
    let digest = Sha256::new().chain_update(kind.prefix()).chain_update(body).finalize();
    hex(&digest[..CHECK_BYTES])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_secret_is_read_back_and_two_are_never_the_same() {
        for kind in Kind::ALL {
            let secret = Secret::generate(kind).unwrap_or_else(|_| unreachable!());
            let read = Secret::parse(secret.reveal()).unwrap();
            assert_eq!((read.kind(), read.digest()), (kind, secret.digest()));
            assert!(secret.reveal().starts_with(&secret.shown()));
            assert_ne!(Secret::generate(kind).unwrap_or_else(|_| unreachable!()).digest(), secret.digest());
        }
    }

    #[test]
    fn a_mistyped_secret_is_none() {
        let secret = Secret::generate(Kind::ApiKey).unwrap_or_else(|_| unreachable!());
        let text = secret.reveal();
        let last = if text.ends_with('0') { "1" } else { "0" };
        let swapped = text.replacen("attelage_key_", "attelage_session_", 1);
        let mistyped = format!("{}{last}", &text[..text.len() - 1]);
        for wrong in [
            "",
            "attelage_key_",
            &text[1..],
            &text[..text.len() - 1],
            &mistyped,
            &swapped,
            &format!("{text}0"),
            &text.to_uppercase(),
        ] {
            assert!(Secret::parse(wrong).is_none(), "{wrong}");
        }
    }
}
