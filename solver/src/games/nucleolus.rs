//! The nucleolus: the division under which the least satisfied coalition is as satisfied as can be, then the next, and so on.
//!
//! Schmeidler, *The nucleolus of a characteristic function game*, 1969; here over all divisions of the whole (the *prenucleolus*),
//! because a game whose members stand in for each other may leave no division that gives each at least what it has alone. Where
//! the game is zero-monotonic the two are the same. Found by successive linear programs, Maschler, Peleg and Shapley, *Geometric
//! properties of the kernel, nucleolus, and related solution concepts*, 1979, with rows added as they are broken and coalitions
//! settled by their duals; those whose payoff follows from settled ones leave the programs, without which the scheme may never
//! end (Guajardo and Jörnsten, *Common mistakes in computing the nucleolus*, 2015).

use super::linear::maximise_least;
use super::span::Span;
use super::{Coalition, grand, index, members};

/// The division with what proves it.
#[derive(Clone, Debug)]
pub(crate) struct Nucleolus {
    /// By player.
    pub(crate) payoff: Vec<f64>,
    /// From the least satisfied coalitions upwards.
    pub(crate) levels: Vec<Level>,
}

/// Coalitions that no division can satisfy better without satisfying one of them, or of an earlier level, less.
#[derive(Clone, Debug)]
pub(crate) struct Level {
    /// Payoff less value.
    pub(crate) satisfaction: f64,
    /// With positive weights, whose sum over the coalitions of each player is a combination of earlier levels and the whole.
    pub(crate) coalitions: Vec<(Coalition, f64)>,
}

/// Two satisfactions closer than this are equal, in parts of the largest value.
const SAME: f64 = 1e-7;

/// The nucleolus of the game with this table of values. `None` where `stop` says so or the programs fail. At most n − 1 levels, each a few
/// linear programs of some dozens of rows and as many passes over the 2ⁿ coalitions.
pub(crate) fn nucleolus(table: &[f64], stop: impl Fn() -> bool) -> Option<Nucleolus> {
    let players = table.len().ilog2() as usize;
    let scale = table.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    if scale == 0.0 {
        return Some(Nucleolus { payoff: vec![0.0; players], levels: Vec::new() });
    }
    let value: Vec<f64> = table.iter().map(|value| value / scale).collect();
    let all = grand(players);
    let mut settled = vec![(all, value[index(all)])];
    let mut span = Span::new();
    span.add(vector(players, all));
    let mut levels = Vec::new();
    let mut payoff = vec![value[index(all)]; players];
    while span.rank() < players {
        let free: Vec<Coalition> = (1..all).filter(|&s| !span.contains(vector(players, s))).collect();
        let mut open: Vec<(Coalition, f64)> = starters(&free).map(|s| (s, value[index(s)])).collect();
        let solution = loop {
            if stop() {
                return None;
            }
            let solution = maximise_least(players, &settled, &open)?;
            let paid = payoffs(&solution.payoff);
            let lack = |&s: &Coalition| solution.least - (paid[index(s)] - value[index(s)]);
            let mut broken: Vec<Coalition> = free.iter().copied().filter(|s| lack(s) > SAME / 10.0).collect();
            if broken.is_empty() {
                break solution;
            }
            broken.sort_by(|a, b| lack(b).total_cmp(&lack(a)).then(a.cmp(b)));
            let before = open.len();
            for s in broken.into_iter().take(2 * players) {
                if !open.iter().any(|(known, _)| *known == s) {
                    open.push((s, value[index(s)]));
                }
            }
            if open.len() == before {
                return None; // Broken beyond the tolerances of the program.
            }
        };
        let mut coalitions = Vec::new();
        let rank = span.rank();
        for (&(s, own), weight) in open.iter().zip(solution.weight) {
            if weight > SAME {
                coalitions.push((s, weight));
                if span.add(vector(players, s)) {
                    settled.push((s, own + solution.least));
                }
            }
        }
        if span.rank() == rank {
            return None;
        }
        levels.push(Level { satisfaction: solution.least * scale, coalitions });
        payoff = solution.payoff;
    }
    Some(Nucleolus { payoff: payoff.into_iter().map(|x| x * scale).collect(), levels })
}

/// The first rows of a program: single players and their complements.
fn starters(free: &[Coalition]) -> impl Iterator<Item = Coalition> {
    let players = free.iter().fold(0, |all, s| all | s).count_ones();
    free.iter().copied().filter(move |s| s.is_power_of_two() || s.count_ones() == players - 1)
}

/// The payoff of every coalition. O(2ⁿ).
fn payoffs(payoff: &[f64]) -> Vec<f64> {
    let mut paid = vec![0.0; 1 << payoff.len()];
    for s in 1..paid.len() {
        let first = s.trailing_zeros() as usize;
        paid[s] = paid[s & (s - 1)] + payoff[first];
    }
    paid
}

fn vector(players: usize, coalition: Coalition) -> Vec<f64> {
    let mut vector = vec![0.0; players];
    members(coalition).for_each(|i| vector[i] = 1.0);
    vector
}

impl Nucleolus {
    /// Whether the levels prove the division, by arithmetic alone. Kohlberg, *On the nucleolus of a characteristic function game*,
    /// 1971, in the form of weights: take another division. Where the earlier levels are as they are, the weighted payoff of a
    /// level's coalitions is given; so either none of them changes, or one of them falls, below every coalition that is not
    /// settled. And at the end nothing is left to choose. O(levels · n² · 2ⁿ).
    pub(crate) fn proven(&self, table: &[f64]) -> bool {
        let players = self.payoff.len();
        let all = grand(players);
        let scale = table.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        if scale == 0.0 {
            return self.payoff.iter().all(|x| *x == 0.0);
        }
        let close = |a: f64, b: f64| (a - b).abs() <= 10.0 * SAME * scale;
        let paid = payoffs(&self.payoff);
        let satisfaction = |s: Coalition| paid[index(s)] - table[index(s)];
        let mut span = Span::new();
        span.add(vector(players, all));
        for level in &self.levels {
            let mut sum = vec![0.0; players];
            for &(s, weight) in &level.coalitions {
                members(s).for_each(|i| sum[i] += weight);
                let free = !span.contains(vector(players, s));
                if !(free && weight > 0.0 && close(satisfaction(s), level.satisfaction)) {
                    return false;
                }
            }
            let least = |s| satisfaction(s) >= level.satisfaction - 10.0 * SAME * scale;
            if !span.contains(sum) || !(1..all).all(|s| least(s) || span.contains(vector(players, s))) {
                return false;
            }
            for &(s, _) in &level.coalitions {
                span.add(vector(players, s));
            }
        }
        span.rank() == players && close(paid[index(all)], table[index(all)])
    }
}
