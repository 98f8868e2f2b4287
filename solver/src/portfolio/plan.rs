//! Who answers which call.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::assemble::price;
use crate::compile::Compiled;
use crate::model::{Between, Cents, Quantity};
use crate::propose::Draft;

/// Who answers which call; nobody where there is no draft.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) drafts: Vec<Option<Rc<Draft>>>,
}

impl Plan {
    pub(super) fn nothing(calls: &[Compiled<'_>]) -> Self {
        Self { drafts: vec![None; calls.len()] }
    }

    pub(super) fn objective(&self, calls: &[Compiled<'_>]) -> Cents {
        (0..calls.len()).map(|call| self.cost(calls, call)).sum()
    }

    /// What one call costs, answered or not.
    pub(super) fn cost(&self, calls: &[Compiled<'_>], call: usize) -> Cents {
        let draft = self.drafts[call].as_ref();
        draft.map_or_else(|| unanswered(&calls[call]), |draft| draft.proposal.costs.objective_cents)
    }

    /// Calls that nobody answers.
    pub(super) fn open(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.drafts.len()).filter(|&call| self.drafts[call].is_none())
    }

    /// Whether every proposal passed its own check.
    pub(super) fn verified(&self) -> bool {
        self.drafts.iter().flatten().all(|draft| draft.proposal.proof.verified)
    }

    pub(super) fn quantity(&self, call: usize, edge: usize) -> Quantity {
        self.drafts[call].as_ref().map_or(0, |draft| draft.quantity[edge])
    }

    /// What each actor is paid for services, over all calls.
    pub(super) fn paid(&self, calls: &[Compiled<'_>]) -> BTreeMap<usize, i128> {
        let mut paid = BTreeMap::new();
        for (draft, c) in self.drafts.iter().zip(calls) {
            let quantities = draft.iter().flat_map(|draft| c.edges.iter().zip(&draft.quantity));
            for (edge, &quantity) in quantities {
                let actor = c.candidates[c.offers[edge.offer].candidate].actor;
                *paid.entry(actor).or_default() += i128::from(price(quantity, edge.terms.unit_cost));
            }
        }
        paid
    }

    /// The most that one actor is paid for services.
    pub(super) fn largest(&self, calls: &[Compiled<'_>]) -> Cents {
        let largest = self.paid(calls).into_values().max().unwrap_or(0);
        Cents::try_from(largest).unwrap_or(Cents::MAX)
    }

    /// In how many of some calls the busiest actor takes part.
    pub(super) fn busiest(&self, calls: &[Compiled<'_>], among: &BTreeSet<usize>) -> u32 {
        let mut count: BTreeMap<usize, u32> = BTreeMap::new();
        for &call in among {
            for &i in self.drafts[call].iter().flat_map(|draft| &draft.members) {
                *count.entry(calls[call].candidates[i].actor).or_default() += 1;
            }
        }
        count.into_values().max().unwrap_or(0)
    }
}

/// What an unanswered call counts: twice its services at the highest prices, all fixed costs, everybody's coordination, and what
/// its needs are worth.
pub(super) fn unanswered(c: &Compiled<'_>) -> Cents {
    let dearest = |j: usize| c.cells[j].edges.iter().map(|&e| c.edges[e].terms.unit_cost).max().unwrap_or(0);
    let services: Cents = (0..c.cells.len()).map(|j| price(c.cells[j].demand, dearest(j))).sum();
    let fixed: Cents = c.offers.iter().map(|offer| offer.capability.fixed_cost_cents).sum();
    let count = Cents::try_from(c.candidates.len()).unwrap_or(Cents::MAX);
    let most = c.problem().call.group.maximum_members.map_or(count, |most| count.min(most.into()));
    let call = &c.problem().call;
    let rates = &call.coordination;
    let groups = if rates.between == Between::Lot { Cents::try_from(call.lots.len()).unwrap_or(Cents::MAX) } else { 1 };
    let together = rates.per_member_cents * most + groups * rates.per_new_pair_cents * (most * (most - 1).max(0) / 2);
    let worth: Cents = c.cells.iter().map(|cell| price(cell.demand, c.needs[cell.need].need.unmet_cost_cents)).sum();
    2 * services + fixed + together + worth + 1
}
