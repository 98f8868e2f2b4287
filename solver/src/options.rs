//! Mistakes in the options of a computation.

use std::collections::BTreeSet;

use crate::instance::{Fault, Instance};
use crate::model::Options;

/// Options that contradict themselves or the problem. Holds every mistake, with JSON pointers into the options.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct OptionsError {
    /// The mistakes, in the order of the document. Never empty.
    pub faults: Vec<Fault>,
}

impl OptionsError {
    /// Faults with paths below `root`, if there are any.
    pub(crate) fn below(root: &str, mut faults: Vec<Fault>) -> Result<(), Self> {
        for fault in &mut faults {
            fault.path.insert_str(0, root);
        }
        if faults.is_empty() { Ok(()) } else { Err(Self { faults }) }
    }
}

/// Checks options against an instance.
pub(crate) fn validate(instance: &Instance, options: &Options) -> Result<(), OptionsError> {
    let mut faults = Vec::new();
    let mut fault = |path: String, message: String| faults.push(Fault { path, message });
    if !(1..=20).contains(&options.proposals) {
        fault("/proposals".into(), "must be from 1 to 20".into());
    }
    let locked_in: BTreeSet<&String> = options.locked_in.iter().collect();
    for (field, ids) in [("locked_in", &options.locked_in), ("locked_out", &options.locked_out)] {
        for (i, id) in ids.iter().enumerate() {
            if !instance.actors.contains_key(id) {
                fault(format!("/{field}/{i}"), format!("unknown actor {id:?}"));
            } else if field == "locked_out" && locked_in.contains(id) {
                fault(format!("/{field}/{i}"), format!("{id:?} is locked in as well"));
            }
        }
    }
    if options.time_limit_ms == 0 {
        fault("/time_limit_ms".into(), "must be at least 1".into());
    }
    if options.memory_limit_mib == Some(0) {
        fault("/memory_limit_mib".into(), "must be at least 1".into());
    }
    if options.gap_ppm > 1_000_000 {
        fault("/gap_ppm".into(), "must be at most 1000000".into());
    }
    if options.stage_tolerance_ppm > 1_000_000 {
        fault("/stage_tolerance_ppm".into(), "must be at most 1000000".into());
    }
    if faults.is_empty() { Ok(()) } else { Err(OptionsError { faults }) }
}
