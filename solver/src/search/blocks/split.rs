//! What a candidate that works in several blocks costs in each of them.
//!
//! It pays for its seat, and its capabilities for their fixed costs, once; each block charges a part. The work of a capability in
//! several blocks pays a rent, which the fixed costs get back for the whole capacity: for any rent, that relaxes the capacity.

use std::collections::BTreeMap;

use crate::compile::{Compiled, Offer};
use crate::formulate::{keur, units};
use crate::rules::RuleId;

/// By block.
pub(super) type ByBlock = BTreeMap<usize, f64>;

/// How costs are divided, in thousands of euros.
pub(super) struct Split {
    /// By cell: its block.
    group: Vec<usize>,
    /// By offer: the rent of a unit of its work.
    pub(super) rent: Vec<f64>,
    /// By offer: the part of its fixed costs, the rent of its capacity taken off, in each block.
    pub(super) fixed: Vec<ByBlock>,
    /// By candidate: the part of its seat, from 0 to 1, in each block.
    pub(super) seat: Vec<ByBlock>,
    /// By candidate: what it gains at the prices in each block before it pays for its seat.
    pub(super) gain: Vec<ByBlock>,
}

impl Split {
    /// Divides costs as the prices divide gains, so that blocks together prove what the prices prove at least. O(edges log edges of
    /// an offer).
    pub(super) fn new(c: &Compiled<'_>, blocks: &[Vec<usize>], prices: &[f64]) -> Self {
        let (offers, candidates) = (c.offers.len(), c.candidates.len());
        let mut group = vec![0; c.cells.len()];
        for (block, cells) in blocks.iter().enumerate() {
            for &j in cells {
                group[j] = block;
            }
        }
        let mut split = Self {
            group,
            rent: vec![0.0; offers],
            fixed: vec![ByBlock::new(); offers],
            seat: vec![ByBlock::new(); candidates],
            gain: vec![ByBlock::new(); candidates],
        };
        for (i, candidate) in c.candidates.iter().enumerate() {
            for k in candidate.offers.clone() {
                for (block, gain) in split.offer(c, k, prices) {
                    *split.gain[i].entry(block).or_default() += gain;
                }
            }
            split.seat[i] = parts(&split.gain[i]);
        }
        split
    }

    /// What an offer gains in each block once its part of the fixed costs is paid.
    fn offer(&mut self, c: &Compiled<'_>, k: usize, prices: &[f64]) -> ByBlock {
        let offer = &c.offers[k];
        let mut paying: Vec<(f64, usize)> =
            offer.edges.clone().map(|e| (prices[c.edges[e].cell] - unit_cost(c, e), e)).collect();
        paying.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        let mut gross: ByBlock = offer.edges.clone().map(|e| (self.group[c.edges[e].cell], 0.0)).collect();
        let several = gross.len() > 1;
        let capacity = capacity(c, offer);
        let mut left = capacity.unwrap_or(f64::INFINITY);
        for &(margin, e) in paying.iter().filter(|(margin, _)| *margin > 0.0) {
            let most = units(c.most(&c.edges[e]));
            if several && most >= left {
                self.rent[k] = margin;
                break;
            }
            let work = most.min(left);
            left -= work;
            *gross.entry(self.group[c.edges[e].cell]).or_default() += work * margin;
        }
        if self.rent[k] > 0.0 {
            for own in gross.values_mut() {
                *own = 0.0;
            }
            for &(margin, e) in paying.iter().filter(|(margin, _)| *margin > self.rent[k]) {
                let own = units(c.most(&c.edges[e])) * (margin - self.rent[k]);
                *gross.entry(self.group[c.edges[e].cell]).or_default() += own;
            }
        }
        let pool = keur(offer.capability.fixed_cost_cents) - self.rent[k] * capacity.unwrap_or(0.0);
        self.fixed[k] = parts(&gross).into_iter().map(|(block, part)| (block, part * pool)).collect();
        gross.into_iter().map(|(block, gross)| (block, (gross - self.fixed[k][&block]).max(0.0))).collect()
    }
}

/// Each block's part of the whole; the same for all where there is nothing.
fn parts(of: &ByBlock) -> ByBlock {
    let all: f64 = of.values().sum();
    let blocks = units(of.len() as u64);
    of.iter().map(|(&block, own)| (block, if all > 0.0 { own / all } else { 1.0 / blocks })).collect()
}

/// What an offer can carry in all, if one number limits it.
pub(super) fn capacity(c: &Compiled<'_>, offer: &Offer<'_>) -> Option<f64> {
    let terms = c.edges[offer.edges.clone()].first().map(|edge| edge.terms)?;
    // An assumed capacity holds for each unit apart.
    let unit = |e: usize| &c.needs[c.cells[c.edges[e].cell].need].need.unit;
    let one = !terms.capacity_assumed || offer.edges.clone().all(|e| unit(e) == unit(offer.edges.start));
    (one && c.rules.active(RuleId::Capacity)).then(|| units(terms.capacity))
}

/// What a unit costs on an edge, overhead included.
pub(super) fn unit_cost(c: &Compiled<'_>, e: usize) -> f64 {
    let overhead = f64::from(c.problem().call.coordination.overhead_percent);
    keur(c.edges[e].terms.unit_cost) * (1.0 + overhead / 100.0)
}
