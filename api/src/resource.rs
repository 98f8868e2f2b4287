//! What all stored resources have in common: their envelope, their version, their preconditions.

use std::borrow::Cow;

use actix_web::http::header::{ETAG, IF_MATCH, LOCATION};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema};
use utoipa::openapi::{RefOr, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::problem::{Fault, Kind, Problem};
use crate::visibility::{self, Class};

/// Names the stored form of a type that clients write.
pub trait Resource: ToSchema {
    /// Schema name of the stored form, in the singular.
    const NAME: &'static str;
}

/// A resource as it is stored: what was written, with what the service adds.
#[derive(Clone, Debug, Serialize)]
pub struct Stored<T> {
    /// UUIDv7.
    pub id: Uuid,
    /// Grows by one at each change; the `ETag` repeats it.
    pub version: i64,
    /// When it was first written.
    pub created_at: DateTime<Utc>,
    /// When it was last written.
    pub updated_at: DateTime<Utc>,
    /// What was written.
    #[serde(flatten)]
    pub value: T,
}

/// A resource known by a code of its own rather than by a UUID.
#[derive(Clone, Debug, Serialize)]
pub struct Coded<T> {
    /// Its code.
    pub code: String,
    /// Grows by one at each change; the `ETag` repeats it.
    pub version: i64,
    /// When it was last written.
    pub updated_at: DateTime<Utc>,
    /// What was written.
    #[serde(flatten)]
    pub value: T,
}

fn field(kind: Type, format: Option<&str>, text: &str) -> Schema {
    let mut object = ObjectBuilder::new().schema_type(kind).description(Some(text));
    if let Some(format) = format {
        object = object.format(Some(SchemaFormat::Custom(format.to_owned())));
    }
    Schema::Object(visibility::mark(object.build(), Class::Public))
}

/// The schema of `T` with the fields of its envelope before its own.
fn envelope<T: PartialSchema>(fields: Vec<(&'static str, Schema)>) -> RefOr<Schema> {
    let RefOr::T(Schema::Object(written)) = T::schema() else { return T::schema() };
    let mut object = ObjectBuilder::new().schema_type(Type::Object).description(written.description.clone());
    for (name, schema) in fields {
        object = object.property(name, schema).required(name);
    }
    for (name, schema) in written.properties {
        if written.required.contains(&name) {
            object = object.required(name.clone());
        }
        object = object.property(name, schema);
    }
    RefOr::T(Schema::Object(object.additional_properties(Some(AdditionalProperties::FreeForm(false))).build()))
}

const VERSION: &str = "Grows by one at each change; the `ETag` repeats it.";
const UPDATED: &str = "When it was last written, UTC.";

impl<T: Resource> PartialSchema for Stored<T> {
    fn schema() -> RefOr<Schema> {
        envelope::<T>(vec![
            ("id", field(Type::String, Some("uuid"), "UUIDv7.")),
            ("version", field(Type::Integer, Some("int64"), VERSION)),
            ("created_at", field(Type::String, Some("date-time"), "When it was first written, UTC.")),
            ("updated_at", field(Type::String, Some("date-time"), UPDATED)),
        ])
    }
}

impl<T: Resource> ToSchema for Stored<T> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed(T::NAME)
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

impl<T: Resource> PartialSchema for Coded<T> {
    fn schema() -> RefOr<Schema> {
        envelope::<T>(vec![
            ("code", field(Type::String, None, "Its code.")),
            ("version", field(Type::Integer, Some("int64"), VERSION)),
            ("updated_at", field(Type::String, Some("date-time"), UPDATED)),
        ])
    }
}

impl<T: Resource> ToSchema for Coded<T> {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed(T::NAME)
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

impl<T: Serialize> Stored<T> {
    /// 200, with its `ETag`.
    pub fn found(&self) -> HttpResponse {
        HttpResponse::Ok().insert_header((ETAG, etag(self.version))).json(self)
    }

    /// 201, with its `ETag` and its place: `collection` and its id.
    pub fn created(&self, collection: &str) -> HttpResponse {
        HttpResponse::Created()
            .insert_header((ETAG, etag(self.version)))
            .insert_header((LOCATION, format!("{collection}/{}", self.id)))
            .json(self)
    }
}

impl<T: Serialize> Coded<T> {
    /// 200, with its `ETag`.
    pub fn found(&self) -> HttpResponse {
        HttpResponse::Ok().insert_header((ETAG, etag(self.version))).json(self)
    }

    /// 201, with its `ETag`.
    pub fn created(&self) -> HttpResponse {
        HttpResponse::Created().insert_header((ETAG, etag(self.version))).json(self)
    }
}

/// The version that `If-Match` names, absent where the header is.
///
/// # Errors
/// A header that is not one of our entity tags.
pub fn if_match(request: &HttpRequest) -> Result<Option<i64>, Problem> {
    let Some(value) = request.headers().get(IF_MATCH) else { return Ok(None) };
    let version = value.to_str().ok().and_then(|text| text.strip_prefix('"')?.strip_suffix('"')?.parse().ok());
    match version {
        Some(version) => Ok(Some(version)),
        None => Err(Problem::malformed(vec![Fault::parameter("If-Match", "one strong entity tag, as `ETag` gave it")])),
    }
}

/// The version that `If-Match` must name.
///
/// # Errors
/// 428 without the header, 400 where it is not one of our entity tags.
pub fn required_version(request: &HttpRequest) -> Result<i64, Problem> {
    if_match(request)?.ok_or_else(|| Problem::new(Kind::PreconditionRequired))
}

/// Why a versioned write touched no row: the resource is gone, or has moved on.
#[must_use]
pub const fn missed(exists: bool) -> Problem {
    if exists { Problem::new(Kind::Stale) } else { Problem::not_found() }
}

