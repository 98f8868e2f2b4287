//! Closes schemas, so that a member which no schema describes is a violation rather than an extra.

use serde_json::{Map, Value};

/// How many `$ref`s may follow each other before a schema is taken for a loop.
const DEEPEST: usize = 16;

/// A copy of `schema` in which every described object refuses undescribed members.
///
/// The keyword stands where a schema is *used* for a value (`is_use`, the value of a property, an item), never where it
/// is one part of an `allOf`, or the parts would refuse each other. An object without any description stays open.
pub fn sealed(schema: &Value, components: &Value, is_use: bool) -> Value {
    let Some(object) = schema.as_object() else { return schema.clone() };
    let each = |value: &Value, is_use: bool| match value {
        Value::Array(parts) => parts.iter().map(|part| sealed(part, components, is_use)).collect(),
        part => sealed(part, components, is_use),
    };
    let mut copy: Map<String, Value> = object
        .iter()
        .map(|(keyword, value)| {
            let value = match (keyword.as_str(), value) {
                ("properties" | "patternProperties", Value::Object(members)) => {
                    members.iter().map(|(name, member)| (name.clone(), each(member, true))).collect()
                }
                ("items" | "prefixItems" | "additionalProperties", value) => each(value, true),
                ("allOf" | "anyOf" | "oneOf", parts) => each(parts, false),
                (_, other) => other.clone(),
            };
            (keyword.clone(), value)
        })
        .collect();
    let is_open = copy.contains_key("additionalProperties") || copy.contains_key("unevaluatedProperties");
    if is_use && !is_open && describes_members(schema, components, DEEPEST) {
        copy.insert("unevaluatedProperties".to_owned(), Value::Bool(false));
    }
    Value::Object(copy)
}

fn describes_members(schema: &Value, components: &Value, depth: usize) -> bool {
    let target = schema["$ref"].as_str().and_then(|target| target.strip_prefix("#/components"));
    let target = target.and_then(|pointer| components.pointer(pointer));
    let parts = ["allOf", "anyOf", "oneOf"].iter().filter_map(|keyword| schema[*keyword].as_array()).flatten();
    schema.get("properties").is_some()
        || depth > 0 && target.into_iter().chain(parts).any(|part| describes_members(part, components, depth - 1))
}
