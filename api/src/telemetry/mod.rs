//! What is told to those who operate the service: log lines, metrics, traces.
//!
//! All three say which operation was asked for and what came of it; none says who asked, in whose name, or what. Ids of requests and runs
//! stand in log lines and traces; metrics have no ids, so that there are never more of them than operations and their ends.

pub mod exposition;
pub mod logs;
pub mod metrics;
mod process;
mod standing;
pub mod traces;
