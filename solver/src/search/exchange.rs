//! Exchanges of members: a tabu search (Glover, 1989) over teams, for a first consortium that is close to the best one.
//!
//! A team is judged by what its work costs, with what it cannot do at a price that rises while teams miss something and falls while they
//! do not (strategic oscillation). Who leaves and who joins is chosen by an estimate that takes time in proportion to the cells of the two;
//! the work of the team is then divided anew at least cost, by shortest augmenting paths. It knows demand, capacities, costs, the number of
//! members, and who excludes whom. All other rules are for the exact model, which is asked about the best teams afterwards.

use std::collections::{BTreeSet, VecDeque};

use super::price;
use crate::backend::Backend;
use crate::compile::{Cell, Compiled};
use crate::coordination;
use crate::formulate::{Question, keur, units};
use crate::model::Between;
use crate::rules::RuleId;
use crate::sample::Random;

/// Exchanges after which a search ends, and those in a row without a better team.
const EXCHANGES: (usize, usize) = (300, 80);
/// Best teams that are kept.
const KEPT: usize = 8;
/// Searches without those who did most in the team before.
const WITHOUT: usize = 3;
/// Exchanges for which nobody who left comes back, and nobody who came leaves: at least, and fewer than so many more.
const BACK: (usize, usize) = (10, 12);
const STAY: (usize, usize) = (4, 5);
/// By how much the price of what is missing changes, and its range, in parts of the dearest supplier of a cell.
const SWING: f64 = 1.25;
const PENALTY: (f64, f64) = (1.01, 20.0);
/// Teams in a row that miss something, or miss nothing, after which it changes.
const RUN: i32 = 4;
/// Most augmenting paths for a cell, and most cells that one is looked for through.
const PATHS: usize = 200;
const STEPS: usize = 400;
/// Amounts below this are nothing.
const TINY: f64 = 1e-6;

/// A team with what it costs by the reckoning of this search, in thousands of euros.
#[derive(Clone, Debug)]
pub(super) struct Team {
    pub(super) members: BTreeSet<usize>,
    pub(super) cost: f64,
}

/// The numbers of a call as the search needs them.
struct Market<'s, 'a> {
    c: &'s Compiled<'a>,
    /// By edge: what a unit costs, with its part of the fixed costs; and without.
    price: Vec<f64>,
    own: Vec<f64>,
    /// By edge: the most.
    most: Vec<f64>,
    /// By offer.
    capacity: Vec<f64>,
    fixed: Vec<f64>,
    /// By cell: what missing a unit costs the funder, and what makes the team no answer.
    worth: Vec<f64>,
    dear: Vec<f64>,
    mandatory: Vec<bool>,
    /// By candidate.
    foes: Vec<Vec<usize>>,
    known: Vec<Vec<(usize, f64)>>,
    allowed: Vec<bool>,
    /// Teams that are no answer, nor are larger ones.
    excluded: &'s [BTreeSet<usize>],
    member: f64,
    pair: f64,
    most_members: usize,
}

impl<'s, 'a> Market<'s, 'a> {
    fn new(c: &'s Compiled<'a>, question: &'s Question) -> Self {
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
        let mut known = vec![Vec::new(); c.candidates.len()];
        for (&(a, b), &strength) in c.relations.iter().filter(|_| pair > 0.0) {
            let spared = keur(coordination::spared(rates.per_new_pair_cents, strength));
            known[a].push((b, spared));
            known[b].push((a, spared));
        }
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
    fn missing(&self, cell: usize, penalty: f64) -> f64 {
        if self.mandatory[cell] { self.worth[cell].max(penalty * self.dear[cell]) } else { self.worth[cell] }
    }

    fn edges(&self, candidate: usize) -> impl Iterator<Item = usize> + '_ {
        self.c.candidates[candidate].offers.clone().flat_map(|k| self.c.offers[k].edges.clone())
    }
}

