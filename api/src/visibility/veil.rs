//! What a reader may not see is taken out of answers.

use std::collections::HashMap;

use serde_json::Value;

use super::{Class, class_of};

/// Takes out of answers what their reader may not see, by the classes that the document publishes.
pub struct Veil(HashMap<String, HashMap<String, Member>>);

struct Member {
    class: Class,
    /// The schema of its value, or of the items of its value.
    schema: Option<String>,
}

impl Veil {
    /// Reads the document.
    #[must_use]
    pub fn new(document: &Value) -> Self {
        let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
        let members = schemas.map(|(name, schema)| {
            let own = schema["properties"].as_object().into_iter().flatten().map(|(field, property)| {
                let class = class_of(name, field).unwrap_or(Class::Owner);
                (field.clone(), Member { class, schema: named(property) })
            });
            (name.clone(), own.collect())
        });
        Self(members.collect())
    }

    /// Leaves in `value`, of the schema, what a reader of this clearance may see: members whose class is above it go, at any depth.
    /// A member that no schema names goes too. Gives the highest class of what is left. O(members).
    pub fn draw(&self, schema: &str, value: &mut Value, clearance: Class) -> Class {
        let mut highest = Class::Public;
        match value {
            Value::Array(items) => {
                for item in items {
                    highest = highest.max(self.draw(schema, item, clearance));
                }
            }
            Value::Object(members) => {
                let Some(known) = self.0.get(schema) else {
                    members.clear();
                    return highest;
                };
                members.retain(|name, value| {
                    let Some(member) = known.get(name.as_str()) else { return false };
                    if member.class > clearance {
                        return false;
                    }
                    highest = highest.max(member.class);
                    if let Some(schema) = &member.schema {
                        highest = highest.max(self.draw(schema, value, clearance));
                    }
                    true
                });
            }
            _ => {}
        }
        highest
    }
}

/// The schema that a property refers to, in one of the ways that the document writes it.
fn named(property: &Value) -> Option<String> {
    let places = ["/$ref", "/items/$ref", "/allOf/0/$ref", "/oneOf/1/$ref", "/oneOf/0/$ref"];
    let reference = places.into_iter().find_map(|place| property.pointer(place)?.as_str())?;
    reference.rsplit('/').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::Class::{Owner, Partners, Public, Registered, Sealed};
    use super::*;
    use crate::openapi;

    #[test]
    fn a_veil_leaves_what_the_clearance_allows_at_any_depth() {
        let veil = Veil::new(&serde_json::to_value(openapi::document()).unwrap());
        let whole = json!({
            "id": "1", "name": "A", "volunteers": 3, "contact": "C", "turnover_cents": 4, "unheard_of": true,
            "credentials": [{ "code": "qualiopi", "number": "N" }], "resource_mix": { "sales_percent": 5 },
        });
        let seen = |clearance| {
            let mut value = whole.clone();
            veil.draw("Organisation", &mut value, clearance);
            value
        };
        assert_eq!(seen(Public), json!({ "id": "1", "name": "A", "credentials": [{ "code": "qualiopi" }] }));
        let registered = seen(Registered);
        assert_eq!(registered["credentials"][0]["number"], "N");
        assert!(registered["resource_mix"]["sales_percent"] == 5 && registered["volunteers"] == 3);
        assert!(registered.get("contact").is_none() && seen(Partners)["contact"] == "C");
        assert!(seen(Sealed).get("turnover_cents").is_none() && seen(Owner)["turnover_cents"] == 4);
        assert!(seen(Owner).get("unheard_of").is_none(), "what has no class is shown to nobody");
    }
}
