//! Exchanges of members: a tabu search (Glover, 1989) over teams, for a first consortium that is close to the best one.
//!
//! A team is judged by what its work costs, with what it cannot do at a price that rises while teams miss something and falls while they
//! do not (strategic oscillation). Who leaves and who joins is chosen by an estimate that takes time in proportion to the cells of the two;
//! the work of the team is then divided anew at least cost, by shortest augmenting paths. It knows demand, capacities, costs, the number of
//! members, and who excludes whom. All other rules are for the exact model, which is asked about the best teams afterwards.

mod market;
mod work;

use std::collections::BTreeSet;

use self::market::Market;
use self::work::Work;
use crate::backend::Backend;
use crate::compile::Compiled;
use crate::formulate::Question;
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
/// Amounts below this are nothing.
const TINY: f64 = 1e-6;

/// A team with what it costs by the reckoning of this search, in thousands of euros.
#[derive(Clone, Debug)]
pub(super) struct Team {
    pub(super) members: BTreeSet<usize>,
    pub(super) cost: f64,
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
