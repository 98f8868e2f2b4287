//! The solver from outside, as its users see it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::pedantic, missing_docs)]

mod golden;
mod support;
