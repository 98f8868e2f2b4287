//! Examples of bodies. `examples.json` has one by name of schema, as the service took or gave it; problems have their own,
//! from the catalogue. A test sends every request to the service, and checks every answer against its schema.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Value, json};
use utoipa::openapi::content::Content;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Ref, RefOr};

use crate::problem::Kind;

static BY_SCHEMA: LazyLock<HashMap<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("examples.json")).unwrap_or_default());

/// Gives the bodies of an operation their examples.
pub fn attach(operation: &mut Operation) {
    let request = operation.request_body.iter_mut().filter_map(present).flat_map(|body| body.content.values_mut());
    let responses = operation.responses.responses.values_mut().filter_map(present);
    for content in request.chain(responses.flat_map(|response| response.content.values_mut())).filter_map(present) {
        if content.example.is_none() {
            content.example = schema_of(content).and_then(|name| of_schema(&name));
        }
    }
}

fn present<T>(value: &mut RefOr<T>) -> Option<&mut T> {
    match value {
        RefOr::T(value) => Some(value),
        RefOr::Ref(_) => None,
    }
}

fn schema_of(content: &Content) -> Option<String> {
    match &content.schema {
        Some(RefOr::Ref(Ref { ref_location, .. })) => ref_location.rsplit('/').next().map(str::to_owned),
        _ => None,
    }
}

/// The example of a schema; of a page, one item and the end of the list.
fn of_schema(name: &str) -> Option<Value> {
    match name.strip_prefix("Page_") {
        Some(item) => BY_SCHEMA.get(item).map(|item| json!({ "items": [item] })),
        None => BY_SCHEMA.get(name).cloned(),
    }
}

/// A problem of a kind.
pub fn of_problem(kind: Kind) -> Value {
    let entry = kind.entry();
    let mut problem = json!({
        "type": format!("/problems/{}", entry.slug),
        "title": entry.title,
        "status": entry.status.as_u16(),
        "request_id": "01a202c9-1f0e-7b1a-9d64-3c5a4be0f1a7",
    });
    if kind == Kind::Invalid {
        problem["errors"] = json!([{ "pointer": "/lots/0/needs", "detail": "a lot has at least one need" }]);
    }
    problem
}
