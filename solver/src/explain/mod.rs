//! Why a proposal is what it is: what each member brings, whether it is needed, and why something stays uncovered.

pub(crate) mod gaps;
mod members;
mod necessity;

use crate::backend::Backend;
use crate::compile::Compiled;
use crate::propose::Draft;
use gaps::Gaps;
use necessity::Rivals;

/// Explains every draft, best first, until time is out; what was not reached says so. What costs milliseconds comes first for all
/// of them: the searches for necessity, each about as long as that for a proposal, may use up the time.
pub(crate) fn explain(c: &Compiled<'_>, backend: &Backend<'_>, drafts: &mut [Draft], exhausted: bool) {
    let mut rivals = Rivals::new(c, backend, drafts, exhausted);
    reasons(c, backend, drafts);
    for draft in drafts {
        necessity::fill(c, backend, &mut rivals, draft);
    }
}

/// What costs milliseconds: gaps and what each member brings, without its necessity.
pub(crate) fn reasons(c: &Compiled<'_>, backend: &Backend<'_>, drafts: &mut [Draft]) {
    let mut gaps = Gaps::default();
    for draft in drafts {
        reasons_of(c, backend, &mut gaps, draft);
    }
}

/// The same for one of several drafts that come one after the other: why needs are not covered does not depend on the draft.
pub(crate) fn reasons_of(c: &Compiled<'_>, backend: &Backend<'_>, gaps: &mut Gaps, draft: &mut Draft) {
    gaps.fill(c, backend, draft);
    members::reasons(c, backend, draft);
}
