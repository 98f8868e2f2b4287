//! Objectives in order of importance: each stage keeps what the earlier ones reached, within a stated tolerance.

use serde::{Deserialize, Serialize};

use super::master::{Best, Goal, Master, Sought};
use super::measure::{Measure, unit};
use crate::answer::Proof;
use crate::assemble;
use crate::backend::Backend;
use crate::compile::Compiled;
use crate::formulate::keur;
use crate::model::Cents;
use crate::propose::{Draft, Search};

/// What the proposals are the best of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// One objective: what is paid plus what the uncovered units are worth.
    #[default]
    Euros,
    /// As much coverage as possible, then euros.
    CoverageFirst,
    /// As little paid as possible, then as much coverage as possible, then euros.
    CostFirst,
    /// As few pairs that never worked together as possible, then euros.
    CohesionFirst,
    /// As little as possible lost with any one member, then euros.
    ResilienceFirst,
}

impl Aim {
    /// What is minimised, in this order.
    pub(crate) fn stages(self) -> &'static [Measure] {
        match self {
            Self::Euros => &[Measure::Euros],
            Self::CoverageFirst => &[Measure::Uncovered, Measure::Euros],
            Self::CostFirst => &[Measure::Paid, Measure::Uncovered, Measure::Euros],
            Self::CohesionFirst => &[Measure::NewPairs, Measure::Euros],
            Self::ResilienceFirst => &[Measure::Fragility, Measure::Euros],
        }
    }
}

/// What one stage of an objective in several stages reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StageProof {
    /// What was minimised.
    pub measure: Measure,
    /// The least found.
    pub value: i64,
    /// No consortium that keeps the earlier stages is below.
    pub bound: i64,
    /// What the later stages had to keep.
    pub kept: i64,
    /// Whether `value` is proven to be within the tolerance of the least.
    pub optimal: bool,
}

/// Up to `options.proposals` consortia, as [`crate::propose::search`] finds them for euros: one search per stage and proposal.
pub(crate) fn search(c: &Compiled<'_>, backend: &Backend<'_>) -> Search {
    let stages = c.options.objective.stages();
    let Some(mut master) = Master::open(c, backend, stages) else {
        return if c.candidates.is_empty() { Search::Infeasible } else { Search::Unknown };
    };
    let mut drafts: Vec<Draft> = Vec::new();
    let mut exhausted = false;
    while drafts.len() < c.options.proposals as usize {
        match in_stages(&mut master, stages, c.options.stage_tolerance_ppm) {
            Sought::Found(best) => {
                let fewer = best.draft.members.len().saturating_sub(1);
                if master.at_most(fewer, &best.draft.members).is_none() {
                    break;
                }
                drafts.push(best.draft);
            }
            Sought::Infeasible => {
                exhausted = true;
                break;
            }
            Sought::Unknown => break,
        }
    }
    if drafts.is_empty() {
        return if exhausted { Search::Infeasible } else { Search::Unknown };
    }
    let first = drafts.first().map_or(0, |draft| draft.proposal.costs.objective_cents);
    for (rank, draft) in (1..).zip(&mut drafts) {
        draft.proposal.rank = rank;
        draft.proposal.regret_cents = draft.proposal.costs.objective_cents - first;
    }
    Search::Found(drafts, exhausted)
}

/// The best of several measures in order. Its proposal tells every stage; its proof is that of the last one, and `optimal` that of all.
/// Limits of the stages are set free again.
pub(crate) fn in_stages(master: &mut Master<'_, '_, '_>, stages: &[Measure], tolerance_ppm: u32) -> Sought {
    let sought = descend(master, stages, tolerance_ppm);
    for &measure in stages {
        master.limit(measure, None);
    }
    sought
}

