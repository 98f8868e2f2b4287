//! What a reader may not see is taken out of answers.

use std::cell::Cell;
use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::drawn::{Drawn, Sight};
use super::{Class, class_of};

/// Takes out of answers what their reader may not see, by the classes that the document publishes.
pub struct Veil(HashMap<String, Vec<Member>>);

/// A member of an object.
pub(super) struct Member {
    pub name: String,
    pub class: Class,
    /// The schema of its value, or of the items of its value.
    pub schema: Option<String>,
}

impl Veil {
    /// Reads the document.
    #[must_use]
    pub fn new(document: &Value) -> Self {
        let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
        let members = schemas.map(|(name, schema)| {
            let own = schema["properties"].as_object().into_iter().flatten().map(|(field, property)| {
                let class = class_of(name, field).unwrap_or(Class::Owner);
                Member { name: field.clone(), class, schema: named(property) }
            });
            (name.clone(), own.collect())
        });
        Self(members.collect())
    }

    /// What a reader of this clearance sees of `value`, of the schema, as JSON, and the highest class in it: members whose class is
    /// above theirs are left out, at any depth, and so is what no schema names. O(members).
    ///
    /// # Errors
    /// A value that is not JSON.
    pub fn draw(
        &self,
        schema: &str,
        value: &impl Serialize,
        clearance: Class,
    ) -> serde_json::Result<(Box<RawValue>, Class)> {
        let sight = Sight { veil: self, clearance, highest: Cell::new(Class::Public) };
        let seen = to_raw_value(&Drawn { value, schema, sight: &sight })?;
        Ok((seen, sight.highest.get()))
    }

    /// The members of a schema, in the order of the document, which is the one that they are written in; none of one that nobody knows.
    pub(super) fn members(&self, schema: &str) -> &[Member] {
        self.0.get(schema).map(Vec::as_slice).unwrap_or_default()
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
            let (seen, highest) = veil.draw("Organisation", &whole, clearance).unwrap();
            assert!(highest <= clearance);
            serde_json::from_str::<Value>(seen.get()).unwrap()
        };
        assert_eq!(seen(Public), json!({ "id": "1", "name": "A", "credentials": [{ "code": "qualiopi" }] }));
        let registered = seen(Registered);
        assert_eq!(registered["credentials"][0]["number"], "N");
        assert!(registered["resource_mix"]["sales_percent"] == 5 && registered["volunteers"] == 3);
        assert!(registered.get("contact").is_none() && seen(Partners)["contact"] == "C");
        assert!(seen(Sealed).get("turnover_cents").is_none() && seen(Owner)["turnover_cents"] == 4);
        assert!(seen(Owner).get("unheard_of").is_none(), "what has no class is shown to nobody");
        let of_no_schema = veil.draw("Nothing", &whole, Owner).unwrap();
        assert_eq!((of_no_schema.0.get(), of_no_schema.1), ("{}", Public));
        let several = veil.draw("Organisation", &[&whole, &whole], Public).unwrap();
        assert_eq!(serde_json::from_str::<Value>(several.0.get()).unwrap(), json!([seen(Public), seen(Public)]));
    }
}
