//! Bids side by side, for those who evaluate a call: what the bids say, what is public of those who bid, and nothing else. It ranks
//! nothing and awards nothing.
//!
//! 1. `measure` works out what there is to compare, lot by lot; `rules` judges the conditions of the call.
//! 2. `table` says the same as CSV.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Routes;
use crate::bids::Role;
use crate::calls::AwardCriterion;

mod measure;
pub(crate) mod routes;
mod rules;
mod table;
#[cfg(test)]
mod tests;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes::configure(routes);
}

/// The bids of a call side by side.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct BidComparison {
    /// Of which call.
    pub call: Uuid,
    /// Which version of it.
    pub call_version: i64,
    /// By what people compare, with its weight.
    pub award_criteria: Vec<AwardCriterion>,
    /// The bids, as wholes.
    pub bids: Vec<ComparedBid>,
    /// The lots, in the order of the call.
    pub lots: Vec<ComparedLot>,
    /// Bids whose seal is broken: of them nothing is shown.
    pub broken: Vec<Uuid>,
}

/// A bid.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ComparedBid {
    /// Its id.
    pub bid: Uuid,
    /// Whose.
    pub organisation: Uuid,
    /// What that is called.
    pub name: String,
    /// Its price, for all its lots.
    pub amount_cents: i64,
    /// Codes of its lots.
    pub lots: Vec<String>,
    /// Who takes part.
    pub members: Vec<ComparedMember>,
    /// The conditions of the call, each judged by what is public.
    pub rules: Vec<ComparedRule>,
}

/// A member of a bid.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ComparedMember {
    /// Which.
    pub organisation: Uuid,
    /// What it is called.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// Its part of the price.
    pub amount_cents: i64,
    /// The same in percent.
    pub share_percent: f64,
    /// Needs of which nobody else in the bid delivers anything. Where there are none, the others could perhaps do without it: in an
    /// oversized group that is a question of competition law.
    pub only_supplier_of: Vec<String>,
}

/// A condition of the call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ComparedRule {
    /// `size`, `lot_size`, `largest_share`, `smallest_share`, `legal_families`, `subcontracting`, `budget`, `connected`, or
    /// `eligibility:` and the code of the condition.
    pub code: String,
    /// How it stands.
    pub verdict: Verdict,
    /// Why, in English.
    pub text_en: String,
    /// Why, in French.
    pub text_fr: String,
}

/// How a condition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ComparedVerdict)]
pub enum Verdict {
    /// It is kept.
    Kept,
    /// It is broken.
    Broken,
    /// What is public does not tell.
    Unknown,
}

/// A lot with the bids on it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ComparedLot {
    /// Its code.
    pub code: String,
    /// What it is called.
    pub title: String,
    /// The bids on it, by id.
    pub bids: Vec<ComparedOffer>,
}

/// What a bid offers for a lot.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct ComparedOffer {
    /// Which bid.
    pub bid: Uuid,
    /// What the lot costs.
    pub amount_cents: i64,
    /// Mean of the coverage of its needs.
    pub coverage_percent: f64,
    /// What nobody delivers.
    pub gaps: Vec<ComparedGap>,
    /// Mean strength of the relations between those who work for the lot, over all pairs; absent where one works alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cohesion_percent: Option<f64>,
    /// The coverage that is left when the member whose loss is worst leaves, and nobody takes over.
    pub resilience_percent: f64,
    /// That member.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst_loss: Option<Uuid>,
    /// The part of the price for work done by organisations that are at home in the territory of the need, or in a part of it.
    pub anchoring_percent: f64,
}

/// A need that is not delivered in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ComparedGap {
    /// Code of the need.
    pub need: String,
    /// What is missing, in its unit.
    pub missing: i64,
    /// Whether it must be met in full.
    pub mandatory: bool,
}