fn descend(master: &mut Master<'_, '_, '_>, stages: &[Measure], tolerance_ppm: u32) -> Sought {
    let mut told = Vec::new();
    let mut reached: Option<Box<Best>> = None;
    for (s, &measure) in stages.iter().enumerate() {
        let last = s + 1 == stages.len();
        let mut best = match master.best(goal(master, measure, if last { 0 } else { tolerance_ppm })) {
            Sought::Found(best) => best,
            other if reached.is_none() => return other,
            // What the earlier stages found still stands, without a proof for this one.
            _ => break,
        };
        let whole = whole_of(master, measure);
        let kept = if last { best.value } else { kept(tolerance_ppm, whole, &best) };
        if !last {
            best.optimal = best.value <= kept_from(tolerance_ppm, whole, best.bound);
            master.limit(measure, Some(kept));
        }
        told.push(StageProof { measure, value: best.value, bound: best.bound, kept, optimal: best.optimal });
        reached = Some(best);
    }
    match reached {
        Some(mut best) => {
            let complete = told.len() == stages.len();
            best.optimal = complete && told.iter().all(|stage| stage.optimal);
            let objective = best.draft.proposal.costs.objective_cents;
            let bound = if complete { best.bound.min(objective) } else { 0 };
            best.draft.proposal.proof = proof(&best.draft, best.optimal, objective, bound);
            best.draft.proposal.stages = if stages.len() > 1 { told } else { Vec::new() };
            Sought::Found(best)
        }
        None => Sought::Unknown,
    }
}

/// The proof of a draft about one of its amounts.
pub(crate) fn proof(draft: &Draft, optimal: bool, amount: Cents, bound_cents: Cents) -> Proof {
    let gap_cents = amount - bound_cents;
    let verified = draft.proposal.proof.verified;
    Proof {
        optimal: optimal && verified,
        bound_cents,
        gap_cents,
        gap_percent: if amount == 0 { 0.0 } else { assemble::percent(gap_cents.into(), amount.into()) },
        verified,
    }
}

/// A stage of coverage gets a small cost term, worth at most a quarter of the tolerance: coverage alone, under a budget that
/// binds, leaves the search without direction.
#[allow(clippy::cast_precision_loss)]
fn goal(master: &Master<'_, '_, '_>, measure: Measure, tolerance_ppm: u32) -> Goal {
    let tolerance = f64::from(tolerance_ppm) / 1e6;
    let most = spend_at_most(master.c);
    if measure != Measure::Uncovered || tolerance_ppm == 0 || most <= 0.0 {
        return measure.into();
    }
    let worth = master.weights.asked as f64 * unit(measure) * tolerance / 4.0;
    Goal { measure, thrift: Some((worth / most, worth)) }
}

/// No consortium is paid more, in thousands of euros: the budget, or everything at the highest prices.
fn spend_at_most(c: &Compiled<'_>) -> f64 {
    use crate::formulate::units;
    use crate::rules::RuleId;
    if let Some(budget) = c.problem().call.budget_cents.filter(|_| c.rules.active(RuleId::Budget)) {
        return keur(budget);
    }
    let dearest = c.cells.iter().map(|cell| {
        let price = cell.edges.iter().map(|&e| c.edges[e].terms.unit_cost).max().unwrap_or(0);
        keur(price) * units(cell.demand)
    });
    let fixed = c.offers.iter().map(|offer| keur(offer.capability.fixed_cost_cents));
    let rates = &c.problem().call.coordination;
    let members = f64::from(crate::formulate::most_members(c));
    let together = members * keur(rates.per_member_cents)
        + members * (members - 1.0).max(0.0) / 2.0 * keur(rates.per_new_pair_cents);
    dearest.sum::<f64>() + fixed.sum::<f64>() + together
}

/// What the tolerance of a measure is a part of. What is lost of a whole (coverage, safety) may grow by a part of the whole; an
/// amount, by a part of itself.
fn whole_of(master: &Master<'_, '_, '_>, measure: Measure) -> Option<Cents> {
    match measure {
        Measure::Uncovered => Some(master.weights.asked),
        Measure::Fragility => Some(master.weights.mandatory_asked),
        Measure::Euros | Measure::Paid | Measure::NewPairs => None,
    }
}

/// The tolerance on top of a value; for a part lost of a whole, what is kept of the rest shrinks by the tolerance.
fn kept_from(tolerance_ppm: u32, whole: Option<Cents>, value: Cents) -> Cents {
    let base = i128::from(whole.map_or(value, |whole| whole - value));
    let more = base * i128::from(tolerance_ppm) / 1_000_000;
    value.saturating_add(Cents::try_from(more).unwrap_or(Cents::MAX))
}

/// The value to keep: within the tolerance of the proven bound if what was found is, and what was found otherwise.
fn kept(tolerance_ppm: u32, whole: Option<Cents>, best: &Best) -> Cents {
    kept_from(tolerance_ppm, whole, best.bound).max(best.value)
}
