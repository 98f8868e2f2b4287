//! Request bodies: read strictly, checked against the published schema, then parsed.
//!
//! The OpenAPI document is the validator: every fault that the schema can express is found in one pass, with a JSON
//! pointer each, and the document cannot promise what the service does not enforce.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::web::Data;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use futures_util::StreamExt as _;
use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::app::App;
use crate::codes::sha256_hex;
use crate::json;
use crate::limits::bodies::Load;
use crate::limits::crowd;
use crate::once::{self, BodyDigest};
use crate::problem::{Fault, Kind, Problem};

/// Largest JSON body, in bytes.
pub const MAX_JSON: usize = 1 << 20;
/// Largest import, in bytes.
pub const MAX_IMPORT: usize = 32 << 20;
const JSON_DEADLINE: Duration = Duration::from_secs(10);
const IMPORT_DEADLINE: Duration = Duration::from_mins(1);

/// The schemas of the document, compiled once.
pub struct Contract(HashMap<String, Validator>);

impl Contract {
    /// Compiles every schema that an operation takes as its body.
    ///
    /// # Errors
    /// A schema of our own that does not compile.
    pub fn compile(document: &Value) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let mut validators = HashMap::new();
        let operations = document["paths"].as_object().into_iter().flatten().filter_map(|(_, item)| item.as_object());
        for operation in operations.flat_map(|item| item.values()) {
            let Some(reference) = operation.pointer("/requestBody/content/application~1json/schema/$ref") else {
                continue;
            };
            let Some(name) = reference.as_str().and_then(|path| path.rsplit('/').next()) else { continue };
            if !validators.contains_key(name) {
                let schema = json!({ "$ref": reference, "components": document["components"] });
                validators.insert(name.to_owned(), compile(&schema)?);
            }
        }
        Ok(Self(validators))
    }

    /// Parses a value that must follow the schema of `T`.
    ///
    /// # Errors
    /// All faults that the schema can express, by pointer.
    pub fn parse<T: DeserializeOwned + ToSchema>(&self, value: Value) -> Result<T, Problem> {
        let name = T::name();
        let validator = self
            .0
            .get(name.as_ref())
            .ok_or_else(|| Problem::internal(format!("no operation of the document takes a {name}")))?;
        let mut faults: Vec<Fault> = validator.iter_errors(&value).flat_map(|error| faults_of(&error)).collect();
        faults.sort_by(|a, b| a.pointer.cmp(&b.pointer));
        faults.dedup();
        Problem::check(faults)?;
        serde_json::from_value(value).map_err(|error| Problem::invalid(vec![Fault::at("", error.to_string())]))
    }
}

fn compile(schema: &Value) -> Result<Validator, Box<dyn std::error::Error + Send + Sync>> {
    let validator =
        jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true).build(schema)?;
    Ok(validator)
}

/// A schema error in our words, at the member it is about.
fn faults_of(error: &jsonschema::ValidationError<'_>) -> Vec<Fault> {
    let at = error.instance_path().to_string();
    let escape = |name: &str| name.replace('~', "~0").replace('/', "~1");
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => unexpected
            .iter()
            .map(|name| {
                Fault::at(format!("{at}/{}", escape(name)), "there is no such member: remove it or correct its name")
            })
            .collect(),
        ValidationErrorKind::Required { property } => {
            vec![Fault::at(
                format!("{at}/{}", escape(property.as_str().unwrap_or_default())),
                "this member is required",
            )]
        }
        ValidationErrorKind::PropertyNames { error } => {
            let name = escape(error.instance().as_str().unwrap_or_default());
            vec![Fault::at(format!("{at}/{name}"), error.to_string())]
        }
        ValidationErrorKind::Format { format } => {
            vec![Fault::at(at, format!("this is not a valid {format}"))]
        }
        _ => {
            let mut detail = error.to_string();
            if detail.len() > 300 {
                detail = error.masked().to_string();
                detail.truncate(detail.floor_char_boundary(300));
            }
            vec![Fault::at(at, detail)]
        }
    }
}

/// A JSON body of type `T`, valid by the published schema.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned + ToSchema + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            accept(&request, &["application/json"])?;
            let (bytes, _load) = receive(&request, payload, MAX_JSON, JSON_DEADLINE).await?;
            let value = json::read(&bytes).map_err(|faults| {
                let unreadable = faults.iter().any(|fault| fault.pointer.as_deref() == Some(""));
                if unreadable { Problem::malformed(faults) } else { Problem::invalid(faults) }
            })?;
            let contract = request.app_data::<Data<Contract>>().ok_or_else(|| Problem::internal("no contract"))?;
            contract.parse(value).map(Self)
        })
    }
}

/// A CSV body, as bytes in any encoding.
pub struct Csv(pub Vec<u8>);

impl FromRequest for Csv {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            accept(&request, &["text/csv", "application/csv", "application/octet-stream"])?;
            let (bytes, load) = receive(&request, payload, MAX_IMPORT, IMPORT_DEADLINE).await?;
            request.extensions_mut().insert(load);
            Ok(Self(bytes))
        })
    }
}

fn accept(request: &HttpRequest, media_types: &[&str]) -> Result<(), Problem> {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let declared = header(CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !media_types.contains(&declared.as_str()) {
        let detail = format!("`Content-Type` must be {}", media_types.join(" or "));
        return Err(Problem::new(Kind::UnsupportedMediaType).because(detail));
    }
    if !matches!(header(CONTENT_ENCODING), "" | "identity") {
        return Err(Problem::new(Kind::UnsupportedMediaType).because("compressed bodies are not accepted"));
    }
    Ok(())
}

/// Reads a body within its size, its deadline, and what all bodies together may take. One that announces too much is refused before it
/// arrives.
async fn receive(
    request: &HttpRequest,
    mut payload: Payload,
    limit: usize,
    deadline: Duration,
) -> Result<(Vec<u8>, Load), Problem> {
    let too_large = || Problem::new(Kind::TooLarge).because(format!("at most {limit} bytes"));
    let announced = request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let app = request.app_data::<Data<App>>().ok_or_else(|| Problem::internal("there is nobody to look after it"))?;
    let mut load = app.limits.bodies().load();
    let reading = async {
        let mut bytes = Vec::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|error| {
                Problem::malformed(vec![Fault::at("", format!("the body could not be read: {error}"))])
            })?;
            if bytes.len() + chunk.len() > limit {
                return Err(too_large());
            }
            load.grow(bytes.len() + chunk.len())?;
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    };
    // Whoever sends slowly keeps nobody else out meanwhile.
    crowd::leave(request);
    let bytes = tokio::time::timeout(deadline, reading).await.map_err(|_| Problem::new(Kind::Timeout))??;
    crowd::enter(request)?;
    if request.headers().contains_key(once::HEADER) {
        request.extensions_mut().insert(BodyDigest(sha256_hex(&bytes)));
    }
    Ok((bytes, load))
}
