//! What surrounds every answer: headers that tell browsers what they may do with it, and other sites whether they may ask.

use actix_cors::{Cors, CorsError};
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, ResponseError as _};

use crate::problem::{Kind, Problem};

/// What is said about the service to the outside.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Where people and programs find the service: `https://…`.
    pub public_url: Option<String>,
    /// Sites whose pages may call it; `*` for all.
    pub cors_origins: Vec<String>,
    /// Where to report a vulnerability: a URI.
    pub security_contact: Option<String>,
}

/// Refuses a request whose body, if it has one, has not been read. The server ends such a connection, and this says so: whoever asks
/// would else send the next request into it.
pub(crate) fn refuse_unread(request: ServiceRequest, problem: &Problem) -> ServiceResponse<BoxBody> {
    let headers = request.headers();
    let announced = headers.get(header::CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0");
    let mut refusal = problem.error_response();
    if announced || headers.contains_key(header::TRANSFER_ENCODING) {
        refusal.head_mut().set_connection_type(ConnectionType::Close);
    }
    request.into_response(refusal)
}

/// Nothing is loaded, run or framed: enough for JSON, and for pages of text.
const NOTHING: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// The page that asks whether to end mails has a form, which leads to itself.
const FORM: &str = "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// The reference page runs its own scripts only, none of them inline. Its library writes `style` attributes.
const REFERENCE: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const GUARDS: [(HeaderName, &str); 7] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
    (header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
    (header::PERMISSIONS_POLICY, "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
];

/// Middleware: gives every answer the headers of a careful service.
///
/// # Errors
/// Those of the service it wraps.
pub async fn protect<B: MessageBody>(request: ServiceRequest, next: Next<B>) -> Result<ServiceResponse<B>, Error> {
    let settings = request.app_data::<Data<Settings>>();
    let is_https = settings.is_some_and(|own| own.public_url.as_deref().is_some_and(|url| url.starts_with("https://")));
    let policy = match request.path() {
        path if path.starts_with("/docs/") => REFERENCE,
        path if path.starts_with("/v1/unsubscribe/") => FORM,
        _ => NOTHING,
    };
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    for (name, value) in GUARDS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    if is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    Ok(response)
}

/// What pages of other sites may ask: nothing, unless their site is listed. They send keys, never the cookie of a session.
pub fn cors(settings: &Settings) -> Cors {
    let sent = ["authorization", "content-type", "idempotency-key", "if-match", "prefer"];
    let read = [
        "allow",
        "deprecation",
        "etag",
        "link",
        "location",
        "ratelimit",
        "ratelimit-policy",
        "retry-after",
        "sunset",
        "x-request-id",
    ];
    let cors = Cors::default()
        .allowed_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allowed_headers(sent)
        .expose_headers(read)
        .max_age(3600);
    settings.cors_origins.iter().fold(cors, |cors, origin| match origin.as_str() {
        "*" => cors.allow_any_origin().send_wildcard(),
        origin => cors.allowed_origin(origin),
    })
}

/// Middleware: a question of a browser that is answered no is a problem like any other.
///
/// # Errors
/// Those of the service it wraps.
pub async fn explain_refusals(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let response = next.call(request).await?;
    let refusal = response.response().error().and_then(|error| error.as_error::<CorsError>());
    let Some(refusal) = refusal.map(ToString::to_string) else { return Ok(response.map_into_boxed_body()) };
    let (request, _) = response.into_parts();
    Ok(ServiceResponse::new(request, Problem::new(Kind::Forbidden).because(refusal).error_response()))
}
