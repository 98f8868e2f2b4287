//! Bounds of columns.

use std::collections::BTreeMap;

use good_lp::Variable;
use highs_sys::{Highs_changeColBounds, Highs_changeColsBoundsBySet, Highs_getColsBySet, kHighsStatusError};

use super::{Index, Session};

impl Session {
    /// Changes the bounds of a variable.
    pub(crate) fn bound(&mut self, variable: Variable, least: f64, most: f64) {
        if let Some(column) = self.column(variable) {
            // SAFETY: a live model and one of its columns.
            unsafe { Highs_changeColBounds(self.model.as_mut_ptr(), column, least, most) };
        }
    }

    /// Changes the bounds of several variables at once: HiGHS takes as long for one as for all.
    pub(crate) fn bounds(&mut self, changes: &[(Variable, f64, f64)]) {
        let columns =
            changes.iter().filter_map(|&(variable, least, most)| Some((self.column(variable)?, (least, most))));
        let columns: BTreeMap<Index, (f64, f64)> = columns.collect();
        let set: Vec<Index> = columns.keys().copied().collect();
        let (least, most): (Vec<f64>, Vec<f64>) = columns.into_values().unzip();
        self.set_bounds(&set, &least, &most);
    }

    /// The bounds of some columns, ascending. `None` where HiGHS does not tell them.
    pub(super) fn bounds_of(&self, columns: &[Index]) -> Option<(Vec<f64>, Vec<f64>)> {
        let count = Index::try_from(columns.len()).ok()?;
        let empty = || vec![0.0; columns.len()];
        let [mut cost, mut least, mut most] = [empty(), empty(), empty()];
        let (mut told, mut entries): (Index, Index) = (0, 0);
        let none = std::ptr::null_mut();
        // SAFETY: a live model, an array of `count` ascending columns, places for single numbers, and three arrays of `count` elements; the
        // entries of the columns are not asked for.
        let status = unsafe {
            Highs_getColsBySet(
                self.model.as_ptr(),
                count,
                columns.as_ptr(),
                &raw mut told,
                cost.as_mut_ptr(),
                least.as_mut_ptr(),
                most.as_mut_ptr(),
                &raw mut entries,
                none,
                none,
                std::ptr::null_mut(),
            )
        };
        (status != kHighsStatusError && told == count).then_some((least, most))
    }

    /// Changes the bounds of columns, ascending.
    pub(super) fn set_bounds(&mut self, columns: &[Index], least: &[f64], most: &[f64]) {
        if let Ok(count) = Index::try_from(columns.len()) {
            let highs = self.model.as_mut_ptr();
            // SAFETY: a live model, and three arrays of `count` elements that outlive the call: ascending columns and their bounds.
            unsafe { Highs_changeColsBoundsBySet(highs, count, columns.as_ptr(), least.as_ptr(), most.as_ptr()) };
        }
    }
}
