//! Where a search starts, and what it makes of that.

use std::collections::BTreeMap;

use good_lp::Variable;
use highs_sys::Highs_setSolution;

use super::{Index, Session};
use crate::control::Control;

/// Simplex iterations after which a start that is not complete is given up.
const WORK: u64 = 5_000;

/// How far a value may be from the whole number that it is taken for.
const WHOLE: f64 = 1e-6;

impl Session {
    /// Suggests values for some variables; the next search for whole numbers completes them, and starts from there.
    pub(crate) fn start(&mut self, values: &[(Variable, f64)]) {
        let values = values.iter().filter_map(|&(variable, value)| Some((self.column(variable)?, value)));
        self.start_at(&values.collect::<Vec<_>>());
    }

    /// The same by column.
    pub(crate) fn start_at(&mut self, values: &[(Index, f64)]) {
        self.start = values.iter().copied().collect();
    }

    /// Completes the values suggested, if there are any, by solving the model with those given that are to be whole numbers, and are. HiGHS
    /// would do so by itself, but would tell of the bound of that model as if it were one of the whole, and count that work beyond the limits.
    pub(super) fn complete(&mut self, control: &Control<'_>) {
        let start: BTreeMap<Index, f64> = std::mem::take(&mut self.start);
        let whole = |(column, value): (Index, f64)| {
            let is_whole = (value - value.round()).abs() <= WHOLE && self.integers.binary_search(&column).is_ok();
            is_whole.then(|| (column, value.round()))
        };
        let (columns, values): (Vec<Index>, Vec<f64>) = start.into_iter().filter_map(whole).unzip();
        let Some((least, most)) = (if columns.is_empty() { None } else { self.bounds_of(&columns) }) else { return };
        if values.iter().zip(least.iter().zip(&most)).any(|(value, (least, most))| value < least || value > most) {
            return;
        }
        self.set_bounds(&columns, &values, &values);
        let part = control.part(WORK);
        let solved = self.run(&part);
        control.absorb(&part);
        self.set_bounds(&columns, &least, &most);
        if let Some(solved) = solved.filter(super::Solved::found) {
            let none = std::ptr::null();
            // SAFETY: a live model, and an array of as many elements as it has columns; the others are not given.
            unsafe { Highs_setSolution(self.model.as_mut_ptr(), solved.values.as_ptr(), none, none, none) };
            self.leftover = false;
        }
    }

    /// Tells HiGHS that the start is close to the best, or that the proof is quick: two of its searches for a better one by smaller problems
    /// are left out, so that it comes sooner to fixing what the start rules out and to beginning anew without that; it branches on less
    /// evidence, and forgets cuts that do not bind sooner. From a start that is half a percent above the best this is slower.
    pub(crate) fn believe(&mut self) {
        self.set("mip_heuristic_run_rens", false);
        self.set("mip_heuristic_run_root_reduced_cost", false);
        self.set("mip_pscost_minreliable", 1);
        self.set("mip_lp_age_limit", 5);
    }
}
