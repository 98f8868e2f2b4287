//! The solver from outside, as its users see it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::pedantic, missing_docs)]

mod brute_force;
mod diagnosis;
mod edges;
mod eligibility;
mod explanations;
mod faults;
mod golden;
mod infeasible;
mod portfolio;
mod rules;
mod support;
mod tampered;
mod territory;
