//! What ties an entry to those before it.

use serde_json::json;

use super::entity::{Model, head};
use crate::codes::hex;
use crate::keyfile::Key;

/// Number of the head's only row.
pub const HEAD: i32 = 1;

/// The hash of an entry: HMAC-SHA256 over the hash before and everything that the entry says, as a JSON array, which cannot be read in
/// two ways.
#[must_use]
pub fn hash(key: &Key, before: &str, entry: &Model) -> String {
    let Model { position, at, caller, action, organisation_id, subject, version, request_id, details, hash: _ } = entry;
    let said = json!([
        before,
        position,
        at.timestamp_micros(),
        caller,
        action,
        organisation_id,
        subject,
        version,
        request_id,
        details
    ]);
    hex(&key.authenticate(&[b"entry", said.to_string().as_bytes()]))
}

/// The head of a log that ends with an entry; of an empty one, at position 0 with an empty hash.
#[must_use]
pub fn head(key: &Key, position: i64, hash: &str) -> head::Model {
    let said = json!([position, hash]).to_string();
    head::Model { id: HEAD, position, hash: hash.to_owned(), seal: hex(&key.authenticate(&[b"head", said.as_bytes()])) }
}
