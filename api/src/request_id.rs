//! An id per request: in the `X-Request-Id` header, in every problem, in every log line, in its trace. What stands outermost, and so
//! sees every answer: it counts them and writes the line of each.

use std::time::Duration;

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::access::guard::Matched;
use crate::service::PROBES;
use crate::telemetry::metrics::Answering;
use crate::telemetry::traces::Span;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Of which trace its sender says that it is a part (W3C Trace Context).
const SENDER: HeaderName = HeaderName::from_static("traceparent");

tokio::task_local! {
    static CURRENT: Current;
}

struct Current {
    id: String,
    trace: Option<String>,
}

/// The id of the request being answered; a fresh one outside of any request.
#[must_use]
pub fn current() -> String {
    CURRENT.try_with(|current| current.id.clone()).unwrap_or_else(|_| Uuid::now_v7().to_string())
}

/// What makes work that is done later a part of the trace of the request being answered; none where no traces are sent.
#[must_use]
pub fn trace() -> Option<String> {
    CURRENT.try_with(|current| current.trace.clone()).ok().flatten()
}

/// Middleware: gives the request an id, says it in the answer, and tells those who operate the service what came of it: which operation,
/// which status, how long; neither its path nor its query, which hold ids and tokens.
///
/// # Errors
/// Those of the service it wraps.
pub async fn assign<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let answering = Answering::begin();
    let id = Uuid::now_v7().to_string();
    let (matched, method) = (Matched::by(&request), request.method().clone());
    let (operation, route) = (matched.operation(), matched.route());
    let sender = request.headers().get(SENDER).and_then(|value| value.to_str().ok());
    let mut span = Span::request(&method, route, operation, &id, sender);
    let line =
        tracing::info_span!("request", request_id = %id, operation, method = %method, route, trace_id = span.trace());
    let current = Current { id: id.clone(), trace: span.carried() };
    let answered = async move {
        let outcome = next.call(request).await;
        let status = match &outcome {
            Ok(response) => response.status(),
            Err(error) => error.as_response_error().status_code(),
        };
        span.answered(status);
        tell(operation, status, answering.answered(operation, &method, status));
        let mut response = outcome?;
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(HEADER, value);
        }
        Ok(response)
    };
    CURRENT.scope(current, answered.instrument(line)).await
}

/// One line a request. Those of who asks every second whether the process is well are for whoever looks for them.
fn tell(operation: &str, status: StatusCode, took: Duration) {
    let (status, duration_ms) = (status.as_u16(), u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    if PROBES.contains(&operation) && status == 200 {
        tracing::debug!(status, duration_ms, "answered");
    } else {
        tracing::info!(status, duration_ms, "answered");
    }
}
