//! Where a search starts, and what it makes of that.

use good_lp::Variable;
use highs_sys::Highs_setSparseSolution;

use super::{Index, Session};

impl Session {
    /// Suggests values for some variables; HiGHS completes and repairs them.
    pub(crate) fn start(&mut self, values: &[(Variable, f64)]) {
        let values = values.iter().filter_map(|&(variable, value)| Some((self.column(variable)?, value)));
        self.start_at(&values.collect::<Vec<_>>());
    }

    /// The same by column.
    pub(crate) fn start_at(&mut self, values: &[(Index, f64)]) {
        let (index, value): (Vec<Index>, Vec<f64>) = values.iter().copied().unzip();
        if let Ok(count) = Index::try_from(index.len()) {
            // SAFETY: a live model, and two arrays of `count` elements that outlive the call.
            unsafe { Highs_setSparseSolution(self.model.as_mut_ptr(), count, index.as_ptr(), value.as_ptr()) };
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
