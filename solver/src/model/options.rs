//! How a question is to be answered.

use serde::{Deserialize, Serialize};

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
