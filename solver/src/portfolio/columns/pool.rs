//! Consortia found so far, each for one call.

use std::collections::{BTreeMap, BTreeSet};
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
    pub(super) members: BTreeSet<usize>,
    quantity: Vec<Quantity>,
}

/// The consortia found so far, each once.
#[derive(Default)]
pub(super) struct Pool {
    pub(super) columns: Vec<Column>,
    /// Where each is, by call, members and quantities.
    places: BTreeMap<(usize, BTreeSet<usize>, Vec<Quantity>), usize>,
}

impl Pool {
    /// Where a consortium in whole quantities is, added if it is new.
    fn add(&mut self, stage: &Stage<'_>, call: usize, draft: &Draft) -> usize {
        let (members, quantity) = (draft.members.clone(), draft.quantity.clone());
        *self.places.entry((call, members, quantity)).or_insert_with(|| {
            let cost = keur(draft.proposal.costs.objective_cents);
            let usage = stage.rows.usage(call, &draft.quantity, &draft.members, cost);
            let (members, quantity) = (draft.members.clone(), draft.quantity.clone());
            self.columns.push(Column { call, cost, usage, members, quantity });
            self.columns.len() - 1
        })
    }

    /// Where a solution of the model of a call is, if it passes the check once its quantities are whole.
    pub(super) fn add_found(&mut self, stage: &Stage<'_>, call: usize, found: &Found) -> Option<usize> {
        let draft = propose::draft(&stage.calls[call], &question(), found);
        draft.proposal.proof.verified.then(|| self.add(stage, call, &draft))
    }

    /// Where the consortia of a plan are, by call.
    pub(super) fn add_plan(&mut self, stage: &Stage<'_>, plan: &Plan) -> Vec<Option<usize>> {
        let drafts = plan.drafts.iter().enumerate();
        drafts.map(|(call, draft)| draft.as_ref().map(|draft| self.add(stage, call, draft))).collect()
    }

    /// The plan of a choice.
    pub(super) fn plan(&self, stage: &Stage<'_>, choice: &[Option<usize>]) -> Plan {
        let mut plan = Plan::nothing(stage.calls);
        for (draft, at) in plan.drafts.iter_mut().zip(choice) {
            *draft = at.map(|at| Rc::new(Self::draft(stage, &self.columns[at])));
        }
        plan
    }

    fn draft(stage: &Stage<'_>, column: &Column) -> Draft {
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
