//! Why something stays uncovered, where, and who comes nearest.

use std::collections::{BTreeMap, BTreeSet};

use crate::answer::{Gap, GapReason, NearMiss, NeedCoverage, Refusal};
use crate::backend::{self, Backend, Outcome, Solved};
use crate::compile::{Cell, Compiled};
use crate::formulate::{Formulation, Objective, Question};
use crate::graph;
use crate::matching::nearness;
use crate::model::Quantity;
use crate::propose::Draft;
use crate::rules::RuleId;
use crate::text;

/// Reasons by need, found once for all proposals.
#[derive(Default)]
pub(crate) struct Gaps {
    reasons: BTreeMap<usize, GapReason>,
}

/// Simplex iterations of the search for all needs together.
const WORK: u64 = 2_000;

/// How many suppliers of each need that search has.
const LARGEST: usize = 3;
/// The same for a search about one need alone.
const LARGEST_OF_ONE: usize = 12;

/// How many actors that come near are told.
const NEAR_MISSES: usize = 5;

impl Gaps {
    /// Fills the gaps of every need that is not covered in full. One flow per such need, a search for all of them together, and one
    /// more for each that it leaves.
    pub(crate) fn fill(&mut self, c: &Compiled<'_>, backend: &Backend<'_>, draft: &mut Draft) {
        self.together(c, backend, draft);
        let mut given: BTreeMap<(&str, &str), Quantity> = BTreeMap::new();
        for work in &draft.proposal.allocations {
            *given.entry((&work.need, &work.territory)).or_default() += work.quantity;
        }
        let mut gaps: Vec<Vec<Gap>> = vec![Vec::new(); c.needs.len()];
        for cell in &c.cells {
            for &(place, asked) in &cell.places {
                let need = &c.needs[cell.need].need.id;
                let territory = &c.problem().territories[place].id;
                let missing = asked - given.get(&(need.as_str(), territory.as_str())).copied().unwrap_or(0).min(asked);
                if missing > 0 {
                    let reason = self.reason(c, backend, draft, cell);
                    gaps[cell.need].push(gap(c, cell, place, missing, reason));
                }
            }
        }
        for (told, mut gaps) in draft.proposal.needs.iter_mut().zip(gaps) {
            gaps.sort_by(|a, b| a.territory.cmp(&b.territory));
            told.gaps = gaps;
        }
    }

    /// Most needs that could be covered are found by one small search among the members and the largest suppliers: what a consortium
    /// that covers as much as possible covers in full was too costly.
    fn together(&mut self, c: &Compiled<'_>, backend: &Backend<'_>, draft: &Draft) {
        let open = |(n, told): &(usize, &NeedCoverage)| {
            told.covered < told.quantity && !c.needs[*n].need.mandatory && !self.reasons.contains_key(n)
        };
        let open: BTreeSet<usize> = draft.proposal.needs.iter().enumerate().filter(open).map(|(n, _)| n).collect();
        if open.len() < 2 || backend.expired() {
            return;
        }
        let near = near(c, draft, &open, LARGEST);
        let Some(unmet) = unmet_among(c, backend, &near, None) else { return };
        for need in open {
            let mut cells = c.cells.iter().zip(&unmet).filter(|(cell, _)| cell.need == need && !cell.edges.is_empty());
            if cells.all(|(_, unmet)| *unmet <= 1e-6) {
                self.reasons.insert(need, GapReason::TooCostly);
            }
        }
    }

    fn reason(&mut self, c: &Compiled<'_>, backend: &Backend<'_>, draft: &Draft, cell: &Cell) -> GapReason {
        if cell.edges.is_empty() {
            return GapReason::NoSupplier;
        }
        if let Some(&reason) = self.reasons.get(&cell.need) {
            return reason;
        }
        let reason = reason_of_need(c, backend, draft, cell.need);
        self.reasons.insert(cell.need, reason);
        reason
    }
}

/// Whether a need that may be missed can be covered in full by some of the members and of its largest suppliers, found by one small search:
/// the whole market is asked only where they cannot.
fn is_covered_by_few(c: &Compiled<'_>, backend: &Backend<'_>, draft: &Draft, need: usize) -> bool {
    unmet_among(c, backend, &near(c, draft, &BTreeSet::from([need]), LARGEST_OF_ONE), Some(need)).is_some()
}

/// What a consortium of some candidates leaves unmet in each cell, as little as possible; or any one that covers a need. Nothing where none
/// is found within a bounded effort.
fn unmet_among(
    c: &Compiled<'_>,
    backend: &Backend<'_>,
    candidates: &BTreeSet<usize>,
    covered: Option<usize>,
) -> Option<Vec<f64>> {
    let absent = (0..c.candidates.len()).filter(|i| !candidates.contains(i)).collect();
    let objective = if covered.is_some() { Objective::Any } else { Objective::Gaps };
    let mut f = Formulation::new(c, &Question { absent, covered, ..Question::minimise(objective) });
    let mut session = backend.open(&mut f, objective)?;
    let part = backend.control.part(WORK);
    let solved = session.solve(&part);
    backend.control.absorb(&part);
    let solved = solved.filter(Solved::found)?;
    Some(backend::found(&session, &f, &solved).unmet)
}

