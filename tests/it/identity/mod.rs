//! Who comes in, by what, and what that opens.

mod accounts;
mod admin;
mod guessing;
mod joining;
mod keys;
mod logs;
mod oidc;
mod oidc_refused;
mod roles;
mod sessions;
