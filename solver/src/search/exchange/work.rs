//! The work of a team, divided at least cost.

use std::collections::VecDeque;

use super::market::Market;
use super::{PENALTY, TINY};
use crate::formulate::units;

/// Most augmenting paths for a cell, and most cells that one is looked for through.
const PATHS: usize = 200;
const STEPS: usize = 400;

/// Most passes over the capabilities of a team for the prices of its work.
const PASSES: usize = 20;

/// A team and its work.
#[derive(Clone)]
pub(super) struct Work<'m, 's, 'a> {
    pub(super) market: &'m Market<'s, 'a>,
    pub(super) penalty: f64,
    pub(super) team: Vec<bool>,
    pub(super) members: Vec<usize>,
    /// By edge.
    done: Vec<f64>,
    /// By offer.
    left: Vec<f64>,
    /// By cell.
    unmet: Vec<f64>,
    /// By cell: the edges of members.
    near: Vec<Vec<usize>>,
    steps: Steps,
}

/// What a search for an augmenting path goes by.
#[derive(Clone)]
struct Steps {
    /// By cell: what it costs to serve a unit more of the first cell by giving up one of this.
    cost: Vec<f64>,
    /// By cell that was reached: the last step of the way there, from which cell, with the edge that serves it and the one given up for it.
    by: Vec<(usize, usize, usize)>,
    queue: VecDeque<usize>,
}

impl<'m, 's, 'a> Work<'m, 's, 'a> {
    pub(super) fn new(market: &'m Market<'s, 'a>, members: Vec<usize>) -> Self {
        let c = market.c;
        let mut work = Self {
            market,
            penalty: PENALTY.0,
            team: vec![false; c.candidates.len()],
            members,
            done: vec![0.0; c.edges.len()],
            left: market.capacity.clone(),
            unmet: vec![0.0; c.cells.len()],
            near: vec![Vec::new(); c.cells.len()],
            steps: Steps { cost: vec![0.0; c.cells.len()], by: vec![(0, 0, 0); c.cells.len()], queue: VecDeque::new() },
        };
        work.divide();
        work
    }

    /// Divides the work at least cost, as if fixed costs could be paid in parts: for each cell the cheapest augmenting paths. They lead
    /// from the cell over those who could do it to one who has room, or else over what they do elsewhere to another cell, and so on.
    fn divide(&mut self) {
        let (market, c) = (self.market, self.market.c);
        self.team.fill(false);
        self.done.fill(0.0);
        self.left.clone_from(&market.capacity);
        self.near.iter_mut().for_each(Vec::clear);
        for &i in &self.members {
            self.team[i] = true;
            for e in market.edges(i) {
                self.near[c.edges[e].cell].push(e);
            }
        }
        for cell in 0..c.cells.len() {
            self.unmet[cell] = units(c.cells[cell].demand);
            self.serve(cell);
        }
    }

    /// Lets somebody leave and somebody join.
    pub(super) fn exchange(&mut self, leaver: Option<usize>, joiner: Option<usize>) {
        self.members.retain(|&i| Some(i) != leaver);
        self.members.extend(joiner);
        self.divide();
    }

    /// Takes over another team with its work.
    pub(super) fn copy(&mut self, other: &Self) {
        self.team.clone_from(&other.team);
        self.members.clone_from(&other.members);
        self.done.clone_from(&other.done);
        self.left.clone_from(&other.left);
        self.unmet.clone_from(&other.unmet);
        self.near.clone_from(&other.near);
        self.penalty = other.penalty;
    }

    /// Lets somebody leave, and divides among the others what that one did; what else they do stays at least cost.
    pub(super) fn leave(&mut self, leaver: usize) {
        let (market, c) = (self.market, self.market.c);
        self.team[leaver] = false;
        self.members.retain(|&i| i != leaver);
        for k in c.candidates[leaver].offers.clone() {
            // Without room, and with nothing to give up, nobody passes work on to it.
            self.left[k] = 0.0;
        }
        for e in market.edges(leaver) {
            self.unmet[c.edges[e].cell] += self.done[e];
            self.done[e] = 0.0;
        }
        for e in market.edges(leaver) {
            self.serve(c.edges[e].cell);
        }
    }

