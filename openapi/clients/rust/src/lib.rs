//! A client of the Attelage API, made from its OpenAPI document by `build.rs`.
//!
//! Each operation is a method of [`Client`] that takes its parameters by name, and each schema a type in [`types`]:
//!
//! ```no_run
//! # async fn first_call() -> Result<(), Box<dyn std::error::Error>> {
//! let attelage = attelage_client::Client::with_key("http://127.0.0.1:8080", "attelage_key_…")?;
//! for call in attelage.list_calls().send().await?.into_inner().items {
//!     println!("{}", *call.title);
//! }
//! # Ok(())
//! # }
//! ```

#[allow(clippy::all, clippy::pedantic, missing_docs, unused)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/generated.rs"));
}

pub use generated::*;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};

/// Why there is no client.
pub type ConnectError = Box<dyn std::error::Error>;

impl Client {
    /// A client of the service at `base` (`http://host:port`) that shows a key; [`Client::new`] makes one that shows nothing.
    ///
    /// # Errors
    /// A key that no header can hold.
    pub fn with_key(base: &str, key: &str) -> Result<Self, ConnectError> {
        let mut value = HeaderValue::from_str(&format!("Bearer {key}"))?;
        value.set_sensitive(true);
        let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
        Ok(Self::new_with_client(base, reqwest::Client::builder().default_headers(headers).build()?))
    }

    /// Imports a file: `POST /v1/imports`, of which the generator knows no body.
    ///
    /// # Errors
    /// A service that cannot be reached, or that refuses the file.
    pub async fn import(
        &self,
        kind: types::ImportKind,
        file: impl Into<reqwest::Body>,
    ) -> Result<ResponseValue<types::Import>, Error<types::ProblemDetails>> {
        let request = self.client().post(format!("{}/v1/imports", self.baseurl())).query(&[("kind", kind)]);
        let response = request.header(CONTENT_TYPE, "text/csv").body(file).send().await?;
        if response.status().is_success() {
            ResponseValue::from_response(response).await
        } else {
            Err(Error::ErrorResponse(ResponseValue::from_response(response).await?))
        }
    }
}
