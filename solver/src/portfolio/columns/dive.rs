//! Dives: the surest consortia of the relaxation are taken for good, the other calls are priced anew with what is left, and so on
//! (Sadykov, Vanderbeck, Pessoa, Tahiri and Uchoa, 2019).

use super::Generation;
use super::master::Relaxed;
use crate::portfolio::plan::Plan;

/// From this much on a column counts as chosen.
const SURE: f64 = 0.9;
/// A step settles at least this part of the calls that are open, in percent.
const LEAST: usize = 10;

impl Generation<'_, '_> {
    /// The plan at the end of a dive, if it is better.
    pub(super) fn dive(&mut self, best: Plan) -> Plan {
        let stage = self.stage;
        let mut choice: Vec<Option<usize>> = vec![None; stage.calls.len()];
        let mut left: Vec<f64> = stage.rows.rows.iter().map(|row| row.most).collect();
        while choice.contains(&None) && !self.backend.control.expired() {
            let Some(relaxed) = self.master.relax(stage, &self.backend.control) else { break };
            let taken = self.surest(&relaxed, &choice, &left);
            if taken.is_empty() {
                break;
            }
            for at in taken {
                let column = &self.pool.columns[at];
                if column.usage.iter().any(|&(row, used)| used > left[row] + 1e-6 && stage.rows.rows[row].limits_each()) {
                    continue; // Together with those just taken it is too much.
                }
                for &(row, used) in &column.usage {
                    left[row] -= used;
                }
                choice[column.call] = Some(at);
                self.master.fix(at, true);
            }
            self.price_rest(&choice, &left);
        }
        for &at in choice.iter().flatten() {
            self.master.fix(at, false);
        }
        let whole: Vec<f64> = stage.rows.rows.iter().map(|row| row.most).collect();
        self.leave(&whole);
        let plan = self.pool.plan(stage, &choice);
        if std::env::var_os("TRACE").is_some() {
            eprintln!("dive {} best {} keeps {} t {:?}", stage.value(&plan), stage.value(&best), stage.keeps(&plan), self.backend.control.elapsed());
        }
        let better = stage.keeps(&plan) && stage.value(&plan) < stage.value(&best);
        if better { plan } else { best }
    }

    /// Columns of open calls to take, surest first: those that are chosen almost whole, and a few in any case.
    fn surest(&self, relaxed: &Relaxed, choice: &[Option<usize>], left: &[f64]) -> Vec<usize> {
        let rows = &self.stage.rows.rows;
        let fits = |at: &usize| {
            self.pool.columns[*at].usage.iter().all(|&(row, used)| used <= left[row] + 1e-6 || !rows[row].limits_each())
        };
        let mut open: Vec<usize> = (0..relaxed.chosen.len())
            .filter(|&at| relaxed.chosen[at] > 1e-6 && choice[self.pool.columns[at].call].is_none())
            .filter(fits)
            .collect();
        open.sort_by(|&a, &b| relaxed.chosen[b].total_cmp(&relaxed.chosen[a]).then(a.cmp(&b)));
        let count = choice.iter().filter(|own| own.is_none()).count();
        let least = (count * LEAST).div_ceil(100);
        let mut seen = std::collections::BTreeSet::new();
        open.retain(|&at| seen.insert(self.pool.columns[at].call));
        let sure = open.iter().take_while(|&&at| relaxed.chosen[at] >= SURE).count();
        open.truncate(sure.max(least));
        open
    }

    /// New columns for the calls that are open, at the prices of the master problem and within what is left.
    fn price_rest(&mut self, choice: &[Option<usize>], left: &[f64]) {
        self.leave(left);
        let Some(relaxed) = self.master.relax(self.stage, &self.backend.control) else { return };
        let first = self.pool.columns.len();
        for call in (0..choice.len()).filter(|&call| choice[call].is_none()) {
            self.price_one(call, &relaxed.rows);
        }
        // What HiGHS refuses is only missing.
        let _ = self.fill(first);
    }

    fn leave(&mut self, left: &[f64]) {
        for pricer in self.pricers.iter_mut().flatten() {
            pricer.leave(left);
        }
    }
}