    /// Serves of a cell what pays.
    fn serve(&mut self, cell: usize) {
        let mut paths = 0..PATHS;
        while self.unmet[cell] > TINY && paths.next().is_some() && self.augment(cell) {}
    }

    /// Serves a part of a cell that is not served, if that pays.
    fn augment(&mut self, from: usize) -> bool {
        let (market, c) = (self.market, self.market.c);
        let Some(way) = self.way(from) else { return false };
        let mut amount = self.unmet[from];
        if let Some(e) = way.server {
            amount = amount.min(market.most[e] - self.done[e]).min(self.left[c.edges[e].offer]);
        }
        for &(taken, given) in &way.steps {
            amount = amount.min(market.most[taken] - self.done[taken]).min(self.done[given]);
        }
        if amount <= TINY {
            return false;
        }
        self.unmet[from] -= amount;
        match way.server {
            Some(e) => {
                self.done[e] += amount;
                self.left[c.edges[e].offer] -= amount;
            }
            None => self.unmet[way.end] += amount,
        }
        for (taken, given) in way.steps {
            self.done[taken] += amount;
            self.done[given] -= amount;
        }
        true
    }

    /// The cheapest way to serve a unit more of a cell, where there is one that costs less than to miss it.
    fn way(&mut self, from: usize) -> Option<Way> {
        let (market, c) = (self.market, self.market.c);
        let Steps { cost, by, queue } = &mut self.steps;
        cost.fill(f64::INFINITY);
        queue.clear();
        cost[from] = 0.0;
        queue.push_back(from);
        let (mut price, mut ends) = (market.missing(from, self.penalty) - TINY, None);
        for _ in 0..STEPS {
            let Some(cell) = queue.pop_front() else { break };
            let missed = cost[cell] + market.missing(cell, self.penalty);
            if cell != from && missed < price {
                (price, ends) = (missed, Some((cell, None)));
            }
            for &e in &self.near[cell] {
                if market.most[e] - self.done[e] <= TINY {
                    continue;
                }
                let k = c.edges[e].offer;
                let taken = cost[cell] + market.price[e];
                if self.left[k] > TINY {
                    if taken < price {
                        (price, ends) = (taken, Some((cell, Some(e))));
                    }
                    continue;
                }
                for given in c.offers[k].edges.clone() {
                    let to = c.edges[given].cell;
                    let value = taken - market.price[given];
                    if to != cell && self.done[given] > TINY && value < cost[to] - 1e-9 {
                        cost[to] = value;
                        by[to] = (cell, e, given);
                        queue.push_back(to);
                    }
                }
            }
        }
        let (end, server) = ends?;
        let mut steps = Vec::new();
        let mut at = end;
        while at != from {
            if steps.len() == c.cells.len() {
                return None;
            }
            let (source, taken, given) = by[at];
            steps.push((taken, given));
            at = source;
        }
        Some(Way { steps, end, server })
    }

    /// What a seat costs beside the members, of whom the one who sits there knows some.
    pub(super) fn seat(&self, candidate: usize) -> f64 {
        let known = self.market.known[candidate].iter().filter(|(b, _)| self.team[*b]);
        let pairs = units(self.members.len() as u64);
        self.market.member + self.market.pair * pairs - known.map(|(_, spared)| spared).sum::<f64>()
    }

