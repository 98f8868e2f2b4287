//! A consortium with its work, its money, its reasons and its proof.

use serde::{Deserialize, Serialize};

/// A consortium, computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Proposal {
    /// 1 is best.
    pub rank: u32,
    /// By share, largest first, the lead marked.
    pub members: Vec<Member>,
    /// Who does how much of what, where.
    pub allocations: Vec<Allocation>,
    /// Coverage of each need, in the order of the call.
    pub needs: Vec<NeedCoverage>,
    /// Covered part of the call in percent: mean of the needs' coverage, weighted by what they cost or are worth.
    pub coverage_percent: f64,
    /// What it costs.
    pub costs: Costs,
    /// Cost above the first proposal (objective, so unmet needs count).
    pub regret_cents: i64,
    /// How well the members know each other.
    pub cohesion: Cohesion,
    /// How good it is, and how we know.
    pub proof: Proof,
    /// Every undeclared value the proposal rests on.
    pub assumptions: Vec<Assumption>,
    /// What each stage reached, where the objective has several; empty otherwise.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<crate::StageProof>,
}

/// Role of a member, in ESPD codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Role {
    /// Answers alone.
    #[serde(rename = "sole-tenderer")]
    SoleTenderer,
    /// Leads the group.
    #[serde(rename = "group-lead")]
    GroupLead,
    /// Member of the group.
    #[serde(rename = "group-mem")]
    GroupMember,
}

/// A member of a proposal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Member {
    /// The actor.
    pub actor: String,
    /// Its label.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// Lots it works for, in the order of the call.
    pub lots: Vec<String>,
    /// What it is paid for services and fixed costs.
    pub amount_cents: i64,
    /// Its part of the services and fixed costs of all members, in percent.
    pub share_percent: f64,
    /// Whether the call could be answered without it, and at what price.
    pub necessity: Necessity,
    /// What it brings.
    pub reasons: Vec<Reason>,
}

/// Whether the call could be answered without a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Necessity {
    /// Proven: no consortium answers the call without it.
    Indispensable,
    /// The best consortium without it costs this much more.
    Replaceable {
        /// Difference of objective, never negative.
        regret_cents: i64,
        /// Actors of that consortium that are not in this one.
        by: Vec<String>,
        /// Whether the other members alone would do.
        superfluous: bool,
    },
    /// The limit came first.
    Unknown,
}

/// One thing a member brings, as data and as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Reason {
    /// What kind of reason.
    pub kind: ReasonKind,
    /// The need it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub need: Option<String>,
    /// How much, in the unit of the need.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
    /// Unit of the quantity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Other actors concerned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actors: Vec<String>,
    /// An English sentence.
    pub text: String,
}

/// What kind of reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    /// Brings a quantity that no other member has.
    Unique,
    /// Brings a quantity at a lower cost than the other members could.
    Cheaper,
    /// Meets a rule that no other member meets.
    MeetsRule,
    /// Nobody can replace it.
    Indispensable,
    /// Somebody can.
    ReplaceableBy,
}

/// A member's work for a need in a territory, by a capability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Allocation {
    /// Who.
    pub actor: String,
    /// With which capability.
    pub capability: String,
    /// For which lot.
    pub lot: String,
    /// For which need.
    pub need: String,
    /// Where.
    pub territory: String,
    /// How much over the contract.
    pub quantity: u64,
    /// The same by year of the contract; adds up to `quantity`.
    pub by_year: Vec<u64>,
    /// Cost of the services, without fixed costs.
    pub amount_cents: i64,
    /// Whether capacity or cost is an assumption.
    pub assumed: bool,
}

/// How much of a need is covered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NeedCoverage {
    /// The need.
    pub need: String,
    /// Its lot.
    pub lot: String,
    /// What is asked, over the contract.
    pub quantity: u64,
    /// What is allocated.
    pub covered: u64,
    /// `covered / quantity` in percent.
    pub coverage_percent: f64,
    /// What is missing, by territory, with the reason. Empty where covered.
    pub gaps: Vec<Gap>,
}

/// A quantity that nobody covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Gap {
    /// Where.
    pub territory: String,
    /// How much.
    pub quantity: u64,
    /// Why.
    pub reason: GapReason,
    /// An English sentence.
    pub text: String,
    /// Actors that come nearest, each with what it lacks. At most five.
    pub near_misses: Vec<NearMiss>,
}

/// Why a quantity is not covered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// No actor that can be counted on (capacity and cost known, conditions met) offers it there to that public.
    NoSupplier,
    /// All who offer it together have too little.
    Capacity,
    /// Covering it would cost more than the funder says it is worth.
    TooCostly,
    /// Somebody could, but a rule of the call (budget, size, eligibility…) prevents it.
    Rule,
}

/// An actor that almost fits a need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NearMiss {
    /// The actor.
    pub actor: String,
    /// What it lacks.
    pub lacks: Refusal,
}

/// Why an actor is refused for a need.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Refusal {
    /// Offers no such service.
    Service,
    /// Not there.
    Territory,
    /// Not for that public.
    Public,
    /// Not in that form.
    Modality,
    /// Counts in another unit.
    Unit,
    /// Capacity unknown, and the call assumes none for that unit.
    UnknownCapacity,
    /// Cost unknown, and the need has no reference cost.
    UnknownCost,
    /// No capacity, or less than its own smallest viable quantity.
    NoCapacity,
    /// Does not meet the eligibility rule of this id.
    Eligibility {
        /// The rule.
        rule: String,
    },
    /// Locked out by the options.
    LockedOut,
}

/// Costs over the contract.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Costs {
    /// Quantities × unit costs.
    pub services_cents: i64,
    /// Fixed costs of the capabilities used.
    pub fixed_cents: i64,
    /// Members and new pairs.
    pub coordination_cents: i64,
    /// The sum of the three: what the budget pays.
    pub total_cents: i64,
    /// What the uncovered quantities are worth to the funder (not paid; part of the objective).
    pub unmet_cents: i64,
    /// `total + unmet`: what was minimised.
    pub objective_cents: i64,
}

/// How well the members know each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cohesion {
    /// Pairs with a relation.
    pub known_pairs: u32,
    /// All pairs.
    pub pairs: u32,
}

/// How good a proposal is, and how we know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Proof {
    /// Proven best (among those that differ from the earlier ones) within the gap asked for.
    pub optimal: bool,
    /// No consortium of this rank can have a lower objective.
    pub bound_cents: i64,
    /// Objective − bound.
    pub gap_cents: i64,
    /// The same in percent of the objective.
    pub gap_percent: f64,
    /// Re-verified against the problem, in integers, by code that does not know the model.
    pub verified: bool,
}

/// An undeclared value that was assumed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Assumption {
    /// The actor.
    pub actor: String,
    /// Its capability.
    pub capability: String,
    /// What was unknown.
    pub what: Assumed,
    /// The value used: units a year, or cents a unit.
    pub value: i64,
    /// An English sentence.
    pub text: String,
}

/// What was unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Assumed {
    /// Capacity per year, from the call.
    CapacityPerYear,
    /// Unit cost, from the need's reference cost.
    UnitCost,
}
