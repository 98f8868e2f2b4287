//! How an event is posted: signed as Standard Webhooks says, without redirects, within a time.

use std::error::Error as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use reqwest::redirect::Policy;
use sha2::Sha256;
use uuid::Uuid;

use super::network::{AddressError, Reach};
use crate::identity::oidc;
use crate::problem::Problem;

/// How long a receiver may take for its whole answer.
pub const PATIENCE: Duration = Duration::from_secs(15);
/// How much of an answer is read, and kept.
const MOST_KEPT: usize = 1_000;
/// What secrets begin with.
const PREFIX: &str = "whsec_";

/// A secret, as it is handed out once.
#[must_use]
pub fn secret_text(secret: &[u8]) -> String {
    format!("{PREFIX}{}", STANDARD.encode(secret))
}

/// The value of `webhook-signature`: a signature for each secret.
///
/// # Errors
/// Only internal ones.
pub fn signature(secrets: &[Vec<u8>], id: Uuid, at: DateTime<Utc>, body: &[u8]) -> Result<String, Problem> {
    let mut signatures = Vec::with_capacity(secrets.len());
    for secret in secrets {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(Problem::internal)?;
        mac.update(format!("{id}.{}.", at.timestamp()).as_bytes());
        mac.update(body);
        signatures.push(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())));
    }
    Ok(signatures.join(" "))
}

/// What a receiver answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status; absent where there was no answer.
    pub status: Option<u16>,
    /// The beginning of the body, or why there was no answer.
    pub text: String,
}

impl Answer {
    fn none(why: impl Into<String>) -> Self {
        Self { status: None, text: why.into() }
    }

    /// Whether the receiver has the event.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// Posts events. Cheap to clone.
#[derive(Clone)]
pub struct Sender {
    client: reqwest::Client,
    reach: Reach,
}

impl Sender {
    /// Reaches what `reach` admits; over TLS with the certificates that the system trusts.
    ///
    /// # Errors
    /// A system that trusts none.
    pub fn new(reach: Reach) -> Result<Self, Problem> {
        oidc::provide_tls();
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .no_proxy()
            .dns_resolver(reach.clone())
            .build()
            .map_err(Problem::internal)?;
        Ok(Self { client, reach })
    }

    /// Posts an event once.
    pub async fn post(&self, url: &str, secrets: &[Vec<u8>], id: Uuid, at: DateTime<Utc>, body: Vec<u8>) -> Answer {
        let url = match self.reach.check(url) {
            Ok(url) => url,
            Err(error) => return Answer::none(error.to_string()),
        };
        let Ok(signature) = signature(secrets, id, at, &body) else { return Answer::none("it could not be signed") };
        let request = self
            .client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("attelage/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", id.to_string())
            .header("webhook-timestamp", at.timestamp().to_string())
            .header("webhook-signature", signature)
            .body(body);
        match request.send().await {
            Ok(answer) => read(answer).await,
            Err(error) => Answer::none(why(&error)),
        }
    }
}

/// The status, and the beginning of the body. A body that breaks off changes nothing: the status has been said.
async fn read(mut answer: reqwest::Response) -> Answer {
    let status = Some(answer.status().as_u16());
    let mut kept = Vec::new();
    while kept.len() < MOST_KEPT {
        match answer.chunk().await {
            Ok(Some(part)) => kept.extend_from_slice(&part),
            Err(error) if error.is_timeout() => return Answer::none("the answer did not end in time"),
            Ok(None) | Err(_) => break,
        }
    }
    kept.truncate(MOST_KEPT);
    Answer { status, text: String::from_utf8_lossy(&kept).replace('\0', "") }
}

/// Why there was no answer, in words that tell nothing of our side.
fn why(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(private) = inner.downcast_ref::<AddressError>() {
            return private.to_string();
        }
        cause = inner.source();
    }
    let text = match error {
        error if error.is_timeout() => "no answer in time",
        error if error.is_connect() => "no connection",
        _ => "the exchange broke off",
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_signature_is_that_of_standard_webhooks() {
        // Computed apart, with another implementation of HMAC-SHA256.
        let secret: Vec<u8> = (0..32).collect();
        let id: Uuid = "01a202d4-5b1c-7e0a-8f53-6a1f2b3c4d5e".parse().unwrap();
        let at = DateTime::from_timestamp(1_800_000_000, 999_000_000).unwrap();
        let one = signature(std::slice::from_ref(&secret), id, at, b"{\"type\":\"test.ping\"}").unwrap();
        assert_eq!(one, "v1,0epCpikrOHYfdDMEGp/fQLWJtOSla2GHfZdiPFd6Hwk=");
        assert_eq!(secret_text(&secret), "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=");
        let two = signature(&[secret.clone(), vec![9; 32]], id, at, b"{\"type\":\"test.ping\"}").unwrap();
        assert!(two.starts_with(&format!("{one} v1,")) && two.split(' ').count() == 2);
    }
}
