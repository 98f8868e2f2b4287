//! The five visibility classes, and the class of every field that the service publishes: here, once.
//!
//! The table is published as `x-visibility` and drives every decision on who reads what. A field without a class fails
//! the tests; so does a class without a field.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use attelage_solver::portfolio::{PortfolioAnswer, PortfolioOptions};
use attelage_solver::{Query, Reply};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::{AllOfBuilder, Schema};
use utoipa::openapi::{OpenApi as Document, RefOr};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::openapi::naming;

mod classes;
mod drawn;
mod veil;

use classes::CLASSES;
pub use veil::Veil;

/// Who may read a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// P0: anyone.
    Public,
    /// P1: any signed-in organisation.
    Registered,
    /// P2: members of the same consortium, after both have accepted.
    Partners,
    /// P3: its owner, and the call's evaluators after the opening.
    Sealed,
    /// P4: its owner only.
    Owner,
}

use Class::{Public, Sealed};

/// Name of the extension in the document.
pub const EXTENSION: &str = "x-visibility";

impl Class {
    /// Its code in the document.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Public => "P0",
            Self::Registered => "P1",
            Self::Partners => "P2",
            Self::Sealed => "P3",
            Self::Owner => "P4",
        }
    }
}

/// What the service adds to a stored resource: the same class wherever it stands.
const ENVELOPE: &[&str] = &["id", "code", "version", "created_at", "updated_at", "status", "published_at", "closed_at"];

/// Schemas of what the solver is asked and computes: sealed as a whole.
static COMPUTED: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let mut schemas = Vec::new();
    Query::schemas(&mut schemas);
    Reply::schemas(&mut schemas);
    PortfolioOptions::schemas(&mut schemas);
    PortfolioAnswer::schemas(&mut schemas);
    schemas.push((PortfolioAnswer::name().into_owned(), PortfolioAnswer::schema()));
    schemas.push((Query::name().into_owned(), Query::schema()));
    schemas.push((Reply::name().into_owned(), Reply::schema()));
    let mut schemas = schemas.into_iter().collect();
    naming::name_variants(&mut schemas);
    schemas.into_keys().collect()
});

/// The class of a field of a schema, if it has one.
#[must_use]
pub fn class_of(schema: &str, field: &str) -> Option<Class> {
    if COMPUTED.contains(schema) {
        return Some(Sealed);
    }
    let written = format!("New{schema}");
    let named = CLASSES.iter().filter(|(name, _, _)| *name == schema || *name == written);
    let own = named.clone().find(|(_, _, fields)| fields.contains(&field)).map(|(_, class, _)| *class);
    own.or_else(|| (named.count() > 0 && ENVELOPE.contains(&field)).then_some(Public))
}

/// Publishes the class of every field. What only some may read is not required in what everybody gets.
pub fn publish(document: &mut Document) {
    let Some(components) = &mut document.components else { return };
    for (name, schema) in &mut components.schemas {
        let RefOr::T(Schema::Object(object)) = schema else { continue };
        let mut classes = BTreeSet::new();
        for (field, property) in &mut object.properties {
            if let Some(class) = class_of(name, field) {
                mark(property, class);
                classes.insert(class);
            }
        }
        if classes.contains(&Public) && !name.starts_with("New") {
            object.required.retain(|field| class_of(name, field) == Some(Public));
        }
    }
}

fn mark(property: &mut RefOr<Schema>, class: Class) {
    let extension = Some(Extensions::from_iter([(EXTENSION, class.code())]));
    match property {
        RefOr::T(Schema::Object(object)) => object.extensions = extension,
        RefOr::T(Schema::Array(array)) => array.extensions = extension,
        RefOr::T(Schema::OneOf(one)) => one.extensions = extension,
        RefOr::T(Schema::AllOf(all)) => all.extensions = extension,
        RefOr::T(Schema::AnyOf(any)) => any.extensions = extension,
        RefOr::T(_) => {}
        RefOr::Ref(reference) => {
            let description = Some(reference.description.clone()).filter(|text| !text.is_empty());
            reference.description.clear();
            let all = AllOfBuilder::new().item(reference.clone()).description(description).extensions(extension);
            *property = RefOr::T(Schema::AllOf(all.build()));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::Value;

    use super::*;
    use crate::openapi;

    /// Envelopes that say nothing of an entity.
    fn is_envelope(schema: &str) -> bool {
        schema.starts_with("Page_") || ["ProblemDetails", "Fault"].contains(&schema)
    }

    #[test]
    fn every_published_field_has_exactly_one_class() {
        let document: Value = serde_json::to_value(openapi::document()).unwrap();
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let codes = ["P0", "P1", "P2", "P3", "P4"];
        for (name, schema) in schemas.iter().filter(|(name, _)| !is_envelope(name)) {
            for (field, property) in schema["properties"].as_object().into_iter().flatten() {
                let class = property[EXTENSION].as_str().unwrap_or_default();
                assert!(codes.contains(&class), "{name}.{field} has no visibility class");
            }
        }
        let mut seen = BTreeSet::new();
        for (schema, _, fields) in CLASSES {
            for field in *fields {
                assert!(seen.insert((schema, field)), "{schema}.{field} has two classes");
                assert!(!schemas[*schema]["properties"][field].is_null(), "{schema}.{field} does not exist");
            }
        }
        for schema in ["Proposal", "Allocation", "RuleWorth"] {
            assert_eq!(class_of(schema, "anything"), Some(Sealed), "{schema} is computed");
        }
    }

    #[test]
    fn costs_are_sealed_and_cash_is_its_owners() {
        assert_eq!(class_of("Capability", "unit_cost_cents"), Some(Sealed));
        assert_eq!(class_of("Organisation", "available_cash_cents"), Some(Class::Owner));
        assert_eq!(class_of("Organisation", "no_such_field"), None);
    }
}
