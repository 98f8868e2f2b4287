//! The one error of the service: an RFC 9457 problem. Errors become HTTP only here.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use sea_orm::{DbErr, RuntimeErr, SqlErr};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::limits::Share;
use crate::request_id;

/// Media type of every error.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// How many faults an answer lists.
const MOST_FAULTS: usize = 100;

/// What went wrong, by kind. The table of titles, causes and remedies is [`Kind::entry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request is not well formed: path, query or JSON.
    Malformed,
    /// Nobody, or nobody known, asks.
    Unauthenticated,
    /// Whoever asks may not do this.
    Forbidden,
    /// Nothing here, or nothing that the caller may see.
    NotFound,
    /// The resource exists, the method does not.
    MethodNotAllowed,
    /// The body did not arrive in time.
    Timeout,
    /// The state of the resource, or a unique value, forbids it.
    Conflict,
    /// The resource has changed since the caller read it.
    Stale,
    /// The body is too large.
    TooLarge,
    /// The body is not of an accepted type.
    UnsupportedMediaType,
    /// The request is well formed but breaks rules.
    Invalid,
    /// `If-Match` is missing.
    PreconditionRequired,
    /// The caller asks too much, too fast.
    TooManyRequests,
    /// Our fault.
    Internal,
    /// Too much to do now.
    Unavailable,
}

/// What one kind of problem says, on the wire and on its page.
pub struct Entry {
    /// Last part of the `type` URI.
    pub slug: &'static str,
    /// HTTP status.
    pub status: StatusCode,
    /// English title.
    pub title: &'static str,
    /// French title.
    pub title_fr: &'static str,
    /// English cause and remedy.
    pub help: &'static str,
    /// French cause and remedy.
    pub help_fr: &'static str,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 15] = [
        Self::Malformed,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Timeout,
        Self::Conflict,
        Self::Stale,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::Invalid,
        Self::PreconditionRequired,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The catalogue.
    #[must_use]
    #[allow(clippy::too_many_lines, reason = "a table is read as one")]
    pub const fn entry(self) -> Entry {
        let (slug, status, title, title_fr, help, help_fr) = match self {
            Self::Malformed => (
                "malformed",
                StatusCode::BAD_REQUEST,
                "The request is not well formed",
                "La requête est mal formée",
                "The path, the query or the JSON cannot be read. Correct what `errors` points at and send it again.",
                "Le chemin, les paramètres ou le JSON sont illisibles. Corrigez ce que désigne `errors`, puis renvoyez.",
            ),
            Self::Unauthenticated => (
                "unauthenticated",
                StatusCode::UNAUTHORIZED,
                "Say who you are",
                "Dites qui vous êtes",
                "Send a key that is valid as `Authorization: Bearer …`, or sign in at `/v1/sessions`.",
                "Envoyez une clé valide dans `Authorization: Bearer …`, ou ouvrez une session sur `/v1/sessions`.",
            ),
            Self::Forbidden => (
                "forbidden",
                StatusCode::FORBIDDEN,
                "You may not do this",
                "Vous n’en avez pas le droit",
                "Your role or your key does not allow it; `detail` says what would. Ask an owner of the organisation.",
                "Votre rôle ou votre clé ne le permet pas ; `detail` dit ce qu’il faudrait. Adressez-vous à un responsable de l’organisation.",
            ),
            Self::NotFound => (
                "not-found",
                StatusCode::NOT_FOUND,
                "Nothing is here",
                "Rien à cette adresse",
                "The resource does not exist, or you may not see it. Check the identifier.",
                "La ressource n’existe pas, ou vous ne pouvez pas la voir. Vérifiez l’identifiant.",
            ),
            Self::MethodNotAllowed => (
                "method-not-allowed",
                StatusCode::METHOD_NOT_ALLOWED,
                "This method does not apply here",
                "Cette méthode ne s’applique pas ici",
                "Use one of the methods that the `Allow` header lists.",
                "Utilisez l’une des méthodes de l’en-tête `Allow`.",
            ),
            Self::Timeout => (
                "timeout",
                StatusCode::REQUEST_TIMEOUT,
                "The body did not arrive in time",
                "Le corps n’est pas arrivé à temps",
                "A body has ten seconds to arrive, an import sixty. Send it again on a better connection.",
                "Un corps a dix secondes pour arriver, un import soixante. Renvoyez-le avec une meilleure connexion.",
            ),
            Self::Conflict => (
                "conflict",
                StatusCode::CONFLICT,
                "The present state forbids it",
                "L’état actuel l’interdit",
                "A value that must be unique is taken, something still refers to the resource, or its state does not allow the action. `detail` says which.",
                "Une valeur unique est déjà prise, la ressource est encore utilisée, ou son état n’autorise pas l’action. `detail` précise.",
            ),
            Self::Stale => (
                "stale",
                StatusCode::PRECONDITION_FAILED,
                "The resource has changed since you read it",
                "La ressource a changé depuis votre lecture",
                "Read it again, apply your change to what you get, and send it with its new `ETag` in `If-Match`.",
                "Relisez-la, refaites votre changement et renvoyez-le avec le nouvel `ETag` dans `If-Match`.",
            ),
            Self::TooLarge => (
                "too-large",
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is too large",
                "Le corps est trop volumineux",
                "JSON bodies hold at most 1 MiB, imports 32 MiB. Split it.",
                "Un corps JSON compte au plus 1 Mio, un import 32 Mio. Divisez-le.",
            ),
            Self::UnsupportedMediaType => (
                "unsupported-media-type",
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "This type of body is not accepted",
                "Ce type de corps n’est pas accepté",
                "Send `Content-Type: application/json` (imports: `text/csv`), without `Content-Encoding`.",
                "Envoyez `Content-Type: application/json` (imports : `text/csv`), sans `Content-Encoding`.",
            ),
            Self::Invalid => (
                "invalid",
                StatusCode::UNPROCESSABLE_ENTITY,
                "The request breaks rules",
                "La requête enfreint des règles",
                "Each item of `errors` points at a field and says what it must be. All faults are listed at once.",
                "Chaque élément de `errors` désigne un champ et dit ce qu’il doit être. Toutes les fautes sont données ensemble.",
            ),
            Self::PreconditionRequired => (
                "precondition-required",
                StatusCode::PRECONDITION_REQUIRED,
                "Say which version you change",
                "Dites quelle version vous changez",
                "Read the resource, then send its `ETag` in `If-Match`.",
                "Lisez la ressource, puis envoyez son `ETag` dans `If-Match`.",
            ),
            Self::TooManyRequests => (
                "too-many-requests",
                StatusCode::TOO_MANY_REQUESTS,
                "You have used up your share for now",
                "Vous avez épuisé votre part pour l’instant",
                "Nothing was done. Try again after the delay in `Retry-After`; `RateLimit-Policy` tells your share.",
                "Rien n’a été fait. Réessayez après le délai de `Retry-After` ; `RateLimit-Policy` indique votre part.",
            ),
            Self::Internal => (
                "internal",
                StatusCode::INTERNAL_SERVER_ERROR,
                "The service failed",
                "Le service a échoué",
                "Nothing was changed. Try again; if it lasts, report the `request_id`.",
                "Rien n’a été modifié. Réessayez ; si cela dure, signalez le `request_id`.",
            ),
            Self::Unavailable => (
                "unavailable",
                StatusCode::SERVICE_UNAVAILABLE,
                "The service is busy",
                "Le service est occupé",
                "Nothing was changed. Try again after the delay in `Retry-After`.",
                "Rien n’a été modifié. Réessayez après le délai de `Retry-After`.",
            ),
        };
        Entry { slug, status, title, title_fr, help, help_fr }
    }
}

