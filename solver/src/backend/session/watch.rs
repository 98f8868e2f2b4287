//! What HiGHS tells while it runs, and how it is stopped.

use std::ffi::{c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use highs_sys::{
    HighsCallbackDataIn, HighsCallbackDataOut, HighsInt, kHighsCallbackIpmInterrupt,
    kHighsCallbackMipImprovingSolution, kHighsCallbackMipInterrupt, kHighsCallbackSimplexInterrupt,
};

use crate::backend::cents;
use crate::control::Control;

/// The events of HiGHS at which limits are looked at or something is told.
pub(super) const EVENTS: [HighsInt; 4] = [
    kHighsCallbackSimplexInterrupt,
    kHighsCallbackIpmInterrupt,
    kHighsCallbackMipInterrupt,
    kHighsCallbackMipImprovingSolution,
];

/// Least time between two reports of an unchanged search.
const SILENCE: Duration = Duration::from_millis(100);

/// What the callback needs.
pub(super) struct Watch<'a, 'o> {
    pub(super) control: &'a Control<'o>,
    pub(super) money: bool,
    /// Whether what HiGHS tells of bounds is about this model: while it completes a solution by itself, it is about what is left of it.
    pub(super) bounds: bool,
    /// Most iterations seen.
    pub(super) work: u64,
    pub(super) told: Instant,
    pub(super) panicked: bool,
}

/// What HiGHS calls now and then.
///
/// # Safety
/// `data_out` and `data_in` are those of the interface of HiGHS; `user` is the [`Watch`] of the running solve.
pub(super) unsafe extern "C" fn on_event(
    event: c_int,
    _message: *const c_char,
    data_out: *const HighsCallbackDataOut,
    data_in: *mut HighsCallbackDataIn,
    user: *mut c_void,
) {
    // SAFETY: HiGHS gives its own data, valid during this call, and the pointer that `solve` gave it.
    let (Some(out), Some(watch)) = (unsafe { data_out.as_ref() }, unsafe { user.cast::<Watch<'_, '_>>().as_mut() })
    else {
        return;
    };
    // An observer that panics must not unwind into C++.
    let stop = catch_unwind(AssertUnwindSafe(|| watch.see(event, out))).unwrap_or_else(|_| {
        watch.panicked = true;
        true
    });
    let stop = stop && event != kHighsCallbackMipImprovingSolution; // An event that only tells.
    // SAFETY: as above.
    if let (true, Some(input)) = (stop, unsafe { data_in.as_mut() }) {
        input.user_interrupt = 1;
    }
}

impl Watch<'_, '_> {
    /// Notes an event; whether to stop.
    fn see(&mut self, event: c_int, out: &HighsCallbackDataOut) -> bool {
        let whole = event == kHighsCallbackMipInterrupt || event == kHighsCallbackMipImprovingSolution;
        let work = if whole { out.mip_total_lp_iterations } else { i64::from(out.simplex_iteration_count) };
        self.work = self.work.max(u64::try_from(work).unwrap_or(0));
        if whole && (event == kHighsCallbackMipImprovingSolution || self.told.elapsed() >= SILENCE) {
            self.told = Instant::now();
            let amount = |model: f64| (self.money && model.abs() < 1e15).then(|| cents(model));
            let bound = if self.bounds { amount(out.mip_dual_bound) } else { None };
            self.control.tell(self.work, amount(out.mip_primal_bound), bound);
        }
        self.control.would_expire(self.work)
    }
}
