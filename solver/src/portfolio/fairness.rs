//! Fairness after cost, in stages: each keeps what the earlier ones reached.

use super::stage::{Ask, Goal, Stage};
use super::{FairnessAnswer, FairnessKind, Method, Planned, search};
use crate::backend::Backend;
use crate::model::Cents;

/// The fairest plan that costs hardly more than the cheapest, where fairness is asked for; else the cheapest. The bound stays that of
/// the cost.
pub(super) fn spread(
    method: Method,
    stage: &Stage<'_>,
    backend: &Backend<'_>,
    cheapest: Planned,
) -> (Planned, Option<FairnessAnswer>) {
    let fairness = &stage.options.fairness;
    if fairness.kind == FairnessKind::None {
        return (cheapest, None);
    }
    let Planned { plan, bound_cents } = cheapest;
    let cheapest_cents = plan.objective(stage.calls);
    let cheapest_largest_cents = plan.largest(stage.calls);
    let limit_cents = cheapest_cents.saturating_add(part(cheapest_cents, fairness.tolerance_ppm));
    let even = Ask { goal: Goal::Largest, budget: Some(limit_cents), ceiling: None };
    let even = Stage::new(stage.calls, stage.joint, stage.options, even);
    let fairest = search(method, &even, backend, std::slice::from_ref(&plan));
    let least = even.value(&fairest.plan);
    let again = Ask { goal: Goal::Cost, budget: None, ceiling: Some(least) };
    let again = Stage::new(stage.calls, stage.joint, stage.options, again);
    let settled = search(method, &again, backend, std::slice::from_ref(&fairest.plan));
    let largest_cents = settled.plan.largest(stage.calls);
    let proven = even.meets(largest_cents, fairest.bound_cents)
        && again.meets(settled.plan.objective(stage.calls), settled.bound_cents);
    let answer = FairnessAnswer {
        cheapest_cents,
        limit_cents,
        cheapest_largest_cents,
        largest_cents,
        bound_cents: fairest.bound_cents.min(largest_cents),
        proven,
    };
    (Planned { plan: settled.plan, bound_cents }, Some(answer))
}

/// So many millionths, rounded down.
fn part(cents: Cents, ppm: u32) -> Cents {
    Cents::try_from(i128::from(cents) * i128::from(ppm) / 1_000_000).unwrap_or(Cents::MAX)
}
