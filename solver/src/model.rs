//! The problem as its user writes it: what a call needs, what actors can do, which rules hold.
//!
//! These types are the documented JSON format of `attelage solve`. They carry no guarantee by themselves:
//! [`Instance::new`](crate::Instance::new) checks a [`Problem`] and is the only way into the solver.
//!
//! Units: money is integer euro cents, quantities are integers in the unit of their need over the **whole contract**
//! (capacities are per **year**), dates are ISO 8601 `YYYY-MM-DD`, percentages are integers from 0 to 100.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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

/// An organisation that offers capabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// Unique id.
    pub id: String,
    /// Label used in explanations; the id where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Legal family (`association`, `company`, `cooperative`, …), for eligibility rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_family: Option<String>,
    /// Territories where it is at home, for anchoring rules.
    #[serde(default)]
    pub home_territories: Vec<String>,
    /// Certificates with their validity.
    #[serde(default)]
    pub credentials: Vec<Credential>,
    /// Yearly turnover; unknown where absent (a rule on turnover then fails for this actor).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turnover_cents: Option<Cents>,
    /// Cash it can advance before it is paid; unknown (hence unlimited) where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available_cash_cents: Option<Cents>,
    /// What it can do.
    #[serde(default)]
    pub capabilities: Vec<Capability>,
}

/// A certificate, label or agreement held by one entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// `qualiopi`, `esus`, …
    pub code: String,
    /// First day of validity; always valid before where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    /// Last day of validity; no end where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<String>,
}

/// What an actor can deliver: services × publics × territories × modalities, with its capacity and costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Capability {
    /// Unique in the whole problem.
    pub id: String,
    /// At least one. The capacity is shared over them.
    pub services: Vec<String>,
    /// Empty: everybody.
    #[serde(default)]
    pub publics: Vec<String>,
    /// At least one.
    pub territories: Vec<String>,
    /// Empty: any modality.
    #[serde(default)]
    pub modalities: Vec<String>,
    /// `hour`, `session`, `person`, `device`, …; unknown where absent: it then fits any need, under the call's assumptions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Units a year; unknown where absent: the call's assumption is used, and without one the capability cannot be counted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_per_year: Option<Quantity>,
    /// Cost of a unit; unknown where absent: the need's reference cost is assumed, and without one the capability cannot be counted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_cost_cents: Option<Cents>,
    /// Cost of taking part with this capability, whatever the quantity, over the contract.
    #[serde(default)]
    pub fixed_cost_cents: Cents,
    /// The smallest quantity over the contract for which it is worth starting.
    #[serde(default)]
    pub minimum_quantity: Quantity,
    /// Capabilities of different actors that name the same pool share one capacity, so that linked entities never count it twice:
    /// what the largest actor of the pool could deliver with all its own capabilities there. A pool of a single actor restricts
    /// nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
}

/// Two actors who already work together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Relation {
    /// One actor.
    pub a: String,
    /// The other.
    pub b: String,
    /// How well, in percent: a known pair spares that part of the cost of a new pair.
    #[serde(default = "hundred")]
    pub strength_percent: u8,
}

fn hundred() -> u8 {
    100
}

/// Two entities of one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The entity that holds.
    pub from: String,
    /// The entity that benefits.
    pub to: String,
    /// Whether `to` may rely on the certificates of `from` where a rule accepts linked entities.
    #[serde(default)]
    pub shares_credentials: bool,
}

/// Two actors who cannot be members of the same consortium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Incompatibility {
    /// One actor.
    pub a: String,
    /// The other.
    pub b: String,
}

/// An actor that joins only together with another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Preference {
    /// Who sets the condition.
    pub actor: String,
    /// At least one of them must be a member too. At least one, not the actor itself.
    pub only_with: Vec<String>,
}

/// A collective call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// Unique id.
    pub id: String,
    /// Label used in explanations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Length of the contract in months, 1 to 240.
    pub duration_months: u32,
    /// First day: certificates must be valid on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
    /// Money for the whole contract; no limit where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_cents: Option<Cents>,
    /// At least one, each with at least one need.
    pub lots: Vec<Lot>,
    /// Conditions of participation.
    #[serde(default)]
    pub eligibility: Vec<EligibilityRule>,
    /// Size and shape of the group.
    #[serde(default)]
    pub group: GroupPolicy,
    /// What working together costs.
    #[serde(default)]
    pub coordination: Coordination,
    /// How members are paid, hence what they must advance.
    #[serde(default)]
    pub payment: Payment,
    /// What to assume where an actor has declared nothing.
    #[serde(default)]
    pub assumptions: Assumptions,
}

/// A part of the call that can be awarded on its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Lot {
    /// Unique in the call.
    pub id: String,
    /// Label used in explanations; the id where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// At least one.
    pub needs: Vec<Need>,
    /// Fewest members that work for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_members: Option<u32>,
    /// Most members that work for it; no limit where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_members: Option<u32>,
}

/// Service × territory × public, with a quantity over the whole contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// Unique in the call.
    pub id: String,
    /// Label used in explanations; the service's where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A code of `services`.
    pub service: String,
    /// A code of `territories`.
    pub territory: String,
    /// A code of `publics`; everybody where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<String>,
    /// Required modality; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modality: Option<String>,
    /// Unit of the quantity.
    pub unit: String,
    /// Quantity over the whole contract, at least 1.
    pub quantity: Quantity,
    /// Must be covered in full; otherwise what is not covered costs `unmet_cost_cents` a unit.
    #[serde(default = "yes")]
    pub mandatory: bool,
    /// What a unit that nobody covers is worth to the funder.
    #[serde(default)]
    pub unmet_cost_cents: Cents,
    /// Published reference cost of a unit: what is assumed for a capability that declares none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_unit_cost_cents: Option<Cents>,
    /// Where in the territory the quantity must be delivered.
    #[serde(default)]
    pub spread: Spread,
    /// Most members that deliver it, over all places together; no limit where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum_suppliers: Option<u32>,
}

