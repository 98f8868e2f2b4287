//! Links that end the mails to a person: whoever has one needs no other credential (RFC 8058).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use uuid::Uuid;

use crate::problem::Problem;

const ID_BYTES: usize = 16;
const PURPOSE: &[u8] = b"attelage unsubscribe 1";

/// Makes and reads links. Cheap to clone.
#[derive(Clone)]
pub struct Links(Vec<u8>);

impl Links {
    /// Name of the secret of the installation that authenticates links.
    pub const SECRET: &'static str = "unsubscribe-key";

    /// Wraps the secret of the installation.
    #[must_use]
    pub const fn new(secret: Vec<u8>) -> Self {
        Self(secret)
    }

    /// The path that ends the mails to a person.
    ///
    /// # Errors
    /// Only internal ones.
    pub fn path(&self, person: Uuid) -> Result<String, Problem> {
        let tag = self.mac(person)?.finalize().into_bytes();
        let token = URL_SAFE_NO_PAD.encode([person.as_bytes().as_slice(), &tag].concat());
        Ok(format!("/v1/unsubscribe/{token}"))
    }

    /// Whose link it is; `None` where it is not one of ours.
    ///
    /// # Errors
    /// Only internal ones.
    pub fn person(&self, token: &str) -> Result<Option<Uuid>, Problem> {
        let Ok(bytes) = URL_SAFE_NO_PAD.decode(token) else { return Ok(None) };
        let Some((person, tag)) = bytes.split_at_checked(ID_BYTES) else { return Ok(None) };
        let Ok(person) = Uuid::from_slice(person) else { return Ok(None) };
        Ok(self.mac(person)?.verify_slice(tag).is_ok().then_some(person))
    }

    fn mac(&self, person: Uuid) -> Result<Hmac<Sha256>, Problem> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).map_err(Problem::internal)?;
        Ok(mac.chain_update(PURPOSE).chain_update(person.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_link_is_of_one_person_and_cannot_be_made_without_the_secret() {
        let (links, person) = (Links::new(vec![1; 32]), Uuid::from_u128(7));
        let path = links.path(person).unwrap();
        let token = path.rsplit('/').next().unwrap();
        assert_eq!(links.person(token).unwrap(), Some(person));
        assert_eq!(Links::new(vec![2; 32]).person(token).unwrap(), None);
        let other = URL_SAFE_NO_PAD.encode([Uuid::from_u128(8).as_bytes().as_slice(), &[0; 32]].concat());
        for forged in ["", "x", &token[1..], &token[..token.len() - 2], &other, "é"] {
            assert_eq!(links.person(forged).unwrap(), None, "{forged}");
        }
    }
}