/// A fault in the request, with the place that it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// JSON pointer (RFC 6901) into the body. Absent where the fault is in the path, the query or a header.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples("/lots/0/needs"))]
    pub pointer: Option<String>,
    /// Name of the path or query parameter, or of the header.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(examples("limit"))]
    pub parameter: Option<String>,
    /// What it must be.
    #[schema(examples("a lot has at least one need"))]
    pub detail: String,
}

impl Fault {
    /// A fault in the body.
    pub fn at(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.into()), parameter: None, detail: detail.into() }
    }

    /// A fault in a parameter or header.
    pub fn parameter(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: None, parameter: Some(name.into()), detail: detail.into() }
    }
}

/// An error, before it is written.
#[derive(Debug)]
pub struct Problem {
    kind: Kind,
    detail: Option<String>,
    faults: Vec<Fault>,
    allow: Option<String>,
    retry_after_seconds: Option<i64>,
    /// Rare, and large: boxed, so that results stay small.
    exhausted: Option<Box<Share>>,
}

/// The body of every error (RFC 9457).
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ProblemDetails {
    /// A page that tells cause and remedy.
    #[serde(rename = "type")]
    #[schema(examples("/problems/invalid"))]
    pub kind: String,
    /// The kind of problem, in words.
    #[schema(examples("The request breaks rules"))]
    pub title: String,
    /// HTTP status.
    #[schema(examples(422))]
    pub status: u16,
    /// What happened this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The faults of the request, all of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<Fault>,
    /// Quote it when you report the problem; the `X-Request-Id` header repeats it.
    pub request_id: String,
}

