//! A client of the Attelage API, made from its OpenAPI document by `build.rs`.
//!
//! Each operation is a method of [`Client`] that takes its parameters by name, and each schema a type in [`types`]:
//!
//! ```no_run
//! # async fn first_call() -> Result<(), Box<dyn std::error::Error>> {
//! let attelage = attelage_client::Client::new("http://127.0.0.1:8080");
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
use reqwest::header::CONTENT_TYPE;

impl Client {
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
