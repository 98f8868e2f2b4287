//! The solver from outside, as its users see it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::pedantic, missing_docs)]

mod brute_force;
mod edges;
mod eligibility;
mod enumerated;
mod explanations;
mod faults;
mod golden;
mod infeasible;
mod losses;
mod rules;
mod support;
mod tampered;
mod variants;