/// A team and its work.
struct Work<'m, 's, 'a> {
    market: &'m Market<'s, 'a>,
    penalty: f64,
    team: Vec<bool>,
    members: Vec<usize>,
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
    fn new(market: &'m Market<'s, 'a>, members: Vec<usize>) -> Self {
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
    fn exchange(&mut self, leaver: Option<usize>, joiner: Option<usize>) {
        self.members.retain(|&i| Some(i) != leaver);
        self.members.extend(joiner);
        self.divide();
    }

    /// Serves a part of a cell that is not served, if that pays.
    fn augment(&mut self, from: usize) -> bool {
        let (market, c) = (self.market, self.market.c);
        // By cell: what it costs to serve a unit more of the first cell by giving up one of this, and the last step of the way there: from which
        // cell, with the edge that serves it and the one that is given up for it.
        let mut cost = vec![f64::INFINITY; c.cells.len()];
        let mut by: Vec<Option<(usize, usize, usize)>> = vec![None; c.cells.len()];
        cost[from] = 0.0;
        let mut queue = VecDeque::from([from]);
        // What missing a unit costs, and who has room at the end of the way; nobody where the last cell misses one instead.
        let (mut price, mut end) = (market.missing(from, self.penalty) - TINY, None);
        for _ in 0..STEPS {
            let Some(cell) = queue.pop_front() else { break };
            let missed = cost[cell] + market.missing(cell, self.penalty);
            if cell != from && missed < price {
                (price, end) = (missed, Some((cell, None)));
            }
            for &e in &self.near[cell] {
                if market.most[e] - self.done[e] <= TINY {
                    continue;
                }
                let k = c.edges[e].offer;
                let taken = cost[cell] + market.price[e];
                if self.left[k] > TINY {
                    if taken < price {
                        (price, end) = (taken, Some((cell, Some(e))));
                    }
                    continue;
                }
                for given in c.offers[k].edges.clone() {
                    let to = c.edges[given].cell;
                    if to == cell || self.done[given] <= TINY {
                        continue;
                    }
                    let value = taken - market.price[given];
                    if value < cost[to] - 1e-9 {
                        cost[to] = value;
                        by[to] = Some((cell, e, given));
                        queue.push_back(to);
                    }
                }
            }
        }
        let Some((end, server)) = end else { return false };
        // The path backwards, and the most that it carries.
        let mut path = Vec::new();
        let mut at = end;
        while at != from {
            let Some((source, taken, given)) = by[at].filter(|_| path.len() < c.cells.len()) else { return false };
            path.push((taken, given));
            at = source;
        }
        let mut amount = self.unmet[from];
        if let Some(e) = server {
            amount = amount.min(market.most[e] - self.done[e]).min(self.left[c.edges[e].offer]);
        }
        for &(taken, given) in &path {
            amount = amount.min(market.most[taken] - self.done[taken]).min(self.done[given]);
        }
        if amount <= TINY {
            return false;
        }
        self.unmet[from] -= amount;
        match server {
            Some(e) => {
                self.done[e] += amount;
                self.left[c.edges[e].offer] -= amount;
            }
            None => self.unmet[end] += amount,
        }
        for (taken, given) in path {
            self.done[taken] += amount;
            self.done[given] -= amount;
        }
        true
    }

    /// What a seat costs the team without somebody, of whom the one who sits there knows some.
    fn seat(&self, candidate: usize, without: Option<usize>) -> f64 {
        let others = self.members.len() - usize::from(without.is_some());
        let known = self.market.known[candidate].iter().filter(|(b, _)| self.team[*b] && Some(*b) != without);
        self.market.member + self.market.pair * units(others as u64) - known.map(|(_, spared)| spared).sum::<f64>()
    }

    /// What the work of a member costs.
    fn spent(&self, member: usize) -> f64 {
        self.market.edges(member).map(|e| self.done[e] * self.market.price[e]).sum()
    }

    /// What the team costs, what it misses included, and whether it misses anything that it must do.
    fn cost(&self) -> (f64, bool) {
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
    fn parts(&self, leaver: usize) -> Vec<Part> {
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
    fn gain(&self, joiner: usize, leaver: Option<usize>, parts: &[Part]) -> f64 {
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

/// Units of a cell, at a price each.
struct Part {
    cell: usize,
    amount: f64,
    price: f64,
}

/// Who leaves and who joins, with what that changes by estimate.
type Exchange = (f64, Option<usize>, Option<usize>);

/// The best teams found from a first one, best first; none where no team was found that does all it must. One search, and then some without
/// those who did most in the best team of the one before: they hold the others in place, and what is best without them is often better
/// altogether. An exchange: O(members × candidates + members × edges near them), and an augmenting path for each cell and more.
pub(super) fn search(c: &Compiled<'_>, backend: &Backend<'_>, question: &Question, first: &[usize]) -> Vec<Team> {
    let market = Market::new(c, question);
    let mut kept = Vec::new();
    let mut random = Random::new(c.options.seed.into());
    let mut absent = BTreeSet::new();
    let mut team = tabu(&market, backend, first, &absent, &mut random, &mut kept);
    for _ in 0..WITHOUT {
        let Some(members) = team else { break };
        let work = Work::new(&market, members.clone());
        let free = members.iter().copied().filter(|&i| !c.candidates[i].locked_in);
        let Some(most) = free.max_by(|&a, &b| work.spent(a).total_cmp(&work.spent(b)).then(b.cmp(&a))) else { break };
        absent.insert(most);
        team = tabu(&market, backend, &members, &absent, &mut random, &mut kept);
    }
    kept
}

/// One search without some; the members of its best team.
fn tabu(
    market: &Market<'_, '_>,
    backend: &Backend<'_>,
    first: &[usize],
    absent: &BTreeSet<usize>,
    random: &mut Random,
    kept: &mut Vec<Team>,
) -> Option<Vec<usize>> {
    let c = market.c;
    let mut members: Vec<usize> =
        (0..c.candidates.len()).filter(|&i| c.candidates[i].locked_in && market.allowed[i]).collect();
    for &i in first {
        let fits = members.len() < market.most_members && market.allowed[i] && !absent.contains(&i);
        if fits && !members.contains(&i) && !market.foes[i].iter().any(|foe| members.contains(foe)) {
            members.push(i);
        }
    }
    let mut work = Work::new(market, members);
    let mut tabu = Tabu { absent, back: vec![0; c.candidates.len()], stay: vec![0; c.candidates.len()] };
    let mut best: Option<(f64, Vec<usize>)> = None;
    let (mut run, mut stale) = (0_i32, 0);
    for round in 1..=EXCHANGES.0 {
        if stale >= EXCHANGES.1 || backend.expired() {
            break;
        }
        backend.control.spend(1);
        let (cost, misses) = work.cost();
        // Until there is a team that misses nothing, everybody may move: those who went back and forth move on as the price rises.
        let target = best.as_ref().map_or(f64::INFINITY, |(least, _)| least - cost);
        let excluded = market.excluded.iter().any(|members| members.iter().all(|&i| work.team[i]));
        stale += 1;
        if !misses && !excluded {
            keep(kept, &work, cost);
            if target > TINY {
                best = Some((cost, work.members.clone()));
                stale = 0;
            }
        }
        run = if misses { run.max(0) + 1 } else { run.min(0) - 1 };
        if run.abs() >= RUN {
            let penalty = if run > 0 { work.penalty * SWING } else { work.penalty / SWING };
            work.penalty = penalty.clamp(PENALTY.0, PENALTY.1);
            run = 0;
        }
        let Some((_, leaver, joiner)) = choose(&work, &tabu, round, target) else { break };
        work.exchange(leaver, joiner);
        if let Some(a) = leaver {
            tabu.back[a] = round + BACK.0 + random.below(BACK.1);
        }
        if let Some(b) = joiner {
            tabu.stay[b] = round + STAY.0 + random.below(STAY.1);
        }
    }
    best.map(|(_, members)| members)
}

/// Who must not move, and until which round.
struct Tabu<'t> {
    absent: &'t BTreeSet<usize>,
    back: Vec<usize>,
    stay: Vec<usize>,
}

fn keep(kept: &mut Vec<Team>, work: &Work<'_, '_, '_>, cost: f64) {
    let members: BTreeSet<usize> = work.members.iter().copied().collect();
    if kept.iter().any(|team| team.members == members) {
        return;
    }
    let at = kept.partition_point(|team| team.cost <= cost);
    kept.insert(at, Team { members, cost });
    kept.truncate(KEPT);
}

/// The exchange that changes the cost most favourably by estimate, among those that are free in this round or would change it by less than
/// `target`, which makes a better team than the best before.
fn choose(work: &Work<'_, '_, '_>, tabu: &Tabu<'_>, round: usize, target: f64) -> Option<Exchange> {
    let (market, c) = (work.market, work.market.c);
    let count = work.members.len();
    let outside = |b: &usize| market.allowed[*b] && !work.team[*b] && !tabu.absent.contains(b);
    let outside: Vec<usize> = (0..c.candidates.len()).filter(outside).collect();
    let gains: Vec<f64> = outside.iter().map(|&b| work.gain(b, None, &[])).collect();
    let fits = |b: usize, a: Option<usize>| !market.foes[b].iter().any(|&foe| work.team[foe] && Some(foe) != a);
    let mut best: Option<Exchange> = None;
    let mut consider = |change: f64, a: Option<usize>, b: Option<usize>| {
        let free = a.is_none_or(|a| tabu.stay[a] <= round) && b.is_none_or(|b| tabu.back[b] <= round);
        if (free || change < target - TINY) && best.is_none_or(|(least, _, _)| change < least) {
            best = Some((change, a, b));
        }
    };
    if count < market.most_members {
        for (&b, gain) in outside.iter().zip(&gains).filter(|(b, gain)| **gain > TINY && fits(**b, None)) {
            consider(work.seat(b, None) - gain, None, Some(b));
        }
    }
    // By candidate: whether it works where the one who leaves does, by the place of that one among the members.
    let mut nearby = vec![0; c.candidates.len()];
    for (at, &a) in (1..).zip(&work.members).filter(|(_, a)| !c.candidates[**a].locked_in) {
        let parts = work.parts(a);
        for &e in parts.iter().flat_map(|part| &c.cells[part.cell].edges) {
            nearby[c.offers[c.edges[e].offer].candidate] = at;
        }
        let others: f64 = parts.iter().map(|part| part.amount * part.price).sum();
        let leaves = others - work.spent(a) - work.seat(a, Some(a));
        if count > 1 {
            consider(leaves, Some(a), None);
        }
        for (&b, gain) in outside.iter().zip(&gains) {
            let gain = if nearby[b] == at { work.gain(b, Some(a), &parts) } else { *gain };
            if gain > TINY && fits(b, Some(a)) {
                consider(leaves + work.seat(b, Some(a)) - gain, Some(a), Some(b));
            }
        }
    }
    best
}
