//! Consortia found so far, each for one call.

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::backend::Found;
use crate::formulate::{Objective, Question, keur, units};
use crate::model::Quantity;
use crate::portfolio::plan::Plan;
use crate::portfolio::stage::Stage;
use crate::propose::{self, Draft};

/// A consortium for a call, whole and verified.
pub(super) struct Column {
    pub(super) call: usize,
    /// In thousands of euros.
    pub(super) cost: f64,
    /// What it counts in the rows of the stage.
    pub(super) usage: Vec<(usize, f64)>,
    members: BTreeSet<usize>,
    quantity: Vec<Quantity>,
}

/// The consortia found so far, each once.
#[derive(Default)]
pub(super) struct Pool {
    pub(super) columns: Vec<Column>,
    seen: BTreeSet<(usize, BTreeSet<usize>, Vec<Quantity>)>,
}

impl Pool {
    /// Adds a consortium in whole quantities if it is new.
    fn add(&mut self, stage: &Stage<'_>, call: usize, draft: &Draft) -> bool {
        let new = self.seen.insert((call, draft.members.clone(), draft.quantity.clone()));
        if new {
            let cost = keur(draft.proposal.costs.objective_cents);
            let usage = stage.rows.usage(call, &draft.quantity, &draft.members, cost);
            let (members, quantity) = (draft.members.clone(), draft.quantity.clone());
            self.columns.push(Column { call, cost, usage, members, quantity });
        }
        new
    }

    /// Adds a solution of the model of a call, if it is new and passes the check once its quantities are whole.
    pub(super) fn add_found(&mut self, stage: &Stage<'_>, call: usize, found: &Found) -> bool {
        let draft = propose::draft(&stage.calls[call], &question(), found);
        draft.proposal.proof.verified && self.add(stage, call, &draft)
    }

    /// Adds the consortia of a plan, and tells for each call which column it is.
    pub(super) fn add_plan(&mut self, stage: &Stage<'_>, plan: &Plan) -> Vec<Option<usize>> {
        let mut choice = Vec::with_capacity(plan.drafts.len());
        for (call, draft) in plan.drafts.iter().enumerate() {
            choice.push(draft.as_ref().and_then(|draft| {
                self.add(stage, call, draft);
                let same = |own: &Column| {
                    own.call == call && own.members == draft.members && own.quantity == draft.quantity
                };
                self.columns.iter().position(same)
            }));
        }
        choice
    }

    /// The plan of a choice.
    pub(super) fn plan(&self, stage: &Stage<'_>, choice: &[Option<usize>]) -> Plan {
        let mut plan = Plan::nothing(stage.calls);
        for (draft, at) in plan.drafts.iter_mut().zip(choice) {
            *draft = at.map(|at| Rc::new(self.draft(stage, &self.columns[at])));
        }
        plan
    }

    fn draft(&self, stage: &Stage<'_>, column: &Column) -> Draft {
        let c = &stage.calls[column.call];
        let served = |cell: &crate::compile::Cell| cell.edges.iter().map(|&e| column.quantity[e]).sum::<Quantity>();
        let found = Found {
            members: column.members.clone(),
            quantity: column.quantity.iter().map(|&quantity| units(quantity)).collect(),
            unmet: c.cells.iter().map(|cell| units(cell.demand.saturating_sub(served(cell)))).collect(),
            objective: column.cost,
            bound: f64::NEG_INFINITY,
        };
        propose::draft(c, &question(), &found)
    }
}

fn question() -> Question {
    Question::minimise(Objective::Euros)
}
