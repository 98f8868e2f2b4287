//! Names in the document, for the sake of the clients that are made from it.
//!
//! Generators make a type of each named schema. utoipa leaves the variants of an enumeration without a name, so that some
//! generators drop them and others number them; and it gives the primitive behind a type alias a name of its own.

use std::collections::BTreeMap;

use utoipa::openapi::path::Parameter;
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, Discriminator, Object, Schema, SchemaType};
use utoipa::openapi::{Ref, RefOr, Type};

/// The schemas of a document, by name.
pub type Schemas = BTreeMap<String, RefOr<Schema>>;

/// The member that tells the variants of an internally tagged enumeration apart.
const TAG: &str = "kind";

/// Primitives that stand in the document under their Rust name.
const PRIMITIVES: [&str; 2] = ["i64", "u64"];

/// Gives every variant of an enumeration a name, that of the enumeration followed by its own, and tells by which member
/// variants differ where it is [`TAG`].
pub fn name_variants(schemas: &mut Schemas) {
    let mut named = Schemas::new();
    for (name, schema) in schemas.iter_mut() {
        let RefOr::T(Schema::OneOf(choice)) = schema else { continue };
        let mut discriminator = Discriminator::new(TAG);
        for item in &mut choice.items {
            let RefOr::T(Schema::Object(variant)) = item else { continue };
            let tag = tag_of(variant);
            let Some(own) = tag.or_else(|| only_member(variant)) else { continue };
            let full = format!("{name}{}", pascal(own));
            let reference = Ref::from_schema_name(&full);
            if let Some(tag) = tag {
                discriminator.mapping.insert(tag.to_owned(), reference.ref_location.clone());
            }
            named.insert(full, std::mem::replace(item, RefOr::Ref(reference)));
        }
        if !discriminator.mapping.is_empty() {
            choice.discriminator = Some(discriminator);
        }
    }
    schemas.append(&mut named);
}

fn tag_of(variant: &Object) -> Option<&str> {
    let Some(RefOr::T(Schema::Object(tag))) = variant.properties.get(TAG) else { return None };
    match tag.enum_values.as_deref() {
        Some([value]) => value.as_str(),
        _ => None,
    }
}

/// The name of an externally tagged variant: that of its only member.
fn only_member(variant: &Object) -> Option<&str> {
    let mut members = variant.properties.keys();
    members.next().filter(|_| members.next().is_none()).map(String::as_str)
}

fn pascal(name: &str) -> String {
    let words = name.split(['_', '-']).map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    });
    words.collect()
}

/// Has pages refer to what they list, where utoipa repeats it: or each list would have a type of its own for its items.
pub fn refer_to_items(schemas: &mut Schemas) {
    let mut listed = Schemas::new();
    for (name, schema) in schemas.iter_mut() {
        let (Some(item), RefOr::T(Schema::Object(page))) = (name.strip_prefix("Page_"), schema) else { continue };
        let Some(RefOr::T(Schema::Array(list))) = page.properties.get_mut("items") else { continue };
        let ArrayItems::RefOrSchema(repeated) = &mut list.items else { continue };
        let reference = RefOr::Ref(Ref::from_schema_name(item));
        listed.insert(item.to_owned(), std::mem::replace(&mut **repeated, reference));
    }
    for (name, schema) in listed {
        schemas.entry(name).or_insert(schema);
    }
}

/// Says of an optional parameter that it may be absent, and no more that it may be null: no path or header can tell null.
pub fn exclude_null(parameter: &mut RefOr<Parameter>) {
    let RefOr::T(parameter) = parameter else { return };
    match &mut parameter.schema {
        Some(RefOr::T(Schema::Object(Object { schema_type: kind @ SchemaType::Array(_), .. }))) => {
            let SchemaType::Array(kinds) = kind else { return };
            kinds.retain(|kind| *kind != Type::Null);
            if let [only] = &kinds[..] {
                *kind = SchemaType::Type(only.clone());
            }
        }
        Some(RefOr::T(Schema::OneOf(choice))) => {
            choice.items.retain(|item| {
                !matches!(item, RefOr::T(Schema::Object(Object { schema_type: SchemaType::Type(Type::Null), .. })))
            });
            if let [only] = &choice.items[..] {
                parameter.schema = Some(only.clone());
            }
        }
        _ => {}
    }
}

/// Writes primitives where they are used, instead of under their Rust name.
pub fn inline_primitives(schemas: &mut Schemas) {
    let primitives: Schemas = PRIMITIVES.iter().filter_map(|name| schemas.remove_entry(*name)).collect();
    for schema in schemas.values_mut() {
        inline(schema, &primitives);
    }
}

