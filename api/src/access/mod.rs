//! Who asks, and what they may do: the one place that decides.
//!
//! 1. `credential` makes and reads secrets: keys of organisations, sessions of people.
//! 2. `guard` stands before every route: it finds out who asks, and refuses whom the `policy` of the operation does not admit.
//! 3. A handler that touches something of an organisation asks the [`Caller`] for the role it needs there.
//! 4. `visibility` takes out of the answer what the caller may not read.
//!
//! A route without a policy does not compile: [`Routes`] only takes handlers that have one.

mod caller;
pub mod credential;
pub mod deprecation;
pub(crate) mod guard;
mod owners;
pub mod policy;
mod role;
mod routes;

pub use caller::{Caller, Principal, is_claimed};
pub use owners::{Everyone, Owners};
pub use policy::{Policy, Who};
pub use role::{Role, Scope, Scopes};
pub use routes::Routes;
