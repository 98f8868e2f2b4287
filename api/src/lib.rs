//! Attelage: finds, for a collective call, the organisations that complement each other.
//!
//! The service (HTTP in, SQL out) and its command line. The optimisation itself is in `attelage-solver`.

pub mod access;
pub mod app;
pub mod audit;
pub mod bids;
pub mod body;
pub mod calls;
pub mod capabilities;
pub mod codes;
pub mod config;
pub mod consortia;
pub mod database;
pub mod demo;
pub mod edge;
pub mod events;
pub mod exports;
pub mod fold;
pub mod identifiers;
pub mod identity;
pub mod imports;
pub mod json;
pub mod keyfile;
pub mod limits;
pub mod once;
pub mod openapi;
pub mod organisations;
pub mod page;
pub mod prefer;
pub mod problem;
pub mod relations;
pub mod request_id;
pub mod reservations;
pub mod resource;
pub mod runs;
pub mod server;
pub mod service;
pub mod setting;
pub mod solving;
pub mod territories;
pub mod visibility;
pub mod vocabularies;
