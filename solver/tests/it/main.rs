//! The solver from outside, as its users see it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::pedantic, missing_docs)]

mod brute_force;
mod edges;
mod eligibility;
mod explanations;
mod faults;
mod golden;
mod infeasible;
mod limits;
mod rules;
mod support;
mod tampered;
