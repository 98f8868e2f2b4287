//! The five visibility classes, and the class of every field that the service publishes: here, once.
//!
//! The table is published as `x-visibility` and drives every decision on who reads what. A field without a class fails
//! the tests; so does a class without a field.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use attelage_solver::portfolio::{PortfolioAnswer, PortfolioOptions};
use attelage_solver::{Query, Reply};
use serde_json::Value;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::schema::{AllOfBuilder, Schema};
use utoipa::openapi::{OpenApi as Document, RefOr};
use utoipa::{PartialSchema as _, ToSchema as _};

use crate::openapi::naming;

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

use Class::{Owner, Partners, Public, Registered, Sealed};

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

/// Schema, class, fields.
const CLASSES: &[(&str, Class, &[&str])] = &[
    (
        "Need",
        Public,
        &[
            "code",
            "title",
            "service",
            "territory",
            "public",
            "modality",
            "unit",
            "quantity",
            "per",
            "mandatory",
            "spread",
            "unmet_cost_cents",
            "reference_unit_cost_cents",
            "maximum_suppliers",
        ],
    ),
    ("Lot", Public, &["code", "title", "needs", "minimum_members", "maximum_members"]),
    (
        "EligibilityRule",
        Public,
        &[
            "code",
            "criterion",
            "scope",
            "credential",
            "accept_linked",
            "legal_families",
            "territory",
            "minimum_cents",
            "lots",
            "services",
        ],
    ),
    (
        "GroupPolicy",
        Public,
        &[
            "grouping",
            "form_after_award",
            "several_groups_allowed",
            "maximum_subcontracting_percent",
            "minimum_members",
            "maximum_members",
            "maximum_share_percent",
            "minimum_share_percent",
            "minimum_legal_families",
            "connected",
        ],
    ),
    (
        "MoneyPolicy",
        Public,
        &[
            "budget_by_year_cents",
            "co_financing_percent",
            "advance_percent",
            "payment_delay_days",
            "coordination_per_member_cents",
            "coordination_per_new_pair_cents",
            "coordination_between",
            "coordination_overhead_percent",
        ],
    ),
    ("AwardCriterion", Public, &["name", "weight_percent"]),
    ("Assumptions", Public, &["capacity_per_year_by_unit"]),
    (
        "NewCall",
        Public,
        &[
            "funder",
            "title",
            "reference",
            "description",
            "kind",
            "starts_on",
            "duration_months",
            "answers_due_at",
            "budget_cents",
            "lots",
            "eligibility",
            "group_policy",
            "money_policy",
            "award_criteria",
            "assumptions",
        ],
    ),
    (
        "NewCapability",
        Public,
        &[
            "organisation",
            "title",
            "services",
            "publics",
            "territories",
            "modalities",
            "unit",
            "evidence",
            "valid_from",
            "valid_to",
        ],
    ),
    ("NewCapability", Partners, &["capacity_per_year", "minimum_quantity"]),
    ("Capability", Registered, &["capacity_band"]),
    ("NewCapability", Sealed, &["unit_cost_cents", "fixed_cost_cents"]),
    ("Touched", Registered, &["created", "updated", "unchanged"]),
    (
        "ImportSummary",
        Registered,
        &[
            "rows",
            "rows_skipped",
            "encoding",
            "delimiter",
            "territories",
            "organisations",
            "capabilities",
            "places",
            "faults",
        ],
    ),
    ("Import", Registered, &["id", "kind", "digest", "summary", "created_at"]),
    ("Identifier", Public, &["scheme", "id"]),
    ("Credential", Public, &["code", "valid_from", "valid_to", "evidence"]),
    ("Credential", Registered, &["number"]),
    ("OrganisationLink", Public, &["to", "kind", "shares_credentials", "shares_capacity"]),
    (
        "ResourceMix",
        Registered,
        &["subsidies_percent", "contracts_percent", "sales_percent", "sponsorship_percent", "in_kind_percent"],
    ),
    (
        "NewOrganisation",
        Public,
        &[
            "name",
            "aliases",
            "identifiers",
            "legal_form",
            "legal_family",
            "economic_model",
            "size",
            "home_territories",
            "credentials",
            "links",
            "website",
            "description",
            "source",
            "fresh_on",
            "illustrative",
        ],
    ),
    ("NewOrganisation", Registered, &["resource_mix", "full_time_equivalents", "volunteers"]),
    ("NewOrganisation", Partners, &["contact"]),
    ("NewOrganisation", Owner, &["turnover_cents", "available_cash_cents"]),
    ("NewRelation", Registered, &["a", "b", "kind", "strength_percent", "source", "since", "until"]),
    ("RunOptions", Sealed, &["organisation", "proposals", "locked_in", "locked_out", "time_limit_seconds", "question"]),
    (
        "JointRunOptions",
        Sealed,
        &[
            "organisation",
            "calls",
            "maximum_calls_per_actor",
            "maximum_share_percent",
            "exclusive",
            "fairness",
            "time_limit_seconds",
        ],
    ),
    ("RunCall", Sealed, &["call", "version"]),
    (
        "Run",
        Sealed,
        &[
            "id",
            "organisation",
            "calls",
            "state",
            "options",
            "fingerprint",
            "result",
            "objective_cents",
            "bound_cents",
            "infeasibility",
            "report",
            "engine",
            "failure",
            "created_at",
            "started_at",
            "finished_at",
        ],
    ),
    ("CapacityBand", Registered, &["at_least", "below"]),
    ("Registration", Owner, &["email", "name", "password"]),
    ("PasswordChange", Owner, &["current", "new"]),
    ("SignIn", Owner, &["email", "password"]),
    ("Person", Owner, &["id", "email", "name"]),
    ("Membership", Owner, &["organisation", "role"]),
    ("Me", Owner, &["person", "api_key", "administrator", "memberships", "scopes"]),
    ("Session", Owner, &["id", "current", "created_at", "expires_at"]),
    ("OrganisationMember", Owner, &["person", "role", "version", "created_at"]),
    ("RoleChange", Owner, &["role"]),
    ("NewInvitation", Owner, &["role", "valid_days"]),
    ("Invitation", Owner, &["id", "organisation", "role", "created_at", "expires_at", "used_at"]),
    ("IssuedInvitation", Owner, &["invitation", "secret"]),
    ("InvitationAnswer", Owner, &["secret"]),
    ("NewJoinRequest", Owner, &["message"]),
    ("JoinRequest", Owner, &["id", "organisation", "person", "kind", "state", "message", "created_at", "decided_at"]),
    ("NewApiKey", Owner, &["name", "role", "scopes", "valid_days"]),
    (
        "ApiKey",
        Owner,
        &["id", "organisation", "name", "prefix", "role", "scopes", "created_at", "expires_at", "revoked_at"],
    ),
    ("IssuedApiKey", Owner, &["api_key", "secret"]),
    ("OidcDeparture", Owner, &["location"]),
    ("NewReservation", Owner, &["against", "note"]),
    ("Reservation", Owner, &["id", "organisation", "against", "note", "created_at"]),
    ("Health", Public, &["status", "version"]),
    ("NewTerritory", Public, &["name", "kind", "parent", "population", "latitude", "longitude", "indicators"]),
    ("NewTerm", Public, &["parent", "label_en", "label_fr", "crosswalks"]),
    ("Crosswalks", Public, &["mediation_numerique", "data_inclusion", "cpv"]),
    ("RowFault", Registered, &["line", "field", "value", "problem", "message", "action"]),
    ("BidMember", Sealed, &["organisation", "role", "lots"]),
    ("BidAllocation", Sealed, &["need", "organisation", "quantity", "amount_cents"]),
    ("BidContent", Sealed, &["organisation", "lots", "members", "allocations", "amount_cents", "note"]),
    ("SealedBid", Sealed, &["content", "salt"]),
    (
        "BidReceipt",
        Sealed,
        &["id", "call", "call_version", "organisation", "state", "received_at", "ended_at", "digest"],
    ),
    ("Bid", Sealed, &["receipt", "seal", "sealed"]),
    ("CallEvaluator", Owner, &["call", "person", "created_at"]),
    ("BidOpening", Sealed, &["call", "asked_by", "asked_at", "opened_by", "opened_at"]),
    ("AuditEntry", Owner, &["position", "at", "caller", "action", "subject", "version", "request_id", "details"]),
    (
        "OrganisationExport",
        Owner,
        &[
            "organisation",
            "capabilities",
            "relations",
            "reservations",
            "calls",
            "runs",
            "members",
            "invitations",
            "join_requests",
            "api_keys",
            "audit",
        ],
    ),
    ("ExportedRun", Sealed, &["run", "proposals", "reply"]),
];

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

/// Takes out of answers what their reader may not see, by the classes that the document publishes.
pub struct Veil(HashMap<String, Vec<Member>>);

struct Member {
    name: String,
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
            let own = schema["properties"].as_object().into_iter().flatten().map(|(field, property)| Member {
                name: field.clone(),
                class: class_of(name, field).unwrap_or(Owner),
                schema: named(property),
            });
            (name.clone(), own.collect())
        });
        Self(members.collect())
    }

    /// Leaves in `value`, of the schema, what a reader of this clearance may see: members whose class is above it go, at any depth.
    /// A member that no schema names goes too. Gives the highest class of what is left. O(members).
    pub fn draw(&self, schema: &str, value: &mut Value, clearance: Class) -> Class {
        let mut highest = Public;
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
                    let Some(member) = known.iter().find(|member| member.name == *name) else { return false };
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

    use serde_json::json;

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

    #[test]
    fn costs_are_sealed_and_cash_is_its_owners() {
        assert_eq!(class_of("Capability", "unit_cost_cents"), Some(Sealed));
        assert_eq!(class_of("Organisation", "available_cash_cents"), Some(Owner));
        assert_eq!(class_of("Organisation", "no_such_field"), None);
    }
}
