//! Finds, proves and explains the best consortium for a collective call.

mod allocate;
pub mod answer;
mod apportion;
mod assemble;
mod backend;
pub mod check;
mod compile;
mod date;
mod explain;
mod formulate;
mod graph;
mod infeasible;
pub mod instance;
mod matching;
pub mod model;
mod options;
mod propose;
pub mod rules;
#[doc(hidden)]
pub mod sample;
mod solve;
mod text;
mod tree;
mod validate;

pub use answer::*;
pub use check::{Violation, check, check_with};
pub use instance::{Fault, Instance};
pub use model::*;
pub use options::OptionsError;
pub use rules::RuleId;
pub use solve::solve;

/// Version of this crate: part of what identifies a computation.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
