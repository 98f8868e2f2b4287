//! What joins the calls, as linear rows over quantities, members and costs of the calls. Both methods use the same rows: side by side
//! in one model, or with prices.

use std::collections::{BTreeMap, BTreeSet};

use super::PortfolioOptions;
use super::joint::{Joint, Resource};
use super::stage::{Ask, Goal};
use crate::compile::Compiled;
use crate::formulate::{dearest, keur, units};
use crate::model::Quantity;

/// What a row counts of one call.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    /// Edges with what a unit counts.
    pub(super) edges: Vec<(usize, f64)>,
    /// Candidates with what being a member counts.
    pub(super) members: Vec<(usize, f64)>,
}

/// `Σ parts + cost · (costs of all calls) + Σ shared ≤ most`, or `=`.
#[derive(Clone, Debug, Default)]
pub(super) struct Row {
    /// By call.
    pub(super) parts: BTreeMap<usize, Part>,
    /// What a thousand euros of the objective count, of any call.
    pub(super) cost: f64,
    /// Variables of no call, with their coefficients.
    pub(super) shared: Vec<(usize, f64)>,
    pub(super) most: f64,
    pub(super) equal: bool,
}

/// A variable of no call: from 0 to `most`, at this price in the objective.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shared {
    pub(super) most: f64,
    pub(super) price: f64,
}

/// The rows of one stage and its objective: `weight · (costs of all calls) + Σ price · shared`.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub(super) list: Vec<Row>,
    pub(super) shared: Vec<Shared>,
    pub(super) weight: f64,
    /// Rows that count something of a call itself, by call.
    pub(super) of: Vec<Vec<usize>>,
}

impl Row {
    /// Whether what some calls use is lost to the others: a capacity, or a number of calls.
    pub(super) fn limits_each(&self) -> bool {
        !self.equal && self.shared.is_empty() && self.cost == 0.0
    }
}

