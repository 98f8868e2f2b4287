//! Mandatory needs are covered in full.

use crate::compile::Compiled;
use crate::formulate::Formulation;

/// `u_j = 0` for every cell of a mandatory need; and an actor without which such a cell has no supplier is a member.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    for (j, cell) in c.cells.iter().enumerate().filter(|(_, cell)| c.mandatory(cell)) {
        f.add((f.unmet[j] * 1.0).leq(0));
        let suppliers = c.suppliers(cell);
        if let (1, Some(&only)) = (suppliers.len(), suppliers.first()) {
            f.add((f.member[only] * 1.0).geq(1));
        }
    }
}
