//! Who comes in, by what, and what that opens.

mod accounts;
mod admin;
mod guessing;
mod joining;
mod keys;
mod logs;
pub mod oidc;
mod oidc_refused;
mod roles;
mod sessions;
