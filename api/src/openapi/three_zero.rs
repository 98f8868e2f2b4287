//! The document as OpenAPI 3.0.3, for generators that do not read 3.1 yet.
//!
//! Only schemas differ: 3.1 takes JSON Schema as it is, 3.0 a dialect of its own. What 3.0 can say in other words is said
//! so; a mere constraint that it cannot say is left out, which lets more through but changes no type. A keyword that is
//! neither is an error, so that no schema changes its meaning in silence.
//!
//! One liberty: `nullable` beside `allOf` or `oneOf`, without a `type`. Generators read it as it is meant.

use serde_json::{Map, Value, json};
use thiserror::Error;

/// What 3.0 says in the same words.
const SAME: [&str; 29] = [
    "additionalProperties",
    "allOf",
    "anyOf",
    "default",
    "deprecated",
    "description",
    "discriminator",
    "enum",
    "externalDocs",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "properties",
    "readOnly",
    "required",
    "title",
    "uniqueItems",
    "writeOnly",
];

/// Constraints, comments and hints without which the type is the same.
const DROPPED: [&str; 7] =
    ["$comment", "contains", "contentSchema", "maxContains", "minContains", "propertyNames", "unevaluatedProperties"];

/// Why a document has no copy in 3.0.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("OpenAPI 3.0 has no words for {0}")]
pub struct Untold(String);

/// The same document in 3.0.3.
///
/// # Errors
/// A part that 3.0 cannot tell, by its JSON pointer.
pub fn convert(document: &Value) -> Result<Value, Untold> {
    let mut copy = outside(document, "")?;
    for absent in ["/webhooks", "/components/pathItems"] {
        if copy.pointer(absent).is_some() {
            return Err(Untold(absent.to_owned()));
        }
    }
    if let Some(document) = copy.as_object_mut() {
        document.shift_remove("jsonSchemaDialect");
        document.insert("openapi".to_owned(), json!("3.0.3"));
    }
    if let Some(info) = copy.get_mut("info").and_then(Value::as_object_mut) {
        info.shift_remove("summary");
        if let Some(license) = info.get_mut("license").and_then(Value::as_object_mut) {
            license.shift_remove("identifier");
        }
    }
    Ok(copy)
}

/// A part of the document that is not a schema, but may hold some.
fn outside(value: &Value, at: &str) -> Result<Value, Untold> {
    match value {
        // Texts beside a reference are new in 3.1.
        Value::Object(object) if object.contains_key("$ref") => Ok(json!({ "$ref": object["$ref"] })),
        Value::Object(object) => {
            let members = object.iter().map(|(name, member)| {
                let at = format!("{at}/{}", escape(name));
                let copy = match (name.as_str(), member) {
                    ("schema", schema) => schema_of(schema, &at)?,
                    ("schemas", Value::Object(schemas)) => each(schemas, &at)?,
                    ("example" | "examples", value) => value.clone(),
                    (name, value) if name.starts_with("x-") => value.clone(),
                    (_, value) => outside(value, &at)?,
                };
                Ok((name.clone(), copy))
            });
            members.collect::<Result<Map<_, _>, _>>().map(Value::Object)
        }
        Value::Array(items) => {
            let items = items.iter().enumerate().map(|(index, item)| outside(item, &format!("{at}/{index}")));
            items.collect::<Result<Vec<_>, _>>().map(Value::Array)
        }
        plain => Ok(plain.clone()),
    }
}

fn each(schemas: &Map<String, Value>, at: &str) -> Result<Value, Untold> {
    let members =
        schemas.iter().map(|(name, schema)| Ok((name.clone(), schema_of(schema, &format!("{at}/{}", escape(name)))?)));
    members.collect::<Result<Map<_, _>, _>>().map(Value::Object)
}

