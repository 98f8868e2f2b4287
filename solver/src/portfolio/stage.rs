//! One question about all calls together: what is minimised, under which limits; in rows for the optimiser, and exactly.

use std::collections::BTreeSet;

use super::PortfolioOptions;
use super::joint::Joint;
use super::plan::Plan;
use super::rows::Rows;
use crate::compile::Compiled;
use crate::formulate::keur;
use crate::model::Cents;

/// What is minimised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goal {
    /// The cost of all calls.
    Cost,
    /// The most that one actor is paid for services.
    Largest,
}

/// What a stage asks beside the options.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask {
    pub(super) goal: Goal,
    /// All calls cost no more.
    pub(super) budget: Option<Cents>,
    /// No actor is paid more for services.
    pub(super) ceiling: Option<Cents>,
}

impl Ask {
    /// The cheapest plan.
    pub(super) const CHEAPEST: Self = Self { goal: Goal::Cost, budget: None, ceiling: None };
}

/// A question about all calls together.
pub(super) struct Stage<'s> {
    pub(super) calls: &'s [Compiled<'s>],
    pub(super) joint: &'s Joint,
    pub(super) options: &'s PortfolioOptions,
    pub(super) ask: Ask,
    pub(super) rows: Rows,
}

impl<'s> Stage<'s> {
    pub(super) fn new(calls: &'s [Compiled<'s>], joint: &'s Joint, options: &'s PortfolioOptions, ask: Ask) -> Self {
        Self { calls, joint, options, ask, rows: Rows::new(calls, joint, options, ask) }
    }

    /// What is minimised, of a plan.
    pub(super) fn value(&self, plan: &Plan) -> Cents {
        match self.ask.goal {
            Goal::Cost => plan.objective(self.calls),
            Goal::Largest => plan.largest(self.calls),
        }
    }

    /// What the consortium for a call counts in each row; an unanswered call counts what it costs.
    pub(super) fn usage(&self, plan: &Plan, call: usize) -> Vec<(usize, f64)> {
        let cost = keur(plan.cost(self.calls, call));
        match &plan.drafts[call] {
            Some(draft) => self.rows.usage(call, &draft.quantity, &draft.members, cost),
            None => self.rows.usage(call, &[], &BTreeSet::new(), cost),
        }
    }

    /// Whether a plan keeps everything asked, in whole numbers.
    pub(super) fn keeps(&self, plan: &Plan) -> bool {
        plan.verified()
            && self.joint.keeps(plan)
            && self.exclusive(plan)
            && self.fair(plan)
            && self.ask.budget.is_none_or(|most| plan.objective(self.calls) <= most)
            && self.ask.ceiling.is_none_or(|most| plan.largest(self.calls) <= most)
    }

    /// Whether no actor takes part in too many calls.
    fn exclusive(&self, plan: &Plan) -> bool {
        let all = (0..self.calls.len()).collect();
        let most = self.options.maximum_calls_per_actor;
        most.is_none_or(|most| plan.busiest(self.calls, &all) <= most)
            && self.joint.exclusive.iter().all(|group| plan.busiest(self.calls, group) <= 1)
    }

    /// Whether no actor carries more than its largest part of all services.
    fn fair(&self, plan: &Plan) -> bool {
        let Some(most) = self.options.maximum_share_percent else { return true };
        let paid = plan.paid(self.calls);
        let all: i128 = paid.values().sum();
        paid.values().all(|own| own * 100 <= i128::from(most) * all)
    }

    /// Whether a value is within the gap asked for of what is proven.
    pub(super) fn meets(&self, value: Cents, bound: Cents) -> bool {
        let gap = i128::from(value) - i128::from(bound);
        gap * 1_000_000 <= i128::from(value) * i128::from(self.options.gap_ppm)
    }
}
