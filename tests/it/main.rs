//! The service from outside: over HTTP, on both databases, every answer checked against the OpenAPI document.
#![allow(clippy::unwrap_used, clippy::expect_used)]

// A scenario is one future, as deep as the calls in it.
#![recursion_limit = "256"]

mod answers;
mod audit;
mod authorisation;
mod bad_files;
mod bad_input;
mod bids;
mod bids_sealed;
mod calls;
mod capabilities;
mod cli;
mod concurrency;
mod consortia;
mod contract;
mod conventions;
mod decisions;
mod directory;
mod edge;
mod erasure;
mod events;
mod examples;
mod idempotency;
mod identity;
mod imports;
mod imports_lieux;
mod interests;
mod limits;
mod mail;
mod malformed;
mod migrations;
mod mutations;
mod noninterference;
mod organisations;
mod partners;
mod preconditions;
mod relations;
mod runs;
mod runs_jointly;
mod runs_refused;
mod slowness;
mod support;
mod territories;
mod treasury;
mod visibility;
mod vocabularies;
mod webhooks;
