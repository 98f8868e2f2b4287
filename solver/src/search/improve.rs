//! Better consortia: exact searches among the most promising candidates (kernel search: Angelelli, Mansini and Speranza, 2010) and
//! in neighbourhoods of the present solution (Shaw, 1998; Danna, Rothberg and Le Pape, 2005).

use std::collections::{BTreeSet, VecDeque};

use super::residual::{self, Residual};
use crate::backend::{Backend, Found};
use crate::compile::Compiled;
use crate::formulate::Question;
use crate::sample::Random;

/// Open candidates of the first neighbourhoods, and of the largest.
const SIZES: (usize, usize) = (60, 400);
/// Searches in a row without a better consortium after which there are no more.
pub(super) const PATIENCE: u32 = 2;
/// Simplex iterations for one neighbourhood, and for one search among the most promising.
const WORK: (u64, u64) = (12_000, 15_000);
/// Relative gaps at which these end.
const GAPS: (f64, f64) = (2e-4, 3e-4);

/// A better solution among its members, the most promising candidates and those in doubt, if one limited search finds it.
pub(super) fn among(
    c: &Compiled<'_>,
    backend: &Backend<'_>,
    question: &Question,
    promising: &BTreeSet<usize>,
    doubtful: &[usize],
    best: &Found,
) -> Option<Found> {
    let open: BTreeSet<usize> = promising.iter().chain(doubtful).chain(&best.members).copied().collect();
    let none = BTreeSet::new();
    let residual = Residual { settled: &none, open: &open, start: Some(best), gap: GAPS.1, work: WORK.1 };
    residual::solve(c, backend, question, &residual)?.found.filter(|found| is_better(found, best))
}

/// Whether a solution is better by more than rounding.
fn is_better(found: &Found, best: &Found) -> bool {
    found.objective < best.objective - 1e-7 * best.objective.abs().max(1.0)
}

/// A local search under way.
pub(super) struct Improve<'s, 'a, 'o> {
    pub(super) c: &'s Compiled<'a>,
    pub(super) backend: &'s Backend<'o>,
    pub(super) question: &'s Question,
    pub(super) keep: &'s [bool],
    /// Candidates in doubt in the relaxation.
    pub(super) doubtful: &'s [usize],
    pub(super) random: Random,
    pub(super) size: usize,
    /// By cell: candidates of the core.
    near: Vec<Vec<usize>>,
    round: usize,
}

impl<'s, 'a, 'o> Improve<'s, 'a, 'o> {
    pub(super) fn new(
        c: &'s Compiled<'a>,
        backend: &'s Backend<'o>,
        question: &'s Question,
        keep: &'s [bool],
        doubtful: &'s [usize],
    ) -> Self {
        let near = |edges: &Vec<usize>| {
            let mut of: Vec<usize> =
                edges.iter().filter(|&&e| keep[e]).map(|&e| c.offers[c.edges[e].offer].candidate).collect();
            of.dedup();
            of
        };
        let near = c.cells.iter().map(|cell| near(&cell.edges)).collect();
        let random = Random::new(c.options.seed.into());
        Self { c, backend, question, keep, doubtful, random, size: SIZES.0, near, round: 0 }
    }

    /// A better solution, if the next neighbourhood has one.
    pub(super) fn step(&mut self, best: &Found) -> Option<Found> {
        self.round += 1;
        self.nearby(best).filter(|found| is_better(found, best))
    }

    /// Searches one neighbourhood of a solution. Those that are solved to the end grow, others shrink.
    fn nearby(&mut self, best: &Found) -> Option<Found> {
        let open = match self.round % 4 {
            0 => self.in_doubt(best),
            1 | 2 => self.around(1),
            _ => self.around(3),
        };
        let settled: BTreeSet<usize> = best.members.difference(&open).copied().collect();
        let residual = Residual { settled: &settled, open: &open, start: Some(best), gap: GAPS.0, work: WORK.0 };
        let attempt = residual::solve(self.c, self.backend, self.question, &residual)?;
        self.size =
            if attempt.finished { (self.size * 5 / 4).min(SIZES.1) } else { (self.size * 3 / 4).max(SIZES.0 / 2) };
        attempt.found
    }

    /// The candidates around some cells taken at random, cell after cell through the candidates that they share.
    fn around(&mut self, seeds: usize) -> BTreeSet<usize> {
        let mut all = BTreeSet::new();
        for seed in 1..=seeds {
            let enough = self.size * seed / seeds;
            let mut seen = BTreeSet::new();
            let mut queue = VecDeque::from([self.random.below(self.near.len())]);
            while let Some(cell) = queue.pop_front() {
                if all.len() >= enough {
                    break;
                }
                if !seen.insert(cell) {
                    continue;
                }
                all.extend(self.near[cell].iter().copied());
                let mut next: Vec<usize> = self.near[cell].iter().flat_map(|&i| self.cells(i)).collect();
                next.sort_unstable();
                next.dedup();
                // A few of them, so that the neighbourhood does not follow the widest actor only.
                for _ in 0..3.min(next.len()) {
                    let at = self.random.below(next.len());
                    queue.push_back(next.swap_remove(at));
                }
            }
        }
        all
    }

    /// The members and the candidates that the relaxation is in doubt of, a part of each taken at random.
    fn in_doubt(&mut self, best: &Found) -> BTreeSet<usize> {
        let pool: Vec<usize> = self.doubtful.iter().copied().chain(best.members.iter().copied()).collect();
        (0..self.size * 2).map(|_| pool[self.random.below(pool.len())]).collect()
    }

    fn cells(&self, candidate: usize) -> impl Iterator<Item = usize> + '_ {
        let edges = self.c.candidates[candidate].offers.clone().flat_map(|k| self.c.offers[k].edges.clone());
        edges.filter(|&e| self.keep[e]).map(|e| self.c.edges[e].cell)
    }
}