impl Problem {
    /// A problem of a kind, without more to say.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self { kind, detail: None, faults: Vec::new(), allow: None, retry_after_seconds: None, exhausted: None }
    }

    /// Nothing here.
    #[must_use]
    pub const fn not_found() -> Self {
        Self::new(Kind::NotFound)
    }

    /// The present state forbids it.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(Kind::Conflict).because(detail)
    }

    /// The request breaks rules.
    #[must_use]
    pub fn invalid(mut faults: Vec<Fault>) -> Self {
        if faults.len() > MOST_FAULTS {
            let more = faults.len() - MOST_FAULTS;
            faults.truncate(MOST_FAULTS);
            faults.push(Fault::at("", format!("and {more} more faults")));
        }
        Self { faults, ..Self::new(Kind::Invalid) }
    }

    /// The request cannot be read.
    #[must_use]
    pub fn malformed(faults: Vec<Fault>) -> Self {
        Self { faults, ..Self::new(Kind::Malformed) }
    }

    /// The method does not apply; `allow` lists those that do.
    #[must_use]
    pub fn method_not_allowed(allow: String) -> Self {
        Self { allow: Some(allow), ..Self::new(Kind::MethodNotAllowed) }
    }

    /// The caller asks too much: nothing before so many seconds have passed.
    #[must_use]
    pub fn too_many_requests(retry_after_seconds: i64) -> Self {
        Self { retry_after_seconds: Some(retry_after_seconds.max(1)), ..Self::new(Kind::TooManyRequests) }
    }

    /// A share is used up; it says when there will be something again.
    #[must_use]
    pub fn exhausted(share: Share) -> Self {
        Self { exhausted: Some(Box::new(share)), ..Self::new(Kind::TooManyRequests) }
    }

    /// Our fault: the cause goes to the log, not to the caller.
    pub fn internal(cause: impl fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::new(Kind::Internal)
    }

    /// Adds what happened this time.
    #[must_use]
    pub fn because(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// `Ok` without faults, `Invalid` with them.
    ///
    /// # Errors
    /// The faults, all of them.
    pub fn check(faults: Vec<Fault>) -> Result<(), Self> {
        if faults.is_empty() { Ok(()) } else { Err(Self::invalid(faults)) }
    }

    /// The faults of the request.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        &self.faults
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.entry().title)?;
        if let Some(detail) = &self.detail {
            write!(f, ": {detail}")?;
        }
        for fault in &self.faults {
            let place = fault.pointer.as_deref().or(fault.parameter.as_deref()).unwrap_or_default();
            write!(f, "\n  {place}: {}", fault.detail)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.kind.entry().status
    }

    fn error_response(&self) -> HttpResponse {
        let entry = self.kind.entry();
        let mut response = HttpResponse::build(entry.status);
        response.content_type(MEDIA_TYPE);
        if let Some(allow) = self.allow.as_deref().and_then(|allow| HeaderValue::from_str(allow).ok()) {
            response.insert_header((header::ALLOW, allow));
        }
        if let Some(seconds) = self.retry_after_seconds {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if let Some(share) = &self.exhausted {
            response.insert_header((header::RETRY_AFTER, share.seconds.to_string()));
        }
        match self.kind {
            Kind::Unavailable => _ = response.insert_header((header::RETRY_AFTER, "5")),
            Kind::Unauthenticated => {
                _ = response.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"attelage\""));
            }
            _ => {}
        }
        let mut response = response.json(ProblemDetails {
            kind: format!("/problems/{}", entry.slug),
            title: entry.title.to_owned(),
            status: entry.status.as_u16(),
            detail: self.detail.clone(),
            errors: self.faults.clone(),
            request_id: request_id::current(),
        });
        if let Some(share) = &self.exhausted {
            share.tell(response.headers_mut());
        }
        response
    }
}

impl From<DbErr> for Problem {
    /// The unique index decides; anything unforeseen is ours.
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(_)) => {
                Self::conflict("a value that must be unique is already taken")
            }
            Some(SqlErr::ForeignKeyConstraintViolation(_)) => {
                Self::conflict("another resource refers to this one, or this one refers to a resource that is gone")
            }
            _ if is_contention(&error) => {
                tracing::warn!(%error, "the database is busy");
                Self::new(Kind::Unavailable)
            }
            _ => Self::internal(error),
        }
    }
}

/// Whether the same request may succeed a moment later: no connection was free, the write lock of SQLite did not come in
/// time, or PostgreSQL gave up one of two transactions (serialization failure, deadlock).
fn is_contention(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) => true,
        DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error))
        | DbErr::Conn(RuntimeErr::SqlxError(error)) => {
            let code = error.as_database_error().and_then(sea_orm::sqlx::error::DatabaseError::code);
            code.is_some_and(|code| matches!(code.as_ref(), "5" | "261" | "517" | "40001" | "40P01"))
        }
        _ => false,
    }
}
