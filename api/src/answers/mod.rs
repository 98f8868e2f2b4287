//! Answers as documents that people read: what a bid or a consortium says, with names in the place of ids.
//!
//! 1. `coverage` says how much of what is asked is delivered.
//! 2. `assemble` makes the document of an answer, as data; `store` finds what its ids and codes stand for.
//! 3. `format` gives it as JSON, PDF or DOCX, through `attelage-documents`.

use crate::access::Routes;

pub(crate) mod assemble;
pub(crate) mod coverage;
pub(crate) mod format;
pub(crate) mod routes;
pub(crate) mod store;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes::configure(routes);
}
