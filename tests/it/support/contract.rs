//! Checks a response against the OpenAPI 3.1 document: path, method, status, headers, content type and body.
//!
//! Stricter than the standard where the standard would let a document lie by omission:
//! - a member of a body that no schema describes is a violation, unless its schema says `additionalProperties`;
//! - a documented header must be there ([`SOMETIMES`] aside), and a header of [`TELLING`] must be documented;
//! - what the document does not serve must be refused with a problem: 404 for a path, 405 with `Allow` for a method.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use jsonschema::Validator;
use reqwest::header::{ALLOW, CONTENT_TYPE, HeaderMap};
use serde_json::{Value, json};

use super::seal::sealed;

/// Headers that are documented where they may come, and come only when they have something to say.
const SOMETIMES: [&str; 4] = ["link", "ratelimit", "ratelimit-policy", "retry-after"];

/// Headers that a client acts on: sending one is a promise, so it is documented.
const TELLING: [&str; 10] = [
    "content-disposition",
    "deprecation",
    "etag",
    "link",
    "location",
    "preference-applied",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "sunset",
];

/// The media type of errors.
pub const PROBLEM: &str = "application/problem+json";

/// An OpenAPI document, ready to judge responses. Each schema is compiled once, when first needed.
pub struct Document {
    openapi: Value,
    /// Path templates, the most literal first.
    paths: Vec<String>,
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

/// One request and what came back.
pub struct Exchange<'a> {
    pub method: &'a str,
    /// As sent; a query is ignored.
    pub path: &'a str,
    pub status: u16,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

impl Document {
    /// Takes the document as published.
    pub fn new(mut openapi: Value) -> Self {
        let mut paths: Vec<String> =
            openapi["paths"].as_object().map(|paths| paths.keys().cloned().collect()).unwrap_or_default();
        paths.sort_by_key(|path| path.matches('{').count());
        let components = openapi["components"].clone();
        if let Some(schemas) = openapi.pointer_mut("/components/schemas").and_then(Value::as_object_mut) {
            schemas.values_mut().for_each(|schema| *schema = sealed(schema, &components, false));
        }
        Self { openapi, paths, validators: Mutex::default() }
    }

    /// Returns the body (JSON as it is, other text as a string, nothing as null), or every violation, one a line.
    pub fn check(&self, exchange: &Exchange) -> Result<Value, String> {
        let mut violations = Vec::new();
        let body = self.judge(exchange, &mut violations);
        if violations.is_empty() {
            return Ok(body);
        }
        let Exchange { method, path, status, body, .. } = exchange;
        let list = violations.join("\n  - ");
        let body = String::from_utf8_lossy(body);
        Err(format!("{method} {path} → {status} breaks the OpenAPI document:\n  - {list}\nbody: {body}"))
    }

    fn judge(&self, exchange: &Exchange, violations: &mut Vec<String>) -> Value {
        let body = parse(exchange, violations);
        let Some(item) = self.item(exchange.path) else {
            refused(exchange, 404, "the path", violations);
            return body;
        };
        let operation = format!("{item}/{}", exchange.method.to_ascii_lowercase());
        if self.openapi.pointer(&operation).is_none() {
            refused(exchange, 405, "the method", violations);
            self.allowed(&item, exchange, violations);
            return body;
        }
        let Some(response) = self.response(&operation, exchange.status) else {
            violations.push("this status is not documented".to_owned());
            return body;
        };
        self.headers(&response, exchange, violations);
        self.body(&response, exchange, &body, violations);
        body
    }

    /// Pointer to the path item that serves `path`.
    fn item(&self, path: &str) -> Option<String> {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let template = self.paths.iter().find(|template| serves(template, path))?;
        Some(self.follow(format!("/paths/{}", escape(template))).0)
    }

    /// Pointer to the response for `status`: exact, else by class (`4XX`), else `default`.
    fn response(&self, operation: &str, status: u16) -> Option<String> {
        [status.to_string(), format!("{}XX", status / 100), "default".to_owned()]
            .into_iter()
            .map(|key| format!("{operation}/responses/{key}"))
            .find(|pointer| self.openapi.pointer(pointer).is_some())
            .map(|pointer| self.follow(pointer).0)
    }

    fn headers(&self, response: &str, exchange: &Exchange, violations: &mut Vec<String>) {
        let documented = self.members(&format!("{response}/headers"));
        for name in &documented {
            match exchange.headers.get(name.as_str()).map(|value| value.to_str()) {
                Some(Ok(text)) => {
                    let pointer = self.follow(format!("{response}/headers/{}", escape(name))).0;
                    let value = serde_json::from_str(text).ok().filter(Value::is_number);
                    let found =
                        |value: &Value| self.violations(&format!("{pointer}/schema"), value, &format!("header {name}"));
                    let as_text = found(&Value::from(text));
                    if value.is_none_or(|number| !found(&number).is_empty()) {
                        violations.extend(as_text);
                    }
                }
                Some(Err(_)) => violations.push(format!("header {name}: not visible ASCII")),
                None if SOMETIMES.contains(&name.to_ascii_lowercase().as_str()) => {}
                None => violations.push(format!("header {name}: documented, but missing")),
            }
        }
        for name in TELLING.iter().filter(|name| exchange.headers.contains_key(**name)) {
            if !documented.iter().any(|documented| documented.eq_ignore_ascii_case(name)) {
                violations.push(format!("header {name}: sent, but not documented"));
            }
        }
    }