/// A schema.
fn schema_of(schema: &Value, at: &str) -> Result<Value, Untold> {
    let schema = match schema {
        Value::Bool(true) => return Ok(json!({})),
        Value::Bool(false) => return Ok(json!({ "not": {} })),
        Value::Object(schema) => without_null(schema),
        _ => return Err(Untold(at.to_owned())),
    };
    if schema.len() == 1 && schema.contains_key("$ref") {
        return Ok(Value::Object(schema));
    }
    let mut copy = Map::new();
    for (keyword, value) in &schema {
        let at = format!("{at}/{}", escape(keyword));
        match (keyword.as_str(), value) {
            ("$ref", reference) => {
                if schema.contains_key("allOf") {
                    return Err(Untold(at));
                }
                copy.insert("allOf".to_owned(), json!([{ "$ref": reference }]));
            }
            ("type", Value::String(_)) | ("nullable", _) => {
                copy.insert(keyword.clone(), value.clone());
            }
            ("const", value) => {
                copy.insert("enum".to_owned(), json!([value]));
            }
            ("examples", Value::Array(examples)) => {
                copy.extend(examples.first().map(|first| ("example".to_owned(), first.clone())));
            }
            ("exclusiveMinimum", Value::Number(_)) => bound(&mut copy, &schema, ["minimum", keyword], |a, b| a >= b),
            ("exclusiveMaximum", Value::Number(_)) => bound(&mut copy, &schema, ["maximum", keyword], |a, b| a <= b),
            ("contentEncoding", Value::String(encoding)) => {
                let format = if encoding == "base64" { "byte" } else { encoding };
                copy.insert("format".to_owned(), json!(format));
            }
            ("contentMediaType", _) => {
                if !schema.contains_key("contentEncoding") {
                    copy.insert("format".to_owned(), json!("binary"));
                }
            }
            ("properties", Value::Object(properties)) => {
                copy.insert(keyword.clone(), each(properties, &at)?);
            }
            ("items" | "not", inner) | ("additionalProperties", inner @ Value::Object(_)) => {
                copy.insert(keyword.clone(), schema_of(inner, &at)?);
            }
            ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => {
                let parts = parts.iter().enumerate().map(|(index, part)| schema_of(part, &format!("{at}/{index}")));
                copy.insert(keyword.clone(), Value::Array(parts.collect::<Result<_, _>>()?));
            }
            (same, value) if same.starts_with("x-") || SAME.contains(&same) => {
                copy.entry(keyword.clone()).or_insert_with(|| value.clone());
            }
            (dropped, _) if DROPPED.contains(&dropped) => {}
            _ => return Err(Untold(at)),
        }
    }
    Ok(Value::Object(copy))
}

/// The same schema with `nullable` instead of the type `null`, alone in a choice or in a list of types.
fn without_null(schema: &Map<String, Value>) -> Map<String, Value> {
    let mut copy = schema.clone();
    if schema.get("type") == Some(&json!("null")) {
        copy.shift_remove("type");
        copy.insert("nullable".to_owned(), json!(true));
        copy.insert("enum".to_owned(), json!([null]));
    }
    if let Some(Value::Array(types)) = schema.get("type") {
        let others: Vec<&Value> = types.iter().filter(|kind| **kind != "null").collect();
        if others.len() < types.len() {
            copy.insert("nullable".to_owned(), json!(true));
        }
        if let [only] = others[..] {
            copy.insert("type".to_owned(), only.clone());
        } else {
            copy.shift_remove("type");
            copy.insert("anyOf".to_owned(), others.into_iter().map(|kind| json!({ "type": kind })).collect());
        }
    }
    for choice in ["oneOf", "anyOf"] {
        let Some(Value::Array(parts)) = schema.get(choice) else { continue };
        let others: Vec<&Value> = parts.iter().filter(|part| part["type"] != "null").collect();
        if others.len() == parts.len() {
            continue;
        }
        copy.insert("nullable".to_owned(), json!(true));
        match others[..] {
            // What stood beside the choice, such as a class of visibility, goes before what stood in it.
            [Value::Object(only)] if only.keys().all(|key| key == "description" || !schema.contains_key(key)) => {
                copy.shift_remove(choice);
                for (keyword, value) in without_null(only) {
                    copy.entry(keyword).or_insert(value);
                }
            }
            _ => {
                copy.insert(choice.to_owned(), others.into_iter().cloned().collect());
            }
        }
    }
    copy
}

