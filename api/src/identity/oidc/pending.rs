//! What is remembered while somebody is at the provider: in their browser, sealed.

use actix_web::cookie::{Cookie, SameSite, time};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::database::now;
use crate::problem::Problem;

/// Name of the cookie.
pub const COOKIE: &str = "__Host-attelage-oidc";
/// How long somebody may take at the provider.
pub const LASTS: TimeDelta = TimeDelta::minutes(10);
const NONCE_BYTES: usize = 24;

/// A sign-in that has begun.
#[derive(Serialize, Deserialize)]
pub struct Pending {
    /// Comes back with the browser.
    pub state: String,
    /// Comes back in the identity token.
    pub nonce: String,
    /// Shows the provider that whoever brings the code has asked for it.
    pub verifier: String,
    /// Until when it can be finished.
    pub until: DateTime<Utc>,
    /// Whose account shall be linked; absent where somebody signs in.
    pub link: Option<Link>,
}

/// An account that shall be linked.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Link {
    /// Whose.
    pub person: Uuid,
    /// In which session they asked for it.
    pub session: Uuid,
}

/// Seals what browsers keep, so that they can neither read nor make it.
pub struct Seal(XChaCha20Poly1305);

impl Seal {
    /// With a secret of the installation.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        Self(XChaCha20Poly1305::new(&<[u8; 32]>::from(Sha256::digest(secret)).into()))
    }

    /// A cookie that holds it.
    ///
    /// Unlike a session's, it is sent when the provider sends the browser back (`Lax`).
    ///
    /// # Errors
    /// A system without a generator.
    pub fn cookie(&self, pending: &Pending) -> Result<Cookie<'static>, Problem> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(Problem::internal)?;
        let text = serde_json::to_vec(pending).map_err(Problem::internal)?;
        let payload = Payload { msg: &text, aad: COOKIE.as_bytes() };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).map_err(Problem::internal)?;
        let value = URL_SAFE_NO_PAD.encode([nonce.as_slice(), &sealed].concat());
        let mut cookie = blank(value);
        cookie.set_max_age(time::Duration::seconds(LASTS.num_seconds()));
        Ok(cookie)
    }

    /// What a cookie holds; `None` where it is not ours, or too old.
    #[must_use]
    pub fn open(&self, value: &str) -> Option<Pending> {
        let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: COOKIE.as_bytes() };
        let text = self.0.decrypt(&XNonce::from(*nonce), payload).ok()?;
        let pending: Pending = serde_json::from_slice(&text).ok()?;
        (pending.until > now()).then_some(pending)
    }
}

/// Takes the cookie out of the browser.
#[must_use]
pub fn removal() -> Cookie<'static> {
    let mut gone = blank(String::new());
    gone.make_removal();
    gone
}

fn blank(value: String) -> Cookie<'static> {
    Cookie::build(COOKIE, value).path("/").secure(true).http_only(true).same_site(SameSite::Lax).finish()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn pending(until: DateTime<Utc>) -> Pending {
        Pending { state: "s".to_owned(), nonce: "n".to_owned(), verifier: "v".to_owned(), until, link: None }
    }

    #[test]
    fn only_what_this_installation_sealed_is_opened_and_only_in_time() {
        let seal = Seal::new(b"one");
        let cookie = seal.cookie(&pending(now() + LASTS)).unwrap();
        let value = cookie.value();
        assert_eq!(seal.open(value).unwrap().verifier, "v");
        assert!(Seal::new(b"other").open(value).is_none());
        for place in 0..value.len() {
            let mut altered = value.to_owned().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(altered).unwrap();
            assert!(seal.open(&altered).is_none(), "{place}");
        }
        assert!(seal.open("").is_none() && seal.open(&value[..20]).is_none());
        let late = seal.cookie(&pending(now())).unwrap();
        assert!(seal.open(late.value()).is_none());
    }
}
