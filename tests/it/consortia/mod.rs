//! Consortia over HTTP: from the first invitation to the last signature, who sees what, and what time does.

mod checks;
mod life;
mod repairs;
mod sight;
pub mod team;