fn inline(schema: &mut RefOr<Schema>, primitives: &Schemas) {
    let schema = match schema {
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
            let Some(RefOr::T(Schema::Object(primitive))) = primitives.get(name) else { return };
            let mut inlined = primitive.clone();
            inlined.description = Some(reference.description.clone()).filter(|text| !text.is_empty());
            *schema = RefOr::T(Schema::Object(inlined));
            return;
        }
        RefOr::T(schema) => schema,
    };
    match schema {
        Schema::Object(object) => {
            object.properties.values_mut().for_each(|property| inline(property, primitives));
            if let Some(AdditionalProperties::RefOr(values)) = object.additional_properties.as_deref_mut() {
                inline(values, primitives);
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                inline(items, primitives);
            }
        }
        Schema::OneOf(choice) => choice.items.iter_mut().for_each(|item| inline(item, primitives)),
        Schema::AnyOf(choice) => choice.items.iter_mut().for_each(|item| inline(item, primitives)),
        Schema::AllOf(all) => all.items.iter_mut().for_each(|item| inline(item, primitives)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use attelage_solver::portfolio::PortfolioAnswer;
    use attelage_solver::{Query, Reply};
    use serde_json::{Value, json};
    use utoipa::ToSchema as _;

    use super::*;
    use crate::openapi::document;

    fn schemas(value: Value) -> Schemas {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_variant_is_named_after_its_tag_or_its_only_member() {
        let mut schemas = schemas(json!({
            "End": { "oneOf": [
                { "type": "object", "properties": { "kind": { "type": "string", "enum": ["out_of_time"] }, "at": { "type": "string" } } },
                { "type": "object", "properties": { "kind": { "type": "string", "enum": ["count"] } } }
            ] },
            "Query": { "oneOf": [{ "type": "object", "properties": { "why_not": { "$ref": "#/components/schemas/End" } } }] }
        }));
        name_variants(&mut schemas);
        assert_eq!(schemas.keys().collect::<Vec<_>>(), ["End", "EndCount", "EndOutOfTime", "Query", "QueryWhyNot"]);
        let [end, query] = ["End", "Query"].map(|name| serde_json::to_value(&schemas[name]).unwrap());
        assert_eq!(end["oneOf"][0], json!({ "$ref": "#/components/schemas/EndOutOfTime" }));
        let mapping =
            json!({ "out_of_time": "#/components/schemas/EndOutOfTime", "count": "#/components/schemas/EndCount" });
        assert_eq!(end["discriminator"], json!({ "propertyName": "kind", "mapping": mapping }));
        assert_eq!(query, json!({ "oneOf": [{ "$ref": "#/components/schemas/QueryWhyNot" }] }));
    }

    #[test]
    fn no_part_of_a_choice_is_left_without_a_name() {
        let document = serde_json::to_value(document()).unwrap();
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            assert!(name.starts_with(|letter: char| letter.is_ascii_uppercase()), "{name} is no name for a type");
            for part in schema["oneOf"].as_array().into_iter().flatten() {
                assert!(part["$ref"].is_string(), "{name}: {part}");
            }
        }
    }

    #[test]
    fn no_variant_takes_the_name_of_another_schema() {
        let mut found = Vec::new();
        Query::schemas(&mut found);
        Reply::schemas(&mut found);
        PortfolioAnswer::schemas(&mut found);
        let mut schemas: Schemas = found.into_iter().collect();
        let choices = schemas.values().filter_map(|schema| match schema {
            RefOr::T(Schema::OneOf(choice)) => Some(choice.items.len()),
            _ => None,
        });
        let expected = schemas.len() + choices.sum::<usize>();
        name_variants(&mut schemas);
        assert_eq!(schemas.len(), expected);
    }

    #[test]
    fn a_page_refers_to_what_it_lists() {
        let document = serde_json::to_value(document()).unwrap();
        for (name, page) in document["components"]["schemas"].as_object().unwrap() {
            if let Some(item) = name.strip_prefix("Page_") {
                let expected = json!({ "$ref": format!("#/components/schemas/{item}") });
                assert_eq!(page["properties"]["items"]["items"], expected, "{name}");
            }
        }
    }

    #[test]
    fn no_parameter_is_null() {
        let document = serde_json::to_value(document()).unwrap();
        let operations =
            document["paths"].as_object().unwrap().values().flat_map(|item| item.as_object().unwrap().values());
        let parameters: Vec<&Value> =
            operations.flat_map(|operation| operation["parameters"].as_array().into_iter().flatten()).collect();
        assert!(parameters.iter().any(|parameter| parameter["required"] == false));
        for parameter in parameters {
            assert!(!parameter["schema"].to_string().contains("null"), "{parameter}");
        }
    }

    #[test]
    fn a_primitive_stands_where_it_is_used_with_what_is_said_of_it() {
        let reference = json!({ "$ref": "#/components/schemas/i64", "description": "Cents." });
        let mut schemas = schemas(json!({
            "i64": { "type": "integer", "format": "int64" },
            "A": { "type": "object", "properties": {
                "one": reference, "some": { "type": "array", "items": reference }, "maybe": { "oneOf": [reference, { "type": "null" }] },
                "all": { "allOf": [reference] }, "named": { "type": "object", "additionalProperties": reference }
            } }
        }));
        inline_primitives(&mut schemas);
        let inlined = json!({ "type": "integer", "format": "int64", "description": "Cents." });
        let properties = &serde_json::to_value(&schemas["A"]).unwrap()["properties"];
        for place in ["/one", "/some/items", "/maybe/oneOf/0", "/all/allOf/0", "/named/additionalProperties"] {
            assert_eq!(properties.pointer(place), Some(&inlined), "{place}");
        }
        assert!(!schemas.contains_key("i64"));
    }
}
