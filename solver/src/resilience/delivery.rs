//! What some members can deliver of the mandatory needs, and the bottleneck where it is not everything.

use std::collections::{BTreeMap, BTreeSet};

use good_lp::Expression;

use crate::backend::{Backend, End, Session};
use crate::compile::Compiled;
use crate::formulate::{Formulation, Objective, Question};
use crate::model::Quantity;
use crate::rules::RuleId;

/// Less than this is a rounding error: what is missing is a whole number of units.
const NOTHING: f64 = 1e-3;

/// A linear program of a team's deliveries, solved again for each loss. Its rows are those of the capacities and pools, and of
/// who may do what; quantities flow from pools through capabilities to places, so that whole ones are no restriction. (A
/// capability of declared capacity in an undeclared unit, in pools of several units, is no such flow: there the quantities are
/// divisible.)
pub(super) struct Delivery<'m, 'a, 'o> {
    c: &'m Compiled<'a>,
    backend: &'m Backend<'o>,
    team: BTreeSet<usize>,
    f: Formulation,
    session: Session,
}

/// What is left after a loss.
pub(super) enum After {
    /// Everything mandatory can be delivered, for instance by these.
    Whole(BTreeSet<usize>),
    /// Some cannot: these cells ask together for more than can reach them.
    Short(Vec<Bottleneck>),
}

/// Mandatory cells that together ask for more than can reach them: a minimum cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bottleneck {
    pub(super) cells: BTreeSet<usize>,
    pub(super) asked: u128,
    pub(super) deliverable: u128,
    /// What the pools that are full can give, whoever is a member.
    pooled: u128,
    /// Edges counted with those pools.
    in_full_pools: BTreeSet<usize>,
}

impl<'m, 'a, 'o> Delivery<'m, 'a, 'o> {
    /// `None` where the optimiser refuses the model. O(edges).
    pub(super) fn open(c: &'m Compiled<'a>, backend: &'m Backend<'o>, team: &BTreeSet<usize>) -> Option<Self> {
        // From how much on it is worth to start is no obstacle in an emergency.
        let bare = Compiled { rules: c.rules.and_without(RuleId::MinimumQuantity), ..c.clone() };
        let question = Question {
            members: Some(team.clone()),
            elastic: true,
            physical: true,
            ..Question::minimise(Objective::Shortage)
        };
        let mut f = Formulation::new(&bare, &question);
        let mut session = backend.open(&mut f, Objective::Shortage)?;
        session.relax(true);
        let missing: Expression = mandatory(c).map(|j| f.unmet[j]).sum();
        session.minimise(missing, false);
        Some(Self { c, backend, team: team.clone(), f, session })
    }

    /// What the team can deliver without one of its members, or with all of them. `None` where a limit came first.
    pub(super) fn without(&mut self, lost: Option<usize>) -> Option<After> {
        if self.backend.expired() {
            return None;
        }
        self.bound(lost, false);
        let solved = self.session.solve(&self.backend.control);
        self.bound(lost, true);
        let solved = solved.filter(|solved| solved.end == End::Optimal)?;
        if solved.objective < NOTHING {
            let busy = |e: &usize| self.session.value(&solved, self.f.quantity[*e]) > NOTHING;
            let busy = (0..self.c.edges.len()).filter(busy);
            return Some(After::Whole(busy.map(|e| self.c.offers[self.c.edges[e].offer].candidate).collect()));
        }
        // The dual of a cell's balance is 1 less the reduced cost of what is missing there; those of a minimum cut have 1.
        let price = |j: &usize| 1.0 - self.session.reduced_cost(&solved, self.f.unmet[*j]);
        let cells: BTreeSet<usize> = mandatory(self.c).filter(|j| price(j) > 0.5).collect();
        let rest: BTreeSet<usize> = self.team.iter().copied().filter(|&i| Some(i) != lost).collect();
        Some(After::Short(bottlenecks(self.c, &rest, &cells)))
    }

    /// Takes the work of a member away or gives it back.
    fn bound(&mut self, member: Option<usize>, present: bool) {
        let Some(member) = member else { return };
        for e in self.c.candidates[member].offers.clone().flat_map(|o| self.c.offers[o].edges.clone()) {
            let most = if present { crate::formulate::units(self.c.most(&self.c.edges[e])) } else { 0.0 };
            self.session.bound(self.f.quantity[e], 0.0, most);
        }
    }
}

fn mandatory<'c>(c: &'c Compiled<'_>) -> impl Iterator<Item = usize> + 'c {
    (0..c.cells.len()).filter(|&j| c.mandatory(&c.cells[j]))
}

