//! The model of a session as data and as a file.

use std::ffi::CString;
use std::path::Path;

use highs_sys::{
    Highs_getLp, Highs_getNumNz, Highs_writeModel, HighsInt, kHighsMatrixFormatRowwise, kHighsStatusError,
    kHighsVarTypeContinuous, kHighsVarTypeInteger,
};

use super::Session;
use crate::export::{Column, Model, Row};

impl Session {
    /// The model as HiGHS has it. `None` where it gives none. O(non-zeros).
    pub(crate) fn model(&self) -> Option<Model> {
        let highs = self.model.as_ptr();
        let (columns, rows) = (self.model.num_cols(), self.model.num_rows());
        // SAFETY: a live model.
        let entries = usize::try_from(unsafe { Highs_getNumNz(highs) }).ok()?;
        let (mut counts, mut offset): ([HighsInt; 4], f64) = ([0; 4], 0.0);
        let [mut cost, mut least, mut most] = [vec![0.0; columns], vec![0.0; columns], vec![0.0; columns]];
        let [mut lower, mut upper] = [vec![0.0; rows], vec![0.0; rows]];
        let (mut start, mut index, mut value) = (vec![0; rows + 1], vec![0; entries], vec![0.0; entries]);
        let mut kinds: Vec<HighsInt> = vec![kHighsVarTypeContinuous; columns];
        let [ref mut own_columns, ref mut own_rows, ref mut own_entries, ref mut sense] = counts;
        // SAFETY: a live model, places for single numbers, and arrays of as many elements as it has columns, rows and entries.
        let status = unsafe {
            Highs_getLp(
                highs,
                kHighsMatrixFormatRowwise,
                own_columns,
                own_rows,
                own_entries,
                sense,
                &raw mut offset,
                cost.as_mut_ptr(),
                least.as_mut_ptr(),
                most.as_mut_ptr(),
                lower.as_mut_ptr(),
                upper.as_mut_ptr(),
                start.as_mut_ptr(),
                index.as_mut_ptr(),
                value.as_mut_ptr(),
                kinds.as_mut_ptr(),
            )
        };
        if status == kHighsStatusError {
            return None;
        }
        let place = |at: HighsInt| usize::try_from(at).ok();
        if let Some(last) = start.last_mut() {
            *last = HighsInt::try_from(entries).ok()?;
        }
        let row = |r: usize| {
            let own = place(start[r])?..place(start[r + 1])?;
            let columns = index.get(own.clone())?.iter().map(|&column| place(column)).collect::<Option<Vec<_>>>()?;
            let mut terms: Vec<_> = columns.into_iter().zip(value.get(own)?.iter().copied()).collect();
            terms.sort_by_key(|&(column, _)| column);
            Some(Row { least: lower[r], most: upper[r], terms })
        };
        let column = |at: usize| Column {
            cost: cost[at],
            least: least[at],
            most: most[at],
            whole: kinds[at] == kHighsVarTypeInteger,
        };
        Some(Model {
            offset,
            columns: (0..columns).map(column).collect(),
            rows: (0..rows).map(row).collect::<Option<_>>()?,
        })
    }

    /// Writes the model to a file. `None` where HiGHS cannot.
    pub(crate) fn write(&mut self, path: &Path) -> Option<()> {
        let name = CString::new(path.to_str()?).ok()?;
        // SAFETY: a live model and a NUL-terminated name that outlives the call.
        let status = unsafe { Highs_writeModel(self.model.as_mut_ptr(), name.as_ptr()) };
        (status != kHighsStatusError).then_some(())
    }
}
