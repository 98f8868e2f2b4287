//! How people come in, as the installation has set it.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;

use super::oidc::{self, Provider};
use crate::problem::Problem;

/// What the installation sets.
#[derive(Default)]
pub struct Settings {
    /// The provider that people may sign in with.
    pub oidc: Option<oidc::Settings>,
    /// The header in which a reverse proxy tells the caller's address.
    pub address_header: Option<HeaderName>,
}

/// How people come in.
pub struct Entrance {
    provider: Option<Provider>,
    address_header: Option<HeaderName>,
}

impl Entrance {
    /// Opens it; `secret` is the installation's, and seals the cookies of unfinished sign-ins.
    ///
    /// # Errors
    /// A system that trusts no certificate.
    pub fn new(settings: Settings, secret: &[u8]) -> Result<Self, Problem> {
        let Settings { oidc, address_header } = settings;
        let provider = oidc.map(|oidc| Provider::new(oidc, secret)).transpose()?;
        Ok(Self { provider, address_header })
    }

    /// The provider that people may sign in with.
    ///
    /// # Errors
    /// 404 where there is none.
    pub fn provider(&self) -> Result<&Provider, Problem> {
        self.provider.as_ref().ok_or_else(|| Problem::not_found().because("no identity provider is configured here"))
    }

    /// From where a request comes: the last address in the proxy's header, which the proxy itself has added; without such a header, the
    /// other end of the connection.
    #[must_use]
    pub fn address(&self, request: &HttpRequest) -> Option<IpAddr> {
        let Some(header) = &self.address_header else { return request.peer_addr().map(|peer| peer.ip()) };
        let told = request.headers().get_all(header).last()?.to_str().ok()?;
        told.rsplit(',').next()?.trim().parse().ok()
    }
}
