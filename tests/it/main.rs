//! The service from outside: over HTTP, on both databases, every answer checked against the OpenAPI document.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod audit;
mod bad_files;
mod bad_input;
mod calls;
mod capabilities;
mod cli;
mod concurrency;
mod contract;
mod conventions;
mod erasure;
mod examples;
mod idempotency;
mod imports;
mod imports_lieux;
mod migrations;
mod mutations;
mod organisations;
mod preconditions;
mod relations;
mod runs;
mod runs_jointly;
mod runs_refused;
mod support;
mod territories;
mod vocabularies;
