//! Finds, proves and explains the best consortium for a collective call.

pub mod answer;
pub mod model;
pub mod rules;

pub use answer::*;
pub use model::*;
pub use rules::RuleId;
