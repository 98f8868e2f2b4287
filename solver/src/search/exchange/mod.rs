//! Exchanges of members: a tabu search (Glover, 1989) over teams, for a first consortium that is close to the best one.
//!
//! A team is judged by what its work costs, with what it cannot do at a price that rises while teams miss something and falls while they
//! do not (strategic oscillation); work is divided at least cost, by shortest augmenting paths. Who leaves and who joins is judged exactly,
//! but not for every pair: the prices of the work without the one who leaves tell what anybody who joins would spare at most (weak duality,
//! exact but for fixed costs), which takes time in proportion to what that one offers, and only for the most promising exchanges the work is
//! divided anew.
//! The search knows demand, capacities, costs, the number of members, and who excludes whom. All other rules are for the exact model, which is
//! asked about the best teams afterwards.

mod market;
mod work;

use std::collections::BTreeSet;

use self::market::Market;
use self::work::Work;
use crate::backend::Backend;
use crate::compile::Compiled;
use crate::formulate::Question;
use crate::sample::Random;

/// Exchanges after which a search ends.
const EXCHANGES: usize = 40;
/// Simplex iterations that take about as long as choosing an exchange.
const WORK: u64 = 4;
/// Exchanges that are judged exactly in a round: of those that are free, and of those that must lead to a better team than the best before.
const JUDGED: (usize, usize) = (32, 16);
/// Best teams that are kept.
const KEPT: usize = 8;
/// Searches without one of those who did most in the best team.
const WITHOUT: usize = 5;
/// Exchanges for which nobody who left comes back, and nobody who came leaves: at least, and fewer than so many more.
const BACK: (usize, usize) = (10, 12);
const STAY: (usize, usize) = (4, 5);
/// By how much the price of what is missing changes, and its range, in parts of the dearest supplier of a cell.
const SWING: f64 = 1.25;
const PENALTY: (f64, f64) = (1.01, 20.0);
/// Teams in a row that miss something, or miss nothing, after which it changes.
const RUN: i32 = 4;
/// Amounts below this are nothing.
const TINY: f64 = 1e-6;

/// A team with what it costs by the reckoning of this search, in thousands of euros.
#[derive(Clone, Debug)]
pub(super) struct Team {
    pub(super) members: BTreeSet<usize>,
    pub(super) cost: f64,
}

/// What a search found.
pub(super) struct Elite {
    /// The best teams, best first.
    pub(super) teams: Vec<Team>,
    /// By candidate: what the best team with it costs; infinite where there is none.
    with: Vec<f64>,
}

impl Elite {
    /// Candidates by the best team that was found with them, best first.
    pub(super) fn candidates(&self) -> Vec<usize> {
        let mut ranked: Vec<usize> = (0..self.with.len()).filter(|&i| self.with[i].is_finite()).collect();
        ranked.sort_by(|&a, &b| self.with[a].total_cmp(&self.with[b]).then(a.cmp(&b)));
        ranked
    }

    /// Keeps a team that misses nothing, if it is an answer.
    fn keep(&mut self, work: &Work<'_, '_, '_>, cost: f64) -> bool {
        if work.market.excluded.iter().any(|members| members.iter().all(|&i| work.team[i])) {
            return false;
        }
        for &i in &work.members {
            self.with[i] = self.with[i].min(cost);
        }
        let members: BTreeSet<usize> = work.members.iter().copied().collect();
        if !self.teams.iter().any(|team| team.members == members) {
            let at = self.teams.partition_point(|team| team.cost <= cost);
            self.teams.insert(at, Team { members, cost });
            self.teams.truncate(KEPT);
        }
        true
    }
}

/// Who leaves and who joins, with what that changes.
type Exchange = (f64, Option<usize>, Option<usize>);

/// The best teams found from a first one; none where no team was found that does all it must. One search, and then some from the best team
/// without one of those who did most in it: they hold the others in place, and what is best without them is often better altogether.
/// An exchange: O(members × edges), and the division of the work of some fifty teams.
pub(super) fn search(c: &Compiled<'_>, backend: &Backend<'_>, question: &Question, first: &[usize]) -> Elite {
    let market = Market::new(c, question);
    let mut search = Search {
        market: &market,
        backend,
        random: Random::new(c.options.seed.into()),
        elite: Elite { teams: Vec::new(), with: vec![f64::INFINITY; c.candidates.len()] },
    };
    search.run(first, None);
    let Some(best) = search.elite.teams.first() else { return search.elite };
    let work = Work::new(&market, best.members.iter().copied().collect());
    let mut busy: Vec<usize> = work.members.iter().copied().filter(|&i| !c.candidates[i].locked_in).collect();
    busy.sort_by(|&a, &b| work.spent(b).total_cmp(&work.spent(a)).then(a.cmp(&b)));
    for &absent in busy.iter().take(WITHOUT) {
        let from: Vec<usize> =
            search.elite.teams.iter().take(1).flat_map(|best| best.members.iter().copied()).collect();
        search.run(&from, Some(absent));
    }
    search.elite
}

/// A search under way.
struct Search<'m, 's, 'a, 'o> {
    market: &'m Market<'s, 'a>,
    backend: &'m Backend<'o>,
    random: Random,
    elite: Elite,
}

/// Who must not move, and until which round.
struct Tabu {
    absent: Option<usize>,
    back: Vec<usize>,
    stay: Vec<usize>,
}

