//! The work of a team, divided at least cost.

use std::collections::VecDeque;

use super::market::Market;
use super::{PENALTY, TINY};
use crate::formulate::units;

/// Most augmenting paths for a cell, and most cells that one is looked for through.
const PATHS: usize = 200;
const STEPS: usize = 400;

/// A team and its work.
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
            let mut paths = 0..PATHS;
            while self.unmet[cell] > TINY && paths.next().is_some() && self.augment(cell) {}
        }
    }

    /// Lets somebody leave and somebody join.
    pub(super) fn exchange(&mut self, leaver: Option<usize>, joiner: Option<usize>) {
        self.members.retain(|&i| Some(i) != leaver);
        self.members.extend(joiner);
        self.divide();
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
    fn way(&self, from: usize) -> Option<Way> {
        let (market, c) = (self.market, self.market.c);
        // By cell: what it costs to serve a unit more of the first cell by giving up one of this, and the last step of the way there: from which
        // cell, with the edge that serves it and the one that is given up for it.
        let mut cost = vec![f64::INFINITY; c.cells.len()];
        let mut by: Vec<Option<(usize, usize, usize)>> = vec![None; c.cells.len()];
        cost[from] = 0.0;
        let mut queue = VecDeque::from([from]);
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
                        by[to] = Some((cell, e, given));
                        queue.push_back(to);
                    }
                }
            }
        }
        let (end, server) = ends?;
        let mut steps = Vec::new();
        let mut at = end;
        while at != from {
            let (source, taken, given) = by[at].filter(|_| steps.len() < c.cells.len())?;
            steps.push((taken, given));
            at = source;
        }
        Some(Way { steps, end, server })
    }

    /// What a seat costs the team without somebody, of whom the one who sits there knows some.
    pub(super) fn seat(&self, candidate: usize, without: Option<usize>) -> f64 {
        let others = self.members.len() - usize::from(without.is_some());
        let known = self.market.known[candidate].iter().filter(|(b, _)| self.team[*b] && Some(*b) != without);
        self.market.member + self.market.pair * units(others as u64) - known.map(|(_, spared)| spared).sum::<f64>()
    }

    /// What the work of a member costs.
    pub(super) fn spent(&self, member: usize) -> f64 {
        self.market.edges(member).map(|e| self.done[e] * self.market.price[e]).sum()
    }

    /// What the team costs, what it misses included, and whether it misses anything that it must do.
    pub(super) fn cost(&self) -> (f64, bool) {
        let (market, c) = (self.market, self.market.c);
        let mut cost = 0.0;
        for (k, offer) in c.offers.iter().enumerate().filter(|(_, offer)| self.team[offer.candidate]) {
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

    /// What the others would do of the work of a member, or miss of it.
    pub(super) fn parts(&self, leaver: usize) -> Vec<Part> {
        let (market, c) = (self.market, self.market.c);
        let mut used: Vec<(usize, f64)> = Vec::new();
        let mut parts = Vec::new();
        for e in market.edges(leaver).filter(|&e| self.done[e] > TINY) {
            let cell = c.edges[e].cell;
            let mut open = self.done[e];
            let mut others: Vec<usize> =
                self.near[cell].iter().copied().filter(|&o| c.offers[c.edges[o].offer].candidate != leaver).collect();
            others.sort_by(|&a, &b| market.price[a].total_cmp(&market.price[b]));
            for other in others {
                let k = c.edges[other].offer;
                let taken: f64 = used.iter().filter(|(own, _)| *own == k).map(|(_, amount)| amount).sum();
                let amount = open.min(market.most[other] - self.done[other]).min(self.left[k] - taken);
                if amount > TINY {
                    used.push((k, amount));
                    parts.push(Part { cell, amount, price: market.price[other] });
                    open -= amount;
                }
            }
            if open > TINY {
                parts.push(Part { cell, amount: open, price: market.missing(cell, self.penalty) });
            }
        }
        parts
    }

    /// What somebody who joins would spare the team, when another one leaves with these parts.
    pub(super) fn gain(&self, joiner: usize, leaver: Option<usize>, parts: &[Part]) -> f64 {
        let (market, c) = (self.market, self.market.c);
        let mut all = 0.0;
        let mut offered: Vec<(f64, f64)> = Vec::new();
        let mut served: Vec<(f64, f64)> = Vec::new();
        for k in c.candidates[joiner].offers.clone() {
            offered.clear();
            for e in c.offers[k].edges.clone() {
                let (cell, price) = (c.edges[e].cell, market.price[e]);
                served.clear();
                let missing = market.missing(cell, self.penalty);
                if self.unmet[cell] > TINY && missing > price {
                    served.push((missing - price, self.unmet[cell]));
                }
                for &own in &self.near[cell] {
                    let other = c.offers[c.edges[own].offer].candidate;
                    if self.done[own] > TINY && Some(other) != leaver && market.price[own] > price {
                        served.push((market.price[own] - price, self.done[own]));
                    }
                }
                let left = parts.iter().filter(|part| part.cell == cell && part.price > price);
                served.extend(left.map(|part| (part.price - price, part.amount)));
                served.sort_by(|a, b| b.0.total_cmp(&a.0));
                let mut room = market.most[e];
                for &(margin, amount) in &served {
                    let amount = amount.min(room);
                    if amount > TINY {
                        offered.push((margin, amount));
                        room -= amount;
                    }
                }
            }
            offered.sort_by(|a, b| b.0.total_cmp(&a.0));
            let mut room = market.capacity[k];
            for &(margin, amount) in &offered {
                let amount = amount.min(room);
                all += margin * amount;
                room -= amount;
            }
        }
        all
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

/// Units of a cell, at a price each.
pub(super) struct Part {
    pub(super) cell: usize,
    pub(super) amount: f64,
    pub(super) price: f64,
}
