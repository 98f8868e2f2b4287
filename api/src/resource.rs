//! What all stored resources have in common: their envelope, their version, their preconditions.

use std::borrow::Cow;
use std::collections::BTreeMap;

use actix_web::http::header::{ETAG, IF_MATCH, LOCATION};
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use utoipa::openapi::schema::{AdditionalProperties, ObjectBuilder, Schema};
use utoipa::openapi::{Ref, RefOr, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use crate::access::Caller;
use crate::problem::{Fault, Kind, Problem};
use crate::visibility::{Class, Veil};

/// Names the stored form of a type that clients write.
pub trait Resource: ToSchema {
    /// Schema name of the stored form, in the singular.
    const NAME: &'static str;

    /// What the service works out from what was written, for those who may not read that.
    #[must_use]
    fn derived_schema() -> Vec<(&'static str, Added)> {
        Vec::new()
    }

    /// The values of [`Resource::derived_schema`].
    fn derived(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}

/// A resource as it is stored: what was written, with what the service adds.
#[derive(Clone, Debug, Serialize, Deserialize)]
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

/// A resource with what the service works out from it.
#[derive(Serialize)]
struct Complete<'a, T> {
    #[serde(flatten)]
    stored: &'a Stored<T>,
    #[serde(flatten)]
    derived: BTreeMap<&'static str, Value>,
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

/// A field that the service adds to what a client wrote. Required unless said otherwise.
pub struct Added {
    schema: RefOr<Schema>,
    required: bool,
}

impl Added {
    /// A plain value.
    #[must_use]
    pub fn new(kind: Type, format: Option<&str>, text: &str) -> Self {
        let mut object = ObjectBuilder::new().schema_type(kind).description(Some(text));
        if let Some(format) = format {
            object = object.format(Some(SchemaFormat::Custom(format.to_owned())));
        }
        Self { schema: RefOr::T(Schema::Object(object.build())), required: true }
    }

    /// A value of a named type.
    #[must_use]
    pub fn reference<T: ToSchema>(text: &str) -> Self {
        let mut reference = Ref::from_schema_name(T::name());
        text.clone_into(&mut reference.description);
        Self { schema: RefOr::Ref(reference), required: true }
    }

    /// The same, possibly absent.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.required = false;
        self
    }
}

/// The schema of `T`, an object, with fields before its own.
#[must_use]
pub fn extend<T: PartialSchema>(fields: Vec<(&'static str, Added)>) -> RefOr<Schema> {
    let RefOr::T(Schema::Object(written)) = T::schema() else { return T::schema() };
    let mut object = ObjectBuilder::new().schema_type(Type::Object).description(written.description.clone());
    for (name, added) in fields {
        object = object.property(name, added.schema);
        if added.required {
            object = object.required(name);
        }
    }
    for (name, schema) in written.properties {
        if written.required.contains(&name) {
            object = object.required(name.clone());
        }
        object = object.property(name, schema);
    }
    RefOr::T(Schema::Object(object.additional_properties(Some(AdditionalProperties::FreeForm(false))).build()))
}

fn version_field() -> (&'static str, Added) {
    ("version", Added::new(Type::Integer, Some("int64"), "Grows by one at each change; the `ETag` repeats it."))
}

fn time_field(name: &'static str, text: &str) -> (&'static str, Added) {
    (name, Added::new(Type::String, Some("date-time"), text))
}

impl<T: Resource> PartialSchema for Stored<T> {
    fn schema() -> RefOr<Schema> {
        let mut added = vec![
            ("id", Added::new(Type::String, Some("uuid"), "UUIDv7.")),
            version_field(),
            time_field("created_at", "When it was first written, UTC."),
            time_field("updated_at", "When it was last written, UTC."),
        ];
        added.extend(T::derived_schema());
        extend::<T>(added)
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
        extend::<T>(vec![
            ("code", Added::new(Type::String, None, "Its code.")),
            version_field(),
            time_field("updated_at", "When it was last written, UTC."),
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

pub(crate) fn etag(version: i64) -> String {
    format!("\"{version}\"")
}

impl<T: Resource + Serialize> Stored<T> {
    /// What somebody sees of it: all, where it is of an organisation of their `own`. It is noted where that is sealed.
    ///
    /// # Errors
    /// Only internal ones.
    pub fn seen(&self, veil: &Veil, caller: &Caller, own: Option<Uuid>) -> Result<Box<RawValue>, Problem> {
        let seen = veil.draw(T::NAME, &self.complete(), caller.clearance(own.is_some()));
        let (seen, highest) = seen.map_err(Problem::internal)?;
        if highest >= Class::Sealed {
            caller.saw(&T::NAME.to_lowercase(), self.id, own);
        }
        Ok(seen)
    }

    /// All of it, for whoever wrote it.
    ///
    /// # Errors
    /// Only internal ones.
    pub fn whole(&self) -> Result<Box<RawValue>, Problem> {
        to_raw_value(&self.complete()).map_err(Problem::internal)
    }

    fn complete(&self) -> Complete<'_, T> {
        Complete { stored: self, derived: self.value.derived().into_iter().collect() }
    }

    /// 200, with its `ETag` and what somebody sees of it, as [`Stored::seen`].
    ///
    /// # Errors
    /// Only internal ones.
    pub fn shown(&self, veil: &Veil, caller: &Caller, own: Option<Uuid>) -> Result<HttpResponse, Problem> {
        Ok(etagged(self.version, &self.seen(veil, caller, own)?))
    }

    /// 200, with its `ETag`, for whoever wrote it.
    ///
    /// # Errors
    /// Only internal ones.
    pub fn found(&self) -> Result<HttpResponse, Problem> {
        Ok(etagged(self.version, &self.whole()?))
    }

    /// 201, with its `ETag` and its place: `collection` and its id. For whoever wrote it.
    ///
    /// # Errors
    /// Only internal ones.
    pub fn created(&self, collection: &str) -> Result<HttpResponse, Problem> {
        Ok(HttpResponse::Created()
            .insert_header((ETAG, etag(self.version)))
            .insert_header((LOCATION, format!("{collection}/{}", self.id)))
            .json(self.whole()?))
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

/// 200, with the `ETag` of a version.
pub fn etagged(version: i64, body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header((ETAG, etag(version))).json(body)
}

/// The version that `If-Match` names, absent where the header is.
///
/// # Errors
/// A header that is not one of our entity tags.
pub fn if_match(request: &HttpRequest) -> Result<Option<i64>, Problem> {
    let Some(value) = request.headers().get(IF_MATCH) else { return Ok(None) };
    let version = value.to_str().ok().and_then(|text| text.strip_prefix('"')?.strip_suffix('"')?.parse().ok());
    // No version comes near the largest number; one that did could not be followed by another.
    let version = version.filter(|version: &i64| (1..i64::MAX).contains(version));
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
