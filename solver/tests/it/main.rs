//! The solver from outside, as its users see it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::pedantic, missing_docs)]

mod brute_force;
mod diagnosis;
mod edges;
mod eligibility;
mod enumerated;
mod explanations;
mod faults;
mod fuzz;
mod golden;
mod infeasible;
mod limits;
mod losses;
mod portfolio;
mod rules;
mod second_solver;
mod shape;
mod support;
mod tampered;
mod teams;
mod territory;
mod variants;
mod worth;