    fn body(&self, response: &str, exchange: &Exchange, body: &Value, violations: &mut Vec<String>) {
        let documented = self.members(&format!("{response}/content"));
        if documented.is_empty() || exchange.method.eq_ignore_ascii_case("HEAD") {
            if !exchange.body.is_empty() {
                violations.push("the document announces no body".to_owned());
            }
            return;
        }
        let sent = media_type(exchange.headers);
        let Some(key) = documented.iter().find(|key| essence(key) == sent) else {
            violations.push(format!("content type {sent:?} instead of {}", documented.join(" or ")));
            return;
        };
        let schema = format!("{response}/content/{}/schema", escape(key));
        if self.openapi.pointer(&schema).is_some() && is_json(&sent) {
            violations.extend(self.violations(&schema, body, "body"));
        }
    }

    fn allowed(&self, item: &str, exchange: &Exchange, violations: &mut Vec<String>) {
        let allow = exchange.headers.get(ALLOW).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let allow: Vec<_> = allow.split(',').map(|method| method.trim().to_ascii_lowercase()).collect();
        for method in ["get", "put", "post", "delete", "patch"] {
            let served = self.openapi.pointer(&format!("{item}/{method}")).is_some();
            if served != allow.iter().any(|allowed| allowed == method) {
                violations.push(format!("Allow: {method} is {}served", if served { "" } else { "not " }));
            }
        }
    }

    /// What is wrong with `value`, which the report calls `name`, each with its pointer into the value.
    fn violations(&self, schema: &str, value: &Value, name: &str) -> Vec<String> {
        match self.validator(schema) {
            Ok(validator) => validator
                .iter_errors(value)
                .map(|error| format!("{name}{}: {}", error.instance_path(), shortened(&error.to_string())))
                .collect(),
            Err(error) => vec![format!("{name}: the schema at {schema} does not compile: {error}")],
        }
    }

    fn validator(&self, pointer: &str) -> Result<Arc<Validator>, String> {
        let mut validators = self.validators.lock().map_err(|_| "a test panicked while compiling a schema")?;
        if let Some(validator) = validators.get(pointer) {
            return Ok(Arc::clone(validator));
        }
        let schema = self.openapi.pointer(pointer).unwrap_or(&Value::Bool(true));
        let components = &self.openapi["components"];
        // The components travel along: a `$ref` to `#/components/schemas/…` resolves within this root.
        let root = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "allOf": [sealed(schema, components, true)],
            "components": components,
        });
        let validator = jsonschema::options().should_validate_formats(true).build(&root);
        let validator = Arc::new(validator.map_err(|error| error.to_string())?);
        validators.insert(pointer.to_owned(), Arc::clone(&validator));
        Ok(validator)
    }

    /// Goes through `$ref`s, to where the thing itself stands.
    fn follow(&self, mut pointer: String) -> (String, &Value) {
        loop {
            let value = self.openapi.pointer(&pointer).unwrap_or(&Value::Null);
            match value.get("$ref").and_then(Value::as_str).and_then(|target| target.strip_prefix('#')) {
                Some(target) => target.clone_into(&mut pointer),
                None => return (pointer, value),
            }
        }
    }

    fn members(&self, pointer: &str) -> Vec<String> {
        let object = self.openapi.pointer(pointer).and_then(Value::as_object);
        object.map(|object| object.keys().cloned().collect()).unwrap_or_default()
    }
}

/// What the document does not serve is refused with `status` and a problem.
fn refused(exchange: &Exchange, status: u16, what: &str, violations: &mut Vec<String>) {
    if exchange.status != status {
        violations.push(format!("{what} is not in the document, so the status must be {status}"));
    }
    let sent = media_type(exchange.headers);
    if sent != PROBLEM {
        violations.push(format!("{what} is not in the document, so the body must be {PROBLEM}, not {sent:?}"));
    }
}

fn parse(exchange: &Exchange, violations: &mut Vec<String>) -> Value {
    if exchange.body.is_empty() {
        return Value::Null;
    }
    if !is_json(&media_type(exchange.headers)) {
        return String::from_utf8_lossy(exchange.body).into();
    }
    serde_json::from_slice(exchange.body).unwrap_or_else(|error| {
        violations.push(format!("body: announced as JSON, but {error}"));
        Value::Null
    })
}

/// Whether `path` fits the template: the same segments, or anything but nothing where the template has a parameter.
fn serves(template: &str, path: &str) -> bool {
    let (template, path) = (template.split('/'), path.split('/'));
    template.clone().count() == path.clone().count()
        && template.zip(path).all(|(expected, segment)| {
            expected == segment || expected.starts_with('{') && expected.ends_with('}') && !segment.is_empty()
        })
}

fn media_type(headers: &HeaderMap) -> String {
    essence(headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default())
}

/// A media type without its parameters.
fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn is_json(essence: &str) -> bool {
    essence == "application/json" || essence.ends_with("+json")
}

/// A key as one token of a JSON pointer.
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Validation messages quote the whole value, which the report shows anyway.
fn shortened(message: &str) -> String {
    if message.chars().count() <= 240 {
        return message.to_owned();
    }
    let head: String = message.chars().take(100).collect();
    let tail: String = message.chars().rev().take(130).collect::<Vec<_>>().into_iter().rev().collect();
    format!("{head} … {tail}")
}

mod tests;