fn yes() -> bool {
    true
}

/// Where in its territory the quantity of a need must be delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// Anywhere in the territory: a capability that reaches any part of it can serve the whole quantity.
    #[default]
    Anywhere,
    /// In every leaf territory below it, in proportion to the population: a capability serves the leaves that it reaches.
    Population,
}

/// A condition of participation: a criterion, and who must meet it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct EligibilityRule {
    /// Unique in the call.
    pub id: String,
    /// What is asked.
    pub criterion: Criterion,
    /// Who must meet it.
    pub scope: Scope,
    /// The lots concerned; all where empty. With the scope `each_member`, the members that work for those lots.
    #[serde(default)]
    pub lots: Vec<String>,
    /// The services concerned, with those below them; all where empty. Only for the scope `performer`.
    #[serde(default)]
    pub services: Vec<String>,
}

/// What an eligibility rule asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Criterion {
    /// A certificate valid on the first day of the contract.
    Credential {
        /// Its code.
        code: String,
        /// Whether one held by a linked entity that shares its certificates will do.
        #[serde(default)]
        accept_linked: bool,
    },
    /// One of these legal families.
    LegalFamily {
        /// Accepted families.
        any_of: Vec<String>,
    },
    /// At home in this territory, below it or above it.
    HomeTerritory {
        /// The territory.
        territory: String,
    },
    /// A yearly turnover of at least this; with the scope `sum_over_members`, all members together.
    Turnover {
        /// The least turnover.
        minimum_cents: Cents,
    },
}

/// Who must meet a criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every member.
    EachMember,
    /// At least one member.
    AnyMember,
    /// The members together (numbers add up; anything else is `any_member`).
    SumOverMembers,
    /// The lead.
    Lead,
    /// Whoever does the work of the lots or services named.
    Performer,
}

/// Size and shape of the group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct GroupPolicy {
    /// Fewest members, at least 1.
    pub minimum_members: u32,
    /// Most members; no limit where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_members: Option<u32>,
    /// Largest part of the cost of services that one member may carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_share_percent: Option<u8>,
    /// Smallest part of the cost of services that a member must carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_share_percent: Option<u8>,
    /// Fewest distinct legal families among the members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_legal_families: Option<u32>,
    /// Whether each member must reach each other one through relations among members.
    pub connected: bool,
}

impl Default for GroupPolicy {
    fn default() -> Self {
        Self {
            minimum_members: 1,
            maximum_members: None,
            maximum_share_percent: None,
            minimum_share_percent: None,
            minimum_legal_families: None,
            connected: false,
        }
    }
}

/// What working together costs, over the whole contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Coordination {
    /// For each member.
    pub per_member_cents: Cents,
    /// For each pair of members that have never worked together.
    pub per_new_pair_cents: Cents,
    /// Which pairs count.
    pub between: Between,
    /// Of the cost of services, on top of it, rounded up to the cent; 0 to 100.
    pub overhead_percent: u8,
}

/// Who coordinates with whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Between {
    /// Every member with every other: for groups of up to some thirty.
    #[default]
    All,
    /// Every member with the lead.
    Lead,
    /// Those who work for the same lot, once for each lot that they share.
    Lot,
}

/// How members are paid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Payment {
    /// Part of each payment advanced before the work.
    pub advance_percent: u8,
    /// Days between the work and its payment.
    pub delay_days: u32,
}

/// What to assume where an actor has declared nothing. Every proposal that rests on one says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Assumptions {
    /// Capacity per year of a capability of unknown capacity, by unit of the need it serves.
    pub capacity_per_year_by_unit: BTreeMap<String, Quantity>,
}

/// What is asked of the solver beside the problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// How many proposals, best first; each replaces at least one member of every earlier one. 1 to 20.
    pub proposals: u32,
    /// Actors that must be members.
    pub locked_in: Vec<String>,
    /// Actors that must not.
    pub locked_out: Vec<String>,
    /// Wall-clock limit for everything, in milliseconds. Results found so far are kept.
    pub time_limit_ms: u64,
    /// Limit on the work of the optimiser for everything, in simplex iterations: unlike time, it gives the same result on every
    /// machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work_limit: Option<u64>,
    /// Limit on the resident memory of the whole process, in MiB, kept as the other limits are. Best effort: it is looked at between
    /// steps and while the optimiser runs, some fifty times a second, and only on Linux; what must not be exceeded is for the
    /// operating system to limit, in a process of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_limit_mib: Option<u64>,
    /// Relative gap under which a solution counts as optimal, in parts per million.
    pub gap_ppm: u32,
    /// Rules to leave out, by [`RuleId`](crate::RuleId).
    pub disabled_rules: Vec<crate::RuleId>,
    /// Seed of the backend's tie-breaking.
    pub seed: u32,
    /// What the proposals are the best of.
    pub objective: crate::Aim,
    /// How much of what an earlier stage of the objective reached the later ones may give up, in parts per million.
    pub stage_tolerance_ppm: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            proposals: 3,
            locked_in: Vec::new(),
            locked_out: Vec::new(),
            time_limit_ms: 30_000,
            work_limit: None,
            memory_limit_mib: None,
            gap_ppm: 1,
            disabled_rules: Vec::new(),
            seed: 0,
            objective: crate::Aim::Euros,
            stage_tolerance_ppm: 5_000,
        }
    }
}
