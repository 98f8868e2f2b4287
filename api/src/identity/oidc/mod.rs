//! Signing in with an identity provider, by `OpenID` Connect: authorization code flow with PKCE.
//!
//! 1. `routes` sends the browser to the provider, with a sealed cookie that holds what is `pending`.
//! 2. The browser comes back with a code; `provider` turns it into what the provider vouches for.
//! 3. `routes` finds the person, or makes an account for one whose address is verified, and opens a session.

use openidconnect::{ClientId, ClientSecret, IssuerUrl, RedirectUrl};
use thiserror::Error;

mod http;
mod pending;
mod provider;
pub(crate) mod routes;

pub use http::provide_tls;
pub use provider::Provider;

/// Where the browser comes back to.
pub const CALLBACK: &str = "/v1/oidc/callback";

/// What an installation and its provider have agreed.
#[derive(Clone, Debug)]
pub struct Settings {
    issuer: IssuerUrl,
    client: ClientId,
    secret: ClientSecret,
    redirect: RedirectUrl,
    scopes: Vec<String>,
    addresses_are_verified: bool,
}

/// What is wrong with the settings of a provider.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SettingsError {
    /// Not a URL over TLS.
    #[error("{0} must be an https URL (http on this machine only)")]
    Address(&'static str),
    /// Leads elsewhere.
    #[error("--oidc-redirect-url must end with {CALLBACK}")]
    Callback,
    /// Nothing to show to the provider.
    #[error("the file of --oidc-client-secret-file is empty")]
    NoSecret,
}

impl Settings {
    /// Settings that can be used. `scopes` are asked for beside `openid`.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn new(issuer: &str, client: &str, secret: &str, redirect: &str, scopes: &str) -> Result<Self, SettingsError> {
        let issuer = IssuerUrl::new(issuer.to_owned()).map_err(|_| SettingsError::Address("--oidc-issuer"))?;
        let redirect =
            RedirectUrl::new(redirect.to_owned()).map_err(|_| SettingsError::Address("--oidc-redirect-url"))?;
        if !http::is_private(issuer.url()) {
            return Err(SettingsError::Address("--oidc-issuer"));
        }
        if !http::is_private(redirect.url()) {
            return Err(SettingsError::Address("--oidc-redirect-url"));
        }
        if redirect.url().path() != CALLBACK {
            return Err(SettingsError::Callback);
        }
        if secret.trim().is_empty() {
            return Err(SettingsError::NoSecret);
        }
        Ok(Self {
            issuer,
            client: ClientId::new(client.to_owned()),
            secret: ClientSecret::new(secret.trim().to_owned()),
            redirect,
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
            addresses_are_verified: false,
        })
    }

    /// Takes addresses of which the provider does not say whether it has verified them for verified.
    #[must_use]
    pub fn with_verified_addresses(mut self) -> Self {
        self.addresses_are_verified = true;
        self
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn settings(issuer: &str, secret: &str, redirect: &str) -> Result<Settings, SettingsError> {
        Settings::new(issuer, "attelage", secret, redirect, "email profile")
    }

    #[test]
    fn a_secret_is_read_from_nowhere_in_clear() {
        let settings = settings("https://id.example", "tr0ub4dor\n", "https://a.example/v1/oidc/callback").unwrap();
        assert!(!format!("{settings:?}").contains("tr0ub4dor"));
        assert_eq!(settings.secret.secret(), "tr0ub4dor");
    }

    #[test]
    fn what_cannot_work_is_said() {
        let callback = "https://a.example/v1/oidc/callback";
        for (issuer, secret, redirect, wrong) in [
            ("http://id.example", "s", callback, SettingsError::Address("--oidc-issuer")),
            ("id.example", "s", callback, SettingsError::Address("--oidc-issuer")),
            (
                "https://id.example",
                "s",
                "http://a.example/v1/oidc/callback",
                SettingsError::Address("--oidc-redirect-url"),
            ),
            ("https://id.example", "s", "https://a.example/", SettingsError::Callback),
            ("https://id.example", " \n", callback, SettingsError::NoSecret),
        ] {
            assert_eq!(settings(issuer, secret, redirect).unwrap_err(), wrong, "{issuer} {redirect}");
        }
        assert!(settings("http://127.0.0.1:9", "s", "http://localhost:8080/v1/oidc/callback").is_ok());
    }
}