/// The members, those locked in, and the largest suppliers of some needs, so many of each.
fn near(c: &Compiled<'_>, draft: &Draft, needs: &BTreeSet<usize>, largest_of_each: usize) -> BTreeSet<usize> {
    let locked = (0..c.candidates.len()).filter(|&i| c.candidates[i].locked_in);
    let mut near: BTreeSet<usize> = draft.members.iter().copied().chain(locked).collect();
    for &need in needs {
        let mut most: BTreeMap<usize, Quantity> = BTreeMap::new();
        for &e in c.cells.iter().filter(|cell| cell.need == need).flat_map(|cell| &cell.edges) {
            *most.entry(c.offers[c.edges[e].offer].candidate).or_default() += c.most(&c.edges[e]);
        }
        let mut largest: Vec<(Quantity, usize)> = most.into_iter().map(|(i, most)| (most, i)).collect();
        largest.sort_by_key(|&(most, i)| (std::cmp::Reverse(most), i));
        near.extend(largest.into_iter().take(largest_of_each).map(|(_, i)| i));
    }
    near
}

/// Why a need that has suppliers is not covered: together they have too little, for it alone or beside the mandatory needs; or
/// covering it is possible, hence was too costly; or a rule prevents it.
fn reason_of_need(c: &Compiled<'_>, backend: &Backend<'_>, draft: &Draft, need: usize) -> GapReason {
    let supplied: Quantity =
        c.cells.iter().filter(|cell| cell.need == need && !cell.edges.is_empty()).map(|cell| cell.demand).sum();
    if c.rules.active(RuleId::Capacity) && graph::deliverable(c, need) < supplied {
        return GapReason::Capacity;
    }
    let physical = Question { physical: true, ..Question::minimise(Objective::Shortage) };
    if c.needs[need].need.mandatory {
        return match backend.ask(c, &physical) {
            Outcome::Found(found) if misses(c, need, &found.unmet) => GapReason::Capacity,
            _ => GapReason::Rule,
        };
    }
    if is_covered_by_few(c, backend, draft, need) {
        return GapReason::TooCostly;
    }
    let question = Question { covered: Some(need), ..Question::minimise(Objective::Any) };
    match backend.ask(c, &question) {
        Outcome::Found(_) => GapReason::TooCostly,
        Outcome::Infeasible => {
            match backend.ask(c, &Question { covered: Some(need), shortage: Some(1e-6), ..physical }) {
                Outcome::Infeasible => GapReason::Capacity,
                Outcome::Found(_) | Outcome::Unknown => GapReason::Rule,
            }
        }
        Outcome::Unknown => {
            let edges = c.cells.iter().filter(|cell| cell.need == need).flat_map(|cell| &cell.edges);
            let cheapest = edges.map(|&e| c.edges[e].terms.unit_cost).min();
            let worth = c.needs[need].need.unmet_cost_cents;
            if cheapest.is_some_and(|cost| cost < worth) { GapReason::Rule } else { GapReason::TooCostly }
        }
    }
}

/// Whether a cell that is not covered in full has a supplier in common with a need.
fn misses(c: &Compiled<'_>, need: usize, unmet: &[f64]) -> bool {
    let own: BTreeSet<usize> =
        c.cells.iter().filter(|cell| cell.need == need).flat_map(|cell| c.suppliers(cell)).collect();
    let mut missed = c.cells.iter().zip(unmet).filter(|(_, unmet)| **unmet > 1e-6).map(|(cell, _)| cell);
    missed.any(|cell| !own.is_disjoint(&c.suppliers(cell)))
}

fn gap(c: &Compiled<'_>, cell: &Cell, place: usize, quantity: Quantity, reason: GapReason) -> Gap {
    let need = c.needs[cell.need].need;
    let missing = text::amount(quantity, &need.unit);
    let what = format!("{} of {} in {}", missing, c.need_name(cell.need), c.instance.territory_name(place));
    let text = match reason {
        GapReason::NoSupplier => {
            format!("{what}: nobody who can be counted on offers it there to this public in this unit.")
        }
        GapReason::Capacity => format!("{what}: all who offer it together have too little."),
        GapReason::TooCostly => {
            format!(
                "{what}: covering it would cost more than the {} a unit it is worth.",
                text::euros(need.unmet_cost_cents)
            )
        }
        GapReason::Rule => format!("{what}: somebody could, but the rules of the call prevent it."),
    };
    Gap {
        territory: c.problem().territories[place].id.clone(),
        quantity,
        reason,
        text,
        near_misses: near_misses(c, cell, place),
    }
}

/// The actors that come nearest to serving a cell in a place, each with its last obstacle, among those that offer its service: nobody
/// else is near. O(their capabilities).
pub(crate) fn near_misses(c: &Compiled<'_>, cell: &Cell, place: usize) -> Vec<NearMiss> {
    let need = &c.needs[cell.need];
    let (first, last) = c.instance.services.span(need.service);
    let near: BTreeSet<usize> = c.instance.offering.range(first..=last).flat_map(|(_, of)| of).copied().collect();
    let id = |a: usize| &c.problem().actors[a].id;
    let mut found: Vec<(usize, Refusal)> = near
        .into_iter()
        .filter_map(|a| Some((a, c.matcher.refusal(a, need, place)?)))
        .filter(|(_, lacks)| nearness(lacks) > 0)
        .collect();
    found.sort_by(|(a, x), (b, y)| nearness(y).cmp(&nearness(x)).then_with(|| id(*a).cmp(id(*b))));
    found.truncate(NEAR_MISSES);
    found.into_iter().map(|(a, lacks)| NearMiss { actor: id(a).clone(), lacks }).collect()
}
