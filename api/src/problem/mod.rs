//! The one error of the service: an RFC 9457 problem. Errors become HTTP only here.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use sea_orm::{DbErr, SqlErr};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::limits::Share;
use crate::request_id;

mod hindrance;
mod kind;

use hindrance::Hindrance;
pub use kind::{Entry, Kind};

/// Media type of every error.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Seconds after which a service that is busy may be asked again, where nothing more is known.
const USUAL_WAIT: u64 = 5;

/// How many faults an answer lists.
const MOST_FAULTS: usize = 100;

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
    retry_after_seconds: Option<u64>,
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
    pub fn too_many_requests(retry_after_seconds: u64) -> Self {
        Self { retry_after_seconds: Some(retry_after_seconds.max(1)), ..Self::new(Kind::TooManyRequests) }
    }

    /// A share is used up; it says when there will be something again.
    #[must_use]
    pub fn exhausted(share: Share) -> Self {
        Self { exhausted: Some(Box::new(share)), ..Self::too_many_requests(share.seconds) }
    }

    /// Too much to do now: it will be less in so many seconds.
    #[must_use]
    pub fn unavailable(retry_after_seconds: u64) -> Self {
        Self { retry_after_seconds: Some(retry_after_seconds), ..Self::new(Kind::Unavailable) }
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
        let wait = self.retry_after_seconds.or((self.kind == Kind::Unavailable).then_some(USUAL_WAIT));
        if let Some(seconds) = wait {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if self.kind == Kind::Unauthenticated {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer realm=\"attelage\""));
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
            _ => match Hindrance::of(&error) {
                Some(hindrance) => {
                    tracing::warn!(%error, ?hindrance, "the database is hindered");
                    Self { detail: hindrance.detail().map(str::to_owned), ..Self::new(Kind::Unavailable) }
                }
                None => Self::internal(error),
            },
        }
    }
}
