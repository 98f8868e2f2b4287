//! Who can make good what a team lacks: a bound from one linear program.
//!
//! With the locked members alone, as little as possible of the mandatory needs is missed: some shortage `s`. By weak duality the
//! reduced cost `−g_j` of another candidate's membership, which is fixed at nought there, is the most by which its joining can
//! lower the shortage, whoever else joins: without shortage, `Σ_j g_j y_j ≥ s` (a cut of Benders, 1962). So it takes at least as
//! many joiners as of the largest `g` add up to `s`, and a candidate that with the best others of so many does not reach `s` cannot
//! be among so few.

use std::collections::BTreeSet;

use good_lp::Expression;

use crate::backend::{Backend, End};
use crate::compile::Compiled;
use crate::formulate::{Formulation, Objective, Question};
use crate::propose::Best;
use crate::rules::RuleId;

/// What is forgiven for rounding, in thousandths of needs; and as a part of the shortage.
const TOLERANCE: (f64, f64) = (1e-3, 1e-6);

/// What the candidates beside those locked in can do against the shortage.
#[derive(Default)]
pub(super) struct Joiners {
    /// What is missed without them, in thousandths of needs, less a tolerance; not positive where nothing is.
    shortage: f64,
    /// Candidates with the most by which each lowers it, the largest first.
    gains: Vec<(f64, usize)>,
}

/// The bound for a call with members locked in. `Err`: nobody can help, proven, or the limit came first. O(one linear program).
pub(super) fn joiners(c: &Compiled<'_>, backend: &Backend<'_>) -> Result<Joiners, Best> {
    if backend.expired() {
        return Err(Best::Unknown);
    }
    if !c.rules.active(RuleId::Demand) {
        return Ok(Joiners::default());
    }
    let question = Question { elastic: true, ..Question::minimise(Objective::Shortage) };
    let mut f = Formulation::new(c, &question);
    let Some(mut session) = backend.open(&mut f, Objective::Shortage) else { return Ok(Joiners::default()) };
    session.relax(true);
    let others: Vec<usize> = (0..c.candidates.len()).filter(|&i| !c.candidates[i].locked_in).collect();
    for &i in &others {
        session.bound(f.member[i], 0.0, 0.0);
    }
    let Some(solved) = session.solve(&backend.control) else { return Ok(Joiners::default()) };
    if solved.end != End::Optimal {
        // Other rules ask for joiners: this bound says nothing about who they are.
        return Ok(Joiners::default());
    }
    let gain = |&i: &usize| ((-session.reduced_cost(&solved, f.member[i])).max(0.0), i);
    let mut gains: Vec<(f64, usize)> = others.iter().map(gain).collect();
    gains.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let shortage = solved.objective * (1.0 - TOLERANCE.1) - TOLERANCE.0;
    let all: f64 = gains.iter().map(|(gain, _)| gain).sum();
    if all < shortage { Err(Best::Infeasible) } else { Ok(Joiners { shortage, gains }) }
}

impl Joiners {
    /// Fewer joiners than this will not do.
    pub(super) fn fewest(&self) -> usize {
        let mut sum = 0.0;
        let short = |(gain, _): &&(f64, usize)| {
            let short = sum < self.shortage;
            sum += gain;
            short
        };
        self.gains.iter().take_while(short).count()
    }

    /// Candidates that cannot be among so few joiners: even with the best others they leave some shortage.
    pub(super) fn useless(&self, count: usize) -> BTreeSet<usize> {
        let best: f64 = self.gains.iter().take(count).map(|(gain, _)| gain).sum();
        // Whoever is not among the best takes the place of the last of them.
        let last = count.checked_sub(1).and_then(|last| self.gains.get(last)).map_or(0.0, |(gain, _)| *gain);
        let misses = |gain: f64| best - last + gain.min(last) < self.shortage;
        self.gains.iter().filter(|(gain, _)| misses(*gain)).map(|&(_, i)| i).collect()
    }

    /// Adds the cut.
    pub(super) fn enough(&self, f: &mut Formulation) {
        if self.shortage > 0.0 {
            let mut all = Expression::default();
            for &(gain, i) in self.gains.iter().filter(|(gain, _)| *gain > 0.0) {
                all.add_mul(gain, f.member[i]);
            }
            f.add(all.geq(self.shortage));
        }
    }
}
