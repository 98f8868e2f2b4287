//! The service from outside: over HTTP, on both databases, every answer checked against the OpenAPI document.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bad_files;
mod bad_input;
mod bids;
mod bids_sealed;
mod calls;
mod capabilities;
mod cli;
mod concurrency;
mod contract;
mod conventions;
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