/// The parts of a set of cells that have nothing to do with each other and of which each asks for more than these members can
/// deliver there, in whole numbers.
fn bottlenecks(c: &Compiled<'_>, rest: &BTreeSet<usize>, cells: &BTreeSet<usize>) -> Vec<Bottleneck> {
    let mut left = cells.clone();
    let mut found = Vec::new();
    while let Some(first) = left.pop_first() {
        let mut part = BTreeSet::from([first]);
        let mut next = vec![first];
        while let Some(j) = next.pop() {
            for k in neighbours(c, rest, j) {
                if left.remove(&k) {
                    part.insert(k);
                    next.push(k);
                }
            }
        }
        found.extend(Some(Bottleneck::new(c, rest, part)).filter(|b| b.deliverable < b.asked));
    }
    found
}

/// Cells that compete with a cell for the capacity of these members.
fn neighbours(c: &Compiled<'_>, rest: &BTreeSet<usize>, j: usize) -> BTreeSet<usize> {
    let mut cells = BTreeSet::new();
    for &e in &c.cells[j].edges {
        let offer = &c.offers[c.edges[e].offer];
        if rest.contains(&offer.candidate) {
            cells.extend(offer.edges.clone().map(|e| c.edges[e].cell));
            let pools = c.pools.iter().filter(|pool| pool.edges.contains(&e));
            cells.extend(pools.flat_map(|pool| &pool.edges).map(|&e| c.edges[e].cell));
        }
    }
    cells
}

impl Bottleneck {
    fn new(c: &Compiled<'_>, rest: &BTreeSet<usize>, cells: BTreeSet<usize>) -> Self {
        let mut in_full_pools = BTreeSet::new();
        let mut pooled: u128 = 0;
        for pool in c.pools.iter().filter(|_| c.rules.active(RuleId::Pool)) {
            let edges: BTreeSet<usize> = pool.edges.iter().copied().collect();
            let reach: u128 = rest.iter().map(|&i| reach(c, i, &cells, &|e| edges.contains(&e))).sum();
            if reach > u128::from(pool.capacity) {
                pooled += u128::from(pool.capacity);
                in_full_pools.extend(edges);
            }
        }
        let outside: u128 = rest.iter().map(|&i| reach(c, i, &cells, &|e| !in_full_pools.contains(&e))).sum();
        let asked = cells.iter().map(|&j| u128::from(c.cells[j].demand)).sum();
        Self { cells, asked, deliverable: outside + pooled, pooled, in_full_pools }
    }

    /// The rows that every consortium keeps which survives any one loss: what the members can deliver to these cells without
    /// one of them, whoever it is, is what the cells ask. By lost candidate: coefficients, and the least of their sum.
    pub(super) fn rows(&self, c: &Compiled<'_>, team: &BTreeSet<usize>) -> Vec<(BTreeMap<usize, f64>, f64)> {
        let Some(needed) = self.asked.checked_sub(self.pooled).filter(|&needed| needed > 0) else { return Vec::new() };
        #[allow(clippy::cast_precision_loss)]
        let own = |i: usize| reach(c, i, &self.cells, &|e| !self.in_full_pools.contains(&e)).min(needed) as f64;
        let all: BTreeMap<usize, f64> = self
            .cells
            .iter()
            .flat_map(|&j| c.suppliers(&c.cells[j]))
            .map(|i| (i, own(i)))
            .filter(|&(_, own)| own > 0.0)
            .collect();
        // A row for everybody while that is little; otherwise for those whose loss was looked at.
        let few = all.len() <= MOST_ROWS;
        let lost = all.keys().copied().filter(|i| few || team.contains(i));
        let without = |i: usize| {
            let mut others = all.clone();
            others.remove(&i);
            #[allow(clippy::cast_precision_loss)]
            let needed = needed as f64;
            (others, needed)
        };
        lost.map(without).collect()
    }
}

/// Beyond this many suppliers of a bottleneck, only members get a row.
const MOST_ROWS: usize = 64;

/// The most that a candidate can deliver to some cells over some of its edges, with its capacity alone.
fn reach(c: &Compiled<'_>, candidate: usize, cells: &BTreeSet<usize>, counts: &dyn Fn(usize) -> bool) -> u128 {
    let limited = c.rules.active(RuleId::Capacity);
    let of_offer = |o: usize| -> u128 {
        // A capability of unknown capacity has one for each unit, as in the rule.
        let mut by_unit: BTreeMap<&str, (u128, Quantity)> = BTreeMap::new();
        for e in c.offers[o].edges.clone().filter(|&e| cells.contains(&c.edges[e].cell) && counts(e)) {
            let edge = &c.edges[e];
            let unit =
                if edge.terms.capacity_assumed { c.needs[c.cells[edge.cell].need].need.unit.as_str() } else { "" };
            let (asked, capacity) = by_unit.entry(unit).or_default();
            *asked += u128::from(c.most(edge));
            *capacity = edge.terms.capacity;
        }
        by_unit.values().map(|&(asked, cap)| if limited { asked.min(cap.into()) } else { asked }).sum()
    };
    c.candidates[candidate].offers.clone().map(of_offer).sum()
}
