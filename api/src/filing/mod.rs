//! Filing: the answer that all members of a consortium have signed becomes a sealed bid of its lead.
//!
//! 1. `content` makes the bid of the plan: who takes part, who delivers what for how much, and what the lead is paid for coordinating.
//! 2. `routes` files it, takes it back while there is time, files a new version where changes were asked for, and shows the answer as a
//!    document.
//! 3. `follow` moves the consortia of a call on when their bids are opened and decided on.
//!
//! A bid that was filed stays that of its consortium: its lead neither replaces nor withdraws it by itself.

use crate::access::Routes;

pub(crate) mod content;
pub(crate) mod entity;
pub(crate) mod follow;
pub(crate) mod routes;
pub(crate) mod store;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes::configure(routes);
}