/// An exclusive bound, which 3.0 tells as a flag on the inclusive one. Of the two the narrower one holds.
fn bound(
    copy: &mut Map<String, Value>,
    schema: &Map<String, Value>,
    [inclusive, exclusive]: [&str; 2],
    narrower: fn(f64, f64) -> bool,
) {
    let number = |keyword: &str| schema.get(keyword).and_then(Value::as_f64);
    let holds = number(exclusive).zip(number(inclusive)).is_none_or(|(own, other)| narrower(own, other));
    if holds {
        copy.insert(inclusive.to_owned(), schema[exclusive].clone());
        copy.insert(exclusive.to_owned(), json!(true));
    }
}

/// A key as one token of a JSON pointer.
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::needless_pass_by_value, reason = "`json!` makes values")]
    #[track_caller]
    fn becomes(schema: Value, expected: Value) {
        assert_eq!(schema_of(&schema, ""), Ok(expected), "{schema}");
    }

    #[test]
    fn null_becomes_nullable_wherever_it_stands() {
        becomes(
            json!({ "type": ["string", "null"], "maxLength": 3 }),
            json!({ "type": "string", "maxLength": 3, "nullable": true }),
        );
        becomes(json!({ "type": ["string"] }), json!({ "type": "string" }));
        becomes(
            json!({ "type": ["string", "integer", "null"] }),
            json!({ "nullable": true, "anyOf": [{ "type": "string" }, { "type": "integer" }] }),
        );
        becomes(json!({ "type": "null" }), json!({ "nullable": true, "enum": [null] }));
        becomes(
            json!({ "oneOf": [{ "$ref": "#/a", "description": "An a." }, { "type": "null" }], "x-visibility": "P0" }),
            json!({ "x-visibility": "P0", "nullable": true, "allOf": [{ "$ref": "#/a" }], "description": "An a." }),
        );
        becomes(
            json!({ "anyOf": [{ "$ref": "#/a" }, { "$ref": "#/b" }, { "type": "null" }] }),
            json!({ "anyOf": [{ "$ref": "#/a" }, { "$ref": "#/b" }], "nullable": true }),
        );
        becomes(
            json!({ "properties": { "a": {} }, "oneOf": [{ "properties": { "b": {} } }, { "type": "null" }] }),
            json!({ "properties": { "a": {} }, "oneOf": [{ "properties": { "b": {} } }], "nullable": true }),
        );
    }

    #[test]
    fn a_reference_stands_alone() {
        becomes(json!({ "$ref": "#/a" }), json!({ "$ref": "#/a" }));
        becomes(
            json!({ "$ref": "#/a", "description": "One.", "default": 1 }),
            json!({ "allOf": [{ "$ref": "#/a" }], "description": "One.", "default": 1 }),
        );
        assert_eq!(schema_of(&json!({ "$ref": "#/a", "allOf": [] }), "/s"), Err(Untold("/s/$ref".to_owned())));
        let elsewhere = json!({ "parameters": [{ "$ref": "#/p", "description": "3.1 only" }] });
        assert_eq!(outside(&elsewhere, ""), Ok(json!({ "parameters": [{ "$ref": "#/p" }] })));
    }

    #[test]
    fn constants_examples_and_bounds_are_said_in_other_words() {
        becomes(json!({ "const": "a" }), json!({ "enum": ["a"] }));
        becomes(json!({ "type": "string", "examples": ["a", "b"] }), json!({ "type": "string", "example": "a" }));
        becomes(json!({ "type": "string", "examples": [] }), json!({ "type": "string" }));
        becomes(json!({ "exclusiveMinimum": 0 }), json!({ "minimum": 0, "exclusiveMinimum": true }));
        becomes(json!({ "exclusiveMaximum": 9 }), json!({ "maximum": 9, "exclusiveMaximum": true }));
        // Whichever comes first, the narrower one holds.
        becomes(json!({ "minimum": 3, "exclusiveMinimum": 0 }), json!({ "minimum": 3 }));
        becomes(json!({ "exclusiveMinimum": 0, "minimum": 3 }), json!({ "minimum": 3 }));
        becomes(json!({ "exclusiveMinimum": 3, "minimum": 0 }), json!({ "minimum": 3, "exclusiveMinimum": true }));
        becomes(json!({ "minimum": 0, "exclusiveMinimum": 3 }), json!({ "minimum": 3, "exclusiveMinimum": true }));
    }

    #[test]
    fn bytes_become_formats() {
        becomes(
            json!({ "type": "string", "contentEncoding": "base64" }),
            json!({ "type": "string", "format": "byte" }),
        );
        becomes(
            json!({ "type": "string", "contentMediaType": "image/png", "contentEncoding": "base64" }),
            json!({ "type": "string", "format": "byte" }),
        );
        becomes(
            json!({ "type": "string", "contentMediaType": "application/pdf" }),
            json!({ "type": "string", "format": "binary" }),
        );
    }

    #[test]
    fn inner_schemas_are_converted_and_values_are_not() {
        let text = json!({ "type": ["string", "null"] });
        let optional = json!({ "type": "string", "nullable": true });
        for keyword in ["items", "not", "additionalProperties"] {
            becomes(json!({ keyword: text }), json!({ keyword: optional }));
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            becomes(json!({ keyword: [text, true] }), json!({ keyword: [optional, {}] }));
        }
        becomes(json!({ "properties": { "const": text } }), json!({ "properties": { "const": optional } }));
        becomes(json!({ "additionalProperties": false }), json!({ "additionalProperties": false }));
        becomes(json!({ "default": { "const": 1 }, "x-a": text }), json!({ "default": { "const": 1 }, "x-a": text }));
        let example = json!({ "examples": { "one": { "value": { "schema": 1 } } } });
        assert_eq!(outside(&example, ""), Ok(example.clone()));
    }

    #[test]
    fn constraints_without_words_are_dropped_and_anything_else_is_refused() {
        becomes(json!({ "type": "object", "propertyNames": { "pattern": "a" } }), json!({ "type": "object" }));
        for keyword in ["if", "prefixItems", "patternProperties", "$dynamicRef", "nonsense"] {
            let refused = schema_of(&json!({ "items": { keyword: {} } }), "/s");
            assert_eq!(refused, Err(Untold(format!("/s/items/{keyword}"))));
        }
        let webhooks = convert(&json!({ "openapi": "3.1.0", "webhooks": {} }));
        assert_eq!(webhooks, Err(Untold("/webhooks".to_owned())));
    }

    #[test]
    fn the_head_of_the_document_is_that_of_3_0() {
        let document = json!({
            "openapi": "3.1.0",
            "jsonSchemaDialect": "https://example.org",
            "info": { "title": "T", "summary": "S", "version": "1", "license": { "name": "MIT", "identifier": "MIT" } },
            "paths": { "/a~b": { "get": { "parameters": [{ "schema": { "const": 1 } }] } } },
            "components": { "schemas": { "A": { "const": 1 } } }
        });
        let expected = json!({
            "openapi": "3.0.3",
            "info": { "title": "T", "version": "1", "license": { "name": "MIT" } },
            "paths": { "/a~b": { "get": { "parameters": [{ "schema": { "enum": [1] } }] } } },
            "components": { "schemas": { "A": { "enum": [1] } } }
        });
        assert_eq!(convert(&document), Ok(expected));
    }
}