impl Rows {
    pub(super) fn new(calls: &[Compiled<'_>], joint: &Joint, options: &PortfolioOptions, ask: Ask) -> Self {
        let mut all = Self { weight: f64::from(ask.goal == Goal::Cost), ..Self::default() };
        for resource in &joint.resources {
            all.capacity(calls, joint, resource);
        }
        if let Some(most) = options.maximum_calls_per_actor {
            all.members(calls, &(0..calls.len()).collect(), most);
        }
        for group in &joint.exclusive {
            all.members(calls, group, 1);
        }
        if let Some(most) = options.maximum_share_percent.filter(|most| *most < 100) {
            all.share(calls, f64::from(most) / 100.0);
        }
        if ask.goal == Goal::Largest {
            let most = calls.iter().map(dearest).sum();
            let largest = all.variable(Shared { most, price: 1.0 });
            all.list.extend(paid(calls).into_values().map(|row| Row { shared: vec![(largest, -1.0)], ..row }));
        }
        if let Some(most) = ask.ceiling {
            all.list.extend(paid(calls).into_values().map(|row| Row { most: keur(most), ..row }));
        }
        if let Some(most) = ask.budget {
            all.list.push(Row { cost: 1.0, most: keur(most), ..Row::default() });
        }
        all.of = (0..calls.len())
            .map(|call| (0..all.list.len()).filter(|&r| all.list[r].parts.contains_key(&call)).collect())
            .collect();
        all
    }

    fn variable(&mut self, shared: Shared) -> usize {
        self.shared.push(shared);
        self.shared.len() - 1
    }

    /// At any moment the parts of a capacity that calls take add up to it at most; in units of the largest of its sizes.
    fn capacity(&mut self, calls: &[Compiled<'_>], joint: &Joint, resource: &Resource) {
        let all: BTreeSet<usize> = resource.uses.iter().map(|&(call, ..)| call).collect();
        let together: BTreeSet<BTreeSet<usize>> = joint.moments.iter().map(|moment| moment & &all).collect();
        for set in &together {
            let within_another = together.iter().any(|other| other != set && set.is_subset(other));
            let uses = || resource.uses.iter().filter(|(call, ..)| set.contains(call));
            let most = uses().map(|(.., capacity)| *capacity).max().unwrap_or(0);
            if set.len() < 2 || within_another || most == 0 || !can_bind(calls, resource, set) {
                continue;
            }
            let mut row = Row { most: units(most), ..Row::default() };
            for &(call, edge, capacity) in uses() {
                let scale = units(most) / units(capacity.max(1));
                row.parts.entry(call).or_default().edges.push((edge, scale));
            }
            self.list.push(row);
        }
    }

    /// No actor takes part in more than so many of some calls.
    fn members(&mut self, calls: &[Compiled<'_>], among: &BTreeSet<usize>, most: u32) {
        let mut rows: BTreeMap<usize, Row> = BTreeMap::new();
        for &call in among {
            for (i, candidate) in calls[call].candidates.iter().enumerate() {
                let row = rows.entry(candidate.actor).or_default();
                row.parts.entry(call).or_default().members.push((i, 1.0));
            }
        }
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let binding = rows.into_values().filter(|row| row.parts.len() > most);
        self.list.extend(binding.map(|row| Row { most: units(most as u64), ..row }));
    }

    /// No actor carries more than its part of all services.
    fn share(&mut self, calls: &[Compiled<'_>], most: f64) {
        let rows = paid(calls);
        let mut all = Row { equal: true, ..Row::default() };
        for (&call, part) in rows.values().flat_map(|row| &row.parts) {
            all.parts.entry(call).or_default().edges.extend(&part.edges);
        }
        let total = self.variable(Shared { most: calls.iter().map(dearest).sum(), price: 0.0 });
        all.shared.push((total, -1.0));
        self.list.push(all);
        self.list.extend(rows.into_values().map(|row| Row { shared: vec![(total, -most)], ..row }));
    }

    /// What a consortium for a call counts in each row that knows the call, by row.
    pub(super) fn usage(
        &self,
        call: usize,
        quantity: &[Quantity],
        members: &BTreeSet<usize>,
        cost: f64,
    ) -> Vec<(usize, f64)> {
        let mut usage = Vec::new();
        for (r, row) in self.list.iter().enumerate() {
            let mut used = row.cost * cost;
            if let Some(part) = row.parts.get(&call) {
                used += part
                    .edges
                    .iter()
                    .map(|&(e, each)| each * units(quantity.get(e).copied().unwrap_or(0)))
                    .sum::<f64>();
                used += part.members.iter().filter(|(i, _)| members.contains(i)).map(|(_, each)| each).sum::<f64>();
            }
            if used != 0.0 {
                usage.push((r, used));
            }
        }
        usage
    }
}

/// What each actor is paid for services, as the left side of a row.
fn paid(calls: &[Compiled<'_>]) -> BTreeMap<usize, Row> {
    let mut rows: BTreeMap<usize, Row> = BTreeMap::new();
    for (call, c) in calls.iter().enumerate() {
        for (e, edge) in c.edges.iter().enumerate() {
            let row = rows.entry(c.candidates[c.offers[edge.offer].candidate].actor).or_default();
            row.parts.entry(call).or_default().edges.push((e, keur(edge.terms.unit_cost)));
        }
    }
    rows
}

/// Whether some calls can ask for more than a whole capacity: each takes what it needs at most, and never more than the whole.
fn can_bind(calls: &[Compiled<'_>], resource: &Resource, set: &BTreeSet<usize>) -> bool {
    let mut parts: BTreeMap<usize, f64> = BTreeMap::new();
    for &(call, e, capacity) in resource.uses.iter().filter(|(call, ..)| set.contains(call)) {
        let c = &calls[call];
        *parts.entry(call).or_default() += units(c.most(&c.edges[e])) / units(capacity.max(1));
    }
    parts.into_values().map(|part| part.min(1.0)).sum::<f64>() > 1.0
}
