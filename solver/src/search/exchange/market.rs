//! The numbers of a call as exchanges need them.

use std::collections::BTreeSet;

use super::super::price;
use crate::compile::{Cell, Compiled};
use crate::coordination;
use crate::formulate::{Question, keur, units};
use crate::model::Between;
use crate::rules::RuleId;

/// The numbers of a call as the search needs them.
pub(super) struct Market<'s, 'a> {
    pub(super) c: &'s Compiled<'a>,
    /// By edge: what a unit costs, with its part of the fixed costs; and without.
    pub(super) price: Vec<f64>,
    pub(super) own: Vec<f64>,
    /// By edge: the most.
    pub(super) most: Vec<f64>,
    /// By offer.
    pub(super) capacity: Vec<f64>,
    pub(super) fixed: Vec<f64>,
    /// By cell: what missing a unit costs the funder, and what makes the team no answer.
    pub(super) worth: Vec<f64>,
    pub(super) dear: Vec<f64>,
    pub(super) mandatory: Vec<bool>,
    /// By candidate.
    pub(super) foes: Vec<Vec<usize>>,
    pub(super) known: Vec<Vec<(usize, f64)>>,
    pub(super) allowed: Vec<bool>,
    /// Teams that are no answer, nor are larger ones.
    pub(super) excluded: &'s [BTreeSet<usize>],
    pub(super) member: f64,
    pub(super) pair: f64,
    pub(super) most_members: usize,
}

impl<'s, 'a> Market<'s, 'a> {
    pub(super) fn new(c: &'s Compiled<'a>, question: &'s Question) -> Self {
        let rates = &c.problem().call.coordination;
        let overhead = 1.0 + f64::from(rates.overhead_percent) / 100.0;
        let own: Vec<f64> = c.edges.iter().map(|edge| keur(edge.terms.unit_cost) * overhead).collect();
        let most: Vec<f64> = c.edges.iter().map(|edge| units(c.most(edge))).collect();
        let capacity: Vec<f64> = c
            .offers
            .iter()
            .map(|offer| {
                let of = offer.edges.clone().map(|e| units(c.edges[e].terms.capacity));
                if c.rules.active(RuleId::Capacity) { of.fold(0.0, f64::max) } else { f64::INFINITY }
            })
            .collect();
        let fixed: Vec<f64> = c.offers.iter().map(|offer| keur(offer.capability.fixed_cost_cents)).collect();
        let carried = |k: usize| c.offers[k].edges.clone().map(|e| most[e]).sum::<f64>().min(capacity[k]).max(1.0);
        let price: Vec<f64> =
            (0..c.edges.len()).map(|e| own[e] + fixed[c.edges[e].offer] / carried(c.edges[e].offer)).collect();
        let dear = |cell: &Cell| cell.edges.iter().map(|&e| price[e]).fold(0.0, f64::max);
        let mut foes = vec![Vec::new(); c.candidates.len()];
        for &(a, b) in &c.incompatible {
            foes[a].push(b);
            foes[b].push(a);
        }
        let rate = keur(rates.per_new_pair_cents);
        // With the lead alone everybody is one pair; who works for the same lot is not known here.
        let (seat, pair) = match rates.between {
            Between::All => (0.0, rate),
            Between::Lead => (rate, 0.0),
            Between::Lot => (0.0, 0.0),
        };
        let known = known(c, pair > 0.0);
        Self {
            c,
            most,
            capacity,
            fixed,
            worth: c.cells.iter().map(|cell| keur(c.needs[cell.need].need.unmet_cost_cents)).collect(),
            dear: c.cells.iter().map(dear).collect(),
            mandatory: c.cells.iter().map(|cell| c.rules.active(RuleId::Demand) && c.mandatory(cell)).collect(),
            price,
            own,
            foes,
            known,
            excluded: &question.replaced,
            allowed: (0..c.candidates.len()).map(|i| !question.absent.contains(&i)).collect(),
            member: keur(rates.per_member_cents) + seat,
            pair,
            most_members: price::most_members(c),
        }
    }

    /// What missing a unit costs at a penalty.
    pub(super) fn missing(&self, cell: usize, penalty: f64) -> f64 {
        if self.mandatory[cell] { self.worth[cell].max(penalty * self.dear[cell]) } else { self.worth[cell] }
    }

    pub(super) fn edges(&self, candidate: usize) -> impl Iterator<Item = usize> + '_ {
        self.c.candidates[candidate].offers.clone().flat_map(|k| self.c.offers[k].edges.clone())
    }
}

/// By candidate: whom it knows, and what that spares of a new pair, where pairs are paid.
fn known(c: &Compiled<'_>, paid: bool) -> Vec<Vec<(usize, f64)>> {
    let rate = c.problem().call.coordination.per_new_pair_cents;
    let mut known = vec![Vec::new(); c.candidates.len()];
    for (&(a, b), &strength) in c.relations.iter().filter(|_| paid) {
        let spared = keur(coordination::spared(rate, strength));
        known[a].push((b, spared));
        known[b].push((a, spared));
    }
    known
}
