//! The answer: proposals with their allocations, reasons, gaps and proof, or why there is none.
//!
//! These types are the documented JSON output of `attelage solve`. All ids are those of the problem.

use std::fmt;

use serde::{Deserialize, Serialize};

mod proposal;

pub use proposal::{
    Allocation, Assumed, Assumption, Cohesion, Costs, Gap, GapReason, Member, NearMiss, Necessity, NeedCoverage, Proof,
    Proposal, Reason, ReasonKind, Refusal, Role,
};

/// Everything one computation says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Answer {
    /// What was achieved.
    pub status: Status,
    /// Best first. Empty unless the status is `optimal` or `feasible`.
    pub proposals: Vec<Proposal>,
    /// Why there is no proposal. Present exactly when the status is `infeasible`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub infeasibility: Option<Infeasibility>,
    /// Whether the list of proposals ends because no further one exists (proven), and not because enough were found.
    pub exhausted: bool,
    /// What the preparation of the problem found.
    pub report: Report,
    /// What computed it.
    pub engine: Engine,
}

/// What was achieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The first proposal is proven best within the gap asked for.
    Optimal,
    /// There are proposals; the first one's distance to the best is bounded by its proof.
    Feasible,
    /// Proven: nobody can answer under these rules.
    Infeasible,
    /// The limit came before any proposal or proof.
    Unknown,
}

/// The code that ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Engine {
    /// `attelage-solver`.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The optimiser and its version.
    pub backend: String,
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} on {}", self.name, self.version, self.backend)
    }
}
/// Why nobody can answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Infeasibility {
    /// One sentence for people.
    pub summary: String,
    /// Mandatory needs that cannot be covered in full, by the closest consortium, with their gaps.
    pub unmet_needs: Vec<NeedCoverage>,
    /// Rules each of which, left out alone, would make an answer possible.
    pub blocking_rules: Vec<BlockingRule>,
    /// The consortium that comes closest when mandatory needs may be missed (and blocking rules broken, where even that is not enough).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closest: Option<Box<Proposal>>,
}

/// A rule whose absence would make an answer possible.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BlockingRule {
    /// The family of rules.
    pub rule: crate::RuleId,
    /// The eligibility rule of the call, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eligibility: Option<String>,
    /// An English sentence: what the call would have to relax.
    pub text: String,
}

/// What the preparation found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Report {
    /// Actors in the problem.
    pub actors: u32,
    /// Actors that can serve at least one cell.
    pub relevant_actors: u32,
    /// Relevant actors that another one can always replace at no higher cost.
    pub dominated_actors: u32,
    /// Cells (need × territory) before and after merging identical ones.
    pub cells: u32,
    /// Cells after merging.
    pub merged_cells: u32,
    /// Capability–cell edges after merging.
    pub edges: u32,
    /// Connected components of the graph of actors and cells.
    pub coverage_components: u32,
    /// Connected components of the relations graph among relevant actors.
    pub relation_components: u32,
    /// Actors without which a mandatory cell has no supplier.
    pub forced_actors: Vec<String>,
}
