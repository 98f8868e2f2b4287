//! The problem as its user writes it: what a call needs, what actors can do, which rules hold.
//!
//! These types are the documented JSON format of `attelage solve`. They carry no guarantee by themselves:
//! [`Instance::new`](crate::Instance::new) checks a [`Problem`] and is the only way into the solver.
//!
//! Units: money is integer euro cents, quantities are integers in the unit of their need over the **whole contract**
//! (capacities are per **year**), dates are ISO 8601 `YYYY-MM-DD`, percentages are integers from 0 to 100.

use serde::{Deserialize, Serialize};

mod actor;
mod call;
mod options;

pub use actor::{Actor, Capability, Credential, Incompatibility, Link, Preference, Relation};
pub use call::{
    Assumptions, Between, Call, Coordination, Criterion, EligibilityRule, GroupPolicy, Lot, Need, Payment, Scope,
    Spread,
};
pub use options::Options;

/// Integer euro cents.
pub type Cents = i64;
/// A quantity of hours, sessions, persons, devices…
pub type Quantity = u64;

/// One call, the actors who may answer it, and the vocabularies both use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Problem {
    /// What the funder asks for.
    pub call: Call,
    /// Who may answer. Ids are unique.
    #[serde(default)]
    pub actors: Vec<Actor>,
    /// The tree of territories. A capability in a territory serves every territory below it.
    #[serde(default)]
    pub territories: Vec<Territory>,
    /// The tree of services. A need for a service is met by that service and by those below it, never by a broader one.
    #[serde(default)]
    pub services: Vec<Term>,
    /// The tree of publics. A capability for a public serves that public and those below it; no public at all means everybody.
    #[serde(default)]
    pub publics: Vec<Term>,
    /// Who already knows whom. Undirected; at most one per pair.
    #[serde(default)]
    pub relations: Vec<Relation>,
    /// Entities of one group: they may share certificates where the call accepts it.
    #[serde(default)]
    pub links: Vec<Link>,
    /// Pairs that will not work together.
    #[serde(default)]
    pub incompatibilities: Vec<Incompatibility>,
    /// Actors that join only together with certain others.
    #[serde(default)]
    pub preferences: Vec<Preference>,
}

/// A territory of the tree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Territory {
    /// INSEE code, or any unique string.
    pub id: String,
    /// Label used in explanations; the id where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The territory just above, absent at a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// Inhabitants: the key by which a need spread over a territory is divided among the leaves below it.
    #[serde(default)]
    pub population: u64,
}

/// A node of the tree of services or of publics.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Term {
    /// Code, unique in its tree.
    pub id: String,
    /// Label used in explanations; the id where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The broader term, absent at a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
}