impl Search<'_, '_, '_, '_> {
    /// Exchanges from a first team without somebody.
    fn run(&mut self, first: &[usize], absent: Option<usize>) {
        let (market, c) = (self.market, self.market.c);
        let mut members: Vec<usize> =
            (0..c.candidates.len()).filter(|&i| c.candidates[i].locked_in && market.allowed[i]).collect();
        for &i in first {
            let fits = members.len() < market.most_members && market.allowed[i] && Some(i) != absent;
            if fits && !members.contains(&i) && !market.foes[i].iter().any(|foe| members.contains(foe)) {
                members.push(i);
            }
        }
        let mut work = Work::new(market, members);
        let mut tabu = Tabu { absent, back: vec![0; c.candidates.len()], stay: vec![0; c.candidates.len()] };
        let (mut run, mut least) = (0_i32, f64::INFINITY);
        for round in 1..=EXCHANGES {
            if self.backend.expired() {
                break;
            }
            self.backend.control.spend(WORK);
            let (cost, misses) = work.cost();
            // Until there is a team that misses nothing, everybody may move: those who went back and forth move on as the price rises.
            let target = least - cost;
            if !misses && self.elite.keep(&work, cost) {
                least = least.min(cost);
            }
            run = if misses { run.max(0) + 1 } else { run.min(0) - 1 };
            if run.abs() >= RUN {
                let penalty = if run > 0 { work.penalty * SWING } else { work.penalty / SWING };
                work.penalty = penalty.clamp(PENALTY.0, PENALTY.1);
                run = 0;
            }
            let Some((_, leaver, joiner)) = self.choose(&work, &tabu, round, target) else { break };
            work.exchange(leaver, joiner);
            if let Some(a) = leaver {
                tabu.back[a] = round + BACK.0 + self.random.below(BACK.1);
            }
            if let Some(b) = joiner {
                tabu.stay[b] = round + STAY.0 + self.random.below(STAY.1);
            }
        }
    }

    /// The exchange that changes the cost most favourably, among those that are free in this round or change it by less than `target`, which
    /// makes a better team than the best before. A price that has just changed counts for what is missing, and for work once it is divided
    /// anew: to divide it at once made the search of three in 28 samples 1.7 to 4 times longer, and of none shorter.
    fn choose(&mut self, work: &Work<'_, '_, '_>, tabu: &Tabu, round: usize, target: f64) -> Option<Exchange> {
        let now = work.cost().0;
        let is_free =
            |&(_, a, b): &Exchange| a.is_none_or(|a| tabu.stay[a] <= round) && b.is_none_or(|b| tabu.back[b] <= round);
        let promising = self.promising(work, tabu.absent);
        let (mut likely, mut held): (Vec<Exchange>, Vec<Exchange>) = promising.into_iter().partition(is_free);
        held.retain(|(change, _, _)| *change < target - TINY);
        cheapest(&mut likely, JUDGED.0);
        cheapest(&mut held, JUDGED.1);
        likely.append(&mut held);
        likely.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        let mut trial = work.clone();
        let mut best: Option<Exchange> = None;
        for (estimate, leaver, joiner) in likely {
            if best.is_some_and(|(least, _, _)| least <= estimate) {
                break;
            }
            trial.members.clone_from(&work.members);
            trial.exchange(leaver, joiner);
            let (cost, misses) = trial.cost();
            if !misses {
                self.elite.keep(&trial, cost);
            }
            let exchange = (cost - now, leaver, joiner);
            let counts = exchange.0 < target - TINY || is_free(&exchange);
            if counts && best.is_none_or(|(least, _, _)| exchange.0 < least) {
                best = Some(exchange);
            }
        }
        best
    }

    /// Exchanges with what they change at least, but for fixed costs: who joins pays them in parts, the others as they come.
    fn promising(&self, work: &Work<'_, '_, '_>, absent: Option<usize>) -> Vec<Exchange> {
        let (market, c) = (self.market, self.market.c);
        let outside: Vec<usize> =
            (0..c.candidates.len()).filter(|&b| market.allowed[b] && !work.team[b] && Some(b) != absent).collect();
        let free = work.members.iter().copied().filter(|&a| !c.candidates[a].locked_in).map(Some);
        let nobody = (work.members.len() < market.most_members).then_some(None);
        let now = work.cost().0;
        let prices = work.prices();
        let spared: Vec<f64> = outside.iter().map(|&b| work.spares(b, &prices)).collect();
        // By candidate: the last leaver, counted from 1, without whom something that it offers has another price.
        let mut nearby = vec![0; c.candidates.len()];
        let mut others = work.clone();
        let mut all = Vec::new();
        for (at, leaver) in (1..).zip(free.chain(nobody)) {
            others.copy(work);
            if let Some(a) = leaver {
                others.leave(a);
            }
            let change = others.cost().0 - now;
            if leaver.is_some() && !others.members.is_empty() {
                all.push((change, leaver, None));
            }
            let without = others.prices();
            for cell in (0..c.cells.len()).filter(|&cell| (without[cell] - prices[cell]).abs() > 1e-9) {
                for &e in &c.cells[cell].edges {
                    nearby[c.offers[c.edges[e].offer].candidate] = at;
                }
            }
            for (&b, &spared) in outside.iter().zip(&spared) {
                let spared = if nearby[b] == at { others.spares(b, &without) } else { spared };
                if spared > TINY && !market.foes[b].iter().any(|&foe| others.team[foe]) {
                    all.push((change + others.seat(b) - spared, leaver, Some(b)));
                }
            }
        }
        all
    }
}

/// Keeps so many of the most favourable ones.
fn cheapest(all: &mut Vec<Exchange>, count: usize) {
    if all.len() > count {
        all.select_nth_unstable_by(count, |a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
        all.truncate(count);
    }
}

#[cfg(test)]
mod tests;
