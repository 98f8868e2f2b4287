//! Plans made one call after the other, at the prices of what the calls share and within what is left of it: first come, first served,
//! but each pays for what it takes from the others. A plan costs one round of pricing; its consortia fit together, which those
//! of the rounds before need not.

use super::Generation;
use crate::portfolio::plan::Plan;
use crate::portfolio::rows::Row;
use crate::sample::Random;

/// Plans made, each in an order of its own.
const PASSES: usize = 3;

impl Generation<'_, '_> {
    /// The best of some plans made in random orders, if it is better.
    pub(super) fn serve(&mut self, mut best: Plan) -> Plan {
        let mut random = Random::new(self.stage.options.seed.into());
        for _ in 0..PASSES {
            let mut order: Vec<usize> = (0..self.stage.calls.len()).collect();
            for i in (1..order.len()).rev() {
                order.swap(i, random.below(i + 1));
            }
            let Some(plan) = self.one_by_one(&order) else { break };
            if self.stage.keeps(&plan) && self.stage.value(&plan) < self.stage.value(&best) {
                best = plan;
            }
        }
        let whole: Vec<f64> = self.stage.rows.list.iter().map(|row| row.most).collect();
        for pricer in self.pricers.iter_mut().flatten() {
            pricer.leave(&whole);
        }
        best
    }

    /// The plan of one order. `None` where a limit comes first.
    fn one_by_one(&mut self, order: &[usize]) -> Option<Plan> {
        let mut choice = vec![None; order.len()];
        let mut left: Vec<f64> = self.stage.rows.list.iter().map(|row| row.most).collect();
        let prices = self.center.clone();
        for &call in order {
            if self.backend.control.expired() {
                return None;
            }
            if let Some(pricer) = &mut self.pricers[call] {
                pricer.leave(&left);
            }
            let (_, column) = self.price_one(call, &prices);
            let fits = |own: &(&Row, f64, f64)| own.1 <= own.2 + 1e-6 || !own.0.limits_each();
            let within = |at: &usize| {
                let usage = self.pool.columns[*at].usage.iter();
                usage.map(|&(row, used)| (&self.stage.rows.list[row], used, left[row])).all(|own| fits(&own))
            };
            choice[call] = column.filter(within);
            for &(row, used) in choice[call].iter().flat_map(|&at: &usize| &self.pool.columns[at].usage) {
                left[row] -= used;
            }
        }
        self.fill()?;
        Some(self.pool.plan(self.stage, &choice))
    }
}