    /// By cell: what a unit less to do would spare, the least that it may be worth in an optimal division. A freed unit of a capability that is
    /// used up is worth what it spares in another cell. O(passes × edges of members).
    pub(super) fn prices(&self) -> Vec<f64> {
        let (market, c) = (self.market, self.market.c);
        let at = |cell: usize| {
            if self.unmet[cell] > TINY {
                return market.missing(cell, self.penalty);
            }
            let own = self.near[cell].iter().filter(|&&e| self.done[e] > TINY);
            own.map(|&e| market.price[e]).fold(0.0, f64::max)
        };
        let mut prices: Vec<f64> = (0..c.cells.len()).map(at).collect();
        let offers = self.members.iter().flat_map(|&i| c.candidates[i].offers.clone());
        let full: Vec<usize> = offers.filter(|&k| self.left[k] <= TINY).collect();
        for _ in 0..PASSES {
            let mut risen = false;
            for &k in &full {
                let edges = || c.offers[k].edges.clone();
                let room = edges().filter(|&e| market.most[e] - self.done[e] > TINY);
                let rent = room.map(|e| prices[c.edges[e].cell] - market.price[e]).fold(0.0, f64::max);
                for e in edges().filter(|&e| rent > 0.0 && self.done[e] > TINY) {
                    let (cell, price) = (c.edges[e].cell, market.price[e] + rent);
                    if price > prices[cell] + 1e-9 {
                        (prices[cell], risen) = (price, true);
                    }
                }
            }
            if !risen {
                break;
            }
        }
        prices
    }

    /// What somebody who joins would spare at most, by the prices of the work: as if all of it fell away at these. O(edges of the one who joins).
    pub(super) fn spares(&self, joiner: usize, prices: &[f64]) -> f64 {
        let (market, c) = (self.market, self.market.c);
        let mut all = 0.0;
        for k in c.candidates[joiner].offers.clone() {
            let margins =
                c.offers[k].edges.clone().map(|e| (prices[c.edges[e].cell] - market.price[e], market.most[e]));
            let paying = margins.filter(|(margin, _)| *margin > 0.0);
            let (worth, amount) = paying
                .clone()
                .fold((0.0, 0.0), |(worth, amount), (margin, most)| (worth + margin * most, amount + most));
            all += if amount <= market.capacity[k] {
                worth
            } else {
                let mut paying: Vec<(f64, f64)> = paying.collect();
                paying.sort_by(|a, b| b.0.total_cmp(&a.0));
                let mut room = market.capacity[k];
                let taken = paying.into_iter().map(|(margin, most)| {
                    let amount = most.min(room);
                    room -= amount;
                    margin * amount
                });
                taken.sum()
            };
        }
        all
    }

    /// What the work of a member costs.
    pub(super) fn spent(&self, member: usize) -> f64 {
        self.market.edges(member).map(|e| self.done[e] * self.market.price[e]).sum()
    }

    /// What the team costs, what it misses included, and whether it misses anything that it must do.
    pub(super) fn cost(&self) -> (f64, bool) {
        let (market, c) = (self.market, self.market.c);
        let mut cost = 0.0;
        for (k, offer) in self.members.iter().flat_map(|&i| c.candidates[i].offers.clone()).map(|k| (k, &c.offers[k])) {
            let own: f64 = offer.edges.clone().map(|e| self.done[e]).sum();
            if own > TINY {
                cost += market.fixed[k] + offer.edges.clone().map(|e| self.done[e] * market.own[e]).sum::<f64>();
            }
        }
        let mut seats = 0.0;
        for (count, &i) in self.members.iter().enumerate() {
            seats += market.member + market.pair * units(count as u64);
            seats -= market.known[i].iter().filter(|(b, _)| self.team[*b]).map(|(_, spared)| spared / 2.0).sum::<f64>();
        }
        let (mut unserved, mut misses) = (0.0, false);
        for (cell, &unmet) in self.unmet.iter().enumerate().filter(|(_, unmet)| **unmet > TINY) {
            unserved += unmet * market.missing(cell, self.penalty);
            misses |= market.mandatory[cell];
        }
        (cost + seats + unserved, misses)
    }
}

/// An augmenting path.
struct Way {
    /// Backwards: the edge that does more of a cell, and the one of the same offer that does less elsewhere for it.
    steps: Vec<(usize, usize)>,
    /// The last cell, with an edge that has room; without one, a unit of that cell is missed instead.
    end: usize,
    server: Option<usize>,
}
