//! One block: its cells, and the candidates that may be worth it there, as a small exact problem.

use std::collections::{BTreeMap, BTreeSet};

use good_lp::{Expression, Variable, variable};

use super::Task;
use super::split::{capacity, unit_cost};
use crate::backend::End;
use crate::compile::Cell;
use crate::formulate::{Formulation, Objective, keur, units};
use crate::rules::RuleId;

/// Whoever is dearer than its gain by more than this part of the block's price is left out.
const REACH: f64 = 0.03;
/// Relative gap and simplex iterations at which one block ends.
const GAP: f64 = 5e-4;
const WORK: u64 = 20_000;

/// What a block came to.
pub(super) struct Solution {
    /// No solution of the block is below.
    pub(super) bound: f64,
    /// Members of the best found.
    pub(super) members: BTreeSet<usize>,
}

/// Solves the block of these cells.
///
/// Candidates are left out by their distance: what their part of a seat costs beyond what they gain at the prices. Any solution with one
/// of them costs at least what the prices prove of the block, plus the least distance: the bound is the lesser of that and of the
/// bound without them.
pub(super) fn solve(task: &Task<'_, '_, '_>, block: usize, cells: &[usize]) -> Solution {
    let c = task.c;
    let edges = cells.iter().flat_map(|&j| &c.cells[j].edges);
    let inside: BTreeSet<usize> = edges.map(|&e| c.offers[c.edges[e].offer].candidate).collect();
    let distance: Vec<(usize, f64)> = inside
        .into_iter()
        .filter(|i| !task.question.absent.contains(i))
        .map(|i| (i, task.seat * task.split.seat[i][&block] - task.split.gain[i][&block]))
        .collect();
    let demand: f64 = cells.iter().map(|&j| price_of(task, j)).sum();
    let locked = |i: usize| c.candidates[i].locked_in;
    let alone = |&(i, distance): &(usize, f64)| if locked(i) { distance } else { distance.min(0.0) };
    let priced = demand + distance.iter().map(alone).sum::<f64>();
    let near = |(i, distance): &(usize, f64)| locked(*i) || *distance < REACH * demand;
    let (kept, left_out): (Vec<_>, Vec<_>) = distance.into_iter().partition(near);
    let nearest = left_out.iter().map(|(_, distance)| *distance).fold(f64::INFINITY, f64::min);
    let kept: Vec<usize> = kept.into_iter().map(|(i, _)| i).collect();
    let (bound, members) = optimum(task, block, cells, &kept).unwrap_or((priced, BTreeSet::new()));
    Solution { bound: bound.min(priced + nearest).max(priced), members }
}

/// What a cell costs at its price.
fn price_of(task: &Task<'_, '_, '_>, j: usize) -> f64 {
    let cell = &task.c.cells[j];
    let worth = keur(task.c.needs[cell.need].need.unmet_cost_cents);
    units(cell.demand) * if required(task, cell) { task.prices[j] } else { task.prices[j].min(worth) }
}

/// Whether a cell must be covered.
fn required(task: &Task<'_, '_, '_>, cell: &Cell) -> bool {
    task.c.mandatory(cell) && task.c.rules.active(RuleId::Demand) && !task.question.elastic
}

/// The bound of the block with these candidates, and the members of the best found. `None` where a limit comes first.
fn optimum(task: &Task<'_, '_, '_>, block: usize, cells: &[usize], kept: &[usize]) -> Option<(f64, BTreeSet<usize>)> {
    let (c, backend) = (task.c, task.backend);
    if backend.expired() {
        return None;
    }
    let mut f = Formulation::empty();
    let mut served: BTreeMap<usize, Expression> = BTreeMap::new();
    for &j in cells {
        let most = if required(task, &c.cells[j]) { 0.0 } else { units(c.cells[j].demand) };
        let unmet = f.variables.add(variable().clamp(0.0, most));
        f.objective.add_mul(keur(c.needs[c.cells[j].need].need.unmet_cost_cents), unmet);
        served.insert(j, Expression::from(unmet));
    }
    let mut members = Vec::with_capacity(kept.len());
    for &i in kept {
        let least = f64::from(c.candidates[i].locked_in);
        let member = f.variables.add(variable().integer().clamp(least, 1.0));
        f.integers.push(member);
        f.objective.add_mul(task.seat * task.split.seat[i][&block], member);
        work(&mut f, task, block, (i, member), &mut served);
        members.push((i, member));
    }
    for (j, served) in served {
        f.add(served.eq(units(c.cells[j].demand)));
    }
    let mut session = backend.open(&mut f, Objective::Euros)?;
    session.set("mip_rel_gap", GAP);
    let control = backend.control.part(WORK);
    let solved = session.solve(&control);
    backend.control.absorb(&control);
    let solved = solved?;
    let chosen = members.into_iter().filter(|&(_, member)| session.value(&solved, member) > 0.5);
    let bound = if solved.end == End::Infeasible { f64::INFINITY } else { solved.bound };
    Some((bound, chosen.map(|(i, _)| i).collect()))
}

/// What a candidate may do in a block.
fn work(
    f: &mut Formulation,
    task: &Task<'_, '_, '_>,
    block: usize,
    (i, member): (usize, Variable),
    served: &mut BTreeMap<usize, Expression>,
) {
    let (c, split) = (task.c, &task.split);
    let own: Vec<usize> = c.candidates[i].offers.clone().filter(|&k| split.fixed[k].contains_key(&block)).collect();
    // Whoever has one offer here uses it, but for those who are members whatever it costs.
    let alone = own.len() == 1 && !c.candidates[i].locked_in;
    for k in own {
        let used = if alone {
            member
        } else {
            let used = f.variables.add(variable().binary());
            f.integers.push(used);
            f.add((used - member).leq(0));
            used
        };
        f.objective.add_mul(split.fixed[k][&block], used);
        let offer = &c.offers[k];
        let (mut all, mut asked) = (Expression::default(), 0.0);
        for e in offer.edges.clone() {
            let edge = &c.edges[e];
            let Some(served) = served.get_mut(&edge.cell) else { continue };
            let most = units(c.most(edge));
            let quantity = f.variables.add(variable().clamp(0.0, most));
            f.objective.add_mul(unit_cost(c, e) + split.rent[k], quantity);
            f.rows.push((quantity - most * used).leq(0));
            *served += quantity;
            all += quantity;
            asked += most;
        }
        if let Some(capacity) = capacity(c, offer).filter(|&capacity| capacity < asked) {
            f.add((all.clone() - capacity * used).leq(0));
        }
        let least = offer.capability.minimum_quantity;
        if least > 0 && split.fixed[k].len() == 1 && c.rules.active(RuleId::MinimumQuantity) {
            f.add((all - units(least) * used).geq(0));
        }
    }
}
