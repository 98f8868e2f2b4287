//! Other good consortia than the best one in euros: different members ([`alternatives`]), other trade-offs ([`front`]), other
//! orders of importance ([`lexicographic`]).
//!
//! All of them put rows and objectives to one model that stays in the optimiser ([`master`]) and compare consortia by exact
//! whole numbers ([`measure`]).

pub(crate) mod alternatives;
pub(crate) mod front;
pub(crate) mod lexicographic;
pub(crate) mod master;
pub(crate) mod measure;

pub use alternatives::{Alternative, Alternatives, AlternativesRequest, Diversity, End, Replacement};
pub use front::{Axes, Front, FrontPoint, FrontRequest};
pub use lexicographic::{Aim, StageProof};
pub use measure::Measure;
