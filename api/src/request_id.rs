//! An id per request: in the `X-Request-Id` header, in every problem, in every log line.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use tracing::Instrument as _;
use uuid::Uuid;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: String;
}

/// The id of the request being answered; a fresh one outside of any request.
#[must_use]
pub fn current() -> String {
    CURRENT.try_with(Clone::clone).unwrap_or_else(|_| Uuid::now_v7().to_string())
}

/// Middleware: gives the request an id, logs it, and says it in the answer.
///
/// # Errors
/// Those of the service it wraps.
pub async fn assign<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let id = Uuid::now_v7().to_string();
    let span = tracing::info_span!("request", %id, method = %request.method(), path = request.path());
    CURRENT
        .scope(
            id.clone(),
            async move {
                let mut response = next.call(request).await?;
                if let Ok(value) = HeaderValue::from_str(&id) {
                    response.headers_mut().insert(HEADER, value);
                }
                tracing::info!(status = response.status().as_u16(), "answered");
                Ok(response)
            }
            .instrument(span),
        )
        .await
}
