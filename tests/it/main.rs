//! The service from outside: over HTTP, on both databases, every answer checked against the OpenAPI document.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod support;
