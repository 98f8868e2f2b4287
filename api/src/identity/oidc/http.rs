//! Requests to the identity provider: over TLS, without redirects, within a time and a size.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Once;
use std::time::Duration;

use openidconnect::http::Response;
use openidconnect::url::{Host, Url};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use reqwest::redirect::Policy;
use thiserror::Error;

use crate::problem::Problem;

/// For a whole exchange: people wait for it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Documents and sets of keys take some kilobytes.
const MOST_BYTES: usize = 1 << 20;

/// Why a provider was not heard.
#[derive(Debug, Error)]
pub enum HttpError {
    /// No answer, or none in time.
    #[error("no answer: {0}")]
    Unheard(#[from] reqwest::Error),
    /// The provider named an address that others could listen to.
    #[error("{0} is not an https URL")]
    Unsafe(String),
    /// The answer is too long.
    #[error("the answer is longer than {MOST_BYTES} bytes")]
    TooLong,
    /// The answer cannot be taken over.
    #[error("an answer that cannot be read: {0}")]
    Unreadable(#[from] openidconnect::http::Error),
}

/// Gives clients of this process what TLS computes with.
pub fn provide_tls() {
    static PROVIDER: Once = Once::new();
    // Only fails where the process has one already, which serves as well.
    PROVIDER.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
}

/// A client of the provider.
pub struct Http(reqwest::Client);

impl Http {
    /// Takes the certificates that the system trusts.
    ///
    /// # Errors
    /// A system that trusts none.
    pub fn new() -> Result<Self, Problem> {
        provide_tls();
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .timeout(PATIENCE)
            .no_proxy()
            .user_agent(concat!("attelage/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(Problem::internal)?;
        Ok(Self(client))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        if !is_private(request.url()) {
            return Err(HttpError::Unsafe(request.url().to_string()));
        }
        let mut answer = self.0.execute(request).await?;
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await? {
            if body.len() + part.len() > MOST_BYTES {
                return Err(HttpError::TooLong);
            }
            body.extend_from_slice(&part);
        }
        let mut response = Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            response = response.header(name, value);
        }
        Ok(response.body(body)?)
    }
}

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}

/// Whether nobody on the way can listen: over TLS, or without leaving this machine.
pub fn is_private(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return false,
    };
    url.scheme() == "https" || url.scheme() == "http" && is_here
}
