//! `Prefer: wait=N` (RFC 7240): how long a caller would rather wait than ask again.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;

use crate::limits::crowd;

const PREFER: HeaderName = HeaderName::from_static("prefer");
const LONGEST_WAIT: u64 = 60;

/// How long the caller would wait; at most a minute. Whoever waits leaves their place to others.
#[must_use]
pub fn wait(request: &HttpRequest) -> Duration {
    let headers = request.headers().get_all(PREFER).filter_map(|value| value.to_str().ok());
    let wait = headers
        .flat_map(|value| value.split(','))
        .find_map(|preference| preference.trim().strip_prefix("wait=")?.parse::<u64>().ok());
    let wait = Duration::from_secs(wait.unwrap_or(0).min(LONGEST_WAIT));
    if !wait.is_zero() {
        crowd::leave(request);
    }
    wait
}
