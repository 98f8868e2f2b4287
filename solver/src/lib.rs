//! Finds, proves and explains the best consortium for a collective call.
//!
//! ```
//! use attelage_solver::{Instance, Options, Problem, Status, solve};
//!
//! let problem: Problem = serde_json::from_str(r#"{
//!     "call": { "id": "kits", "duration_months": 12, "lots": [{ "id": "all", "needs": [
//!         { "id": "devices", "service": "refurbishing", "territory": "lyon", "unit": "device", "quantity": 500 },
//!         { "id": "hours", "service": "training", "territory": "lyon", "unit": "hour", "quantity": 3000 }
//!     ] }] },
//!     "services": [{ "id": "refurbishing" }, { "id": "training" }],
//!     "territories": [{ "id": "lyon", "name": "Lyon" }],
//!     "actors": [
//!         { "id": "workshop", "name": "The Workshop", "capabilities": [{ "id": "w", "services": ["refurbishing"],
//!           "territories": ["lyon"], "unit": "device", "capacity_per_year": 600, "unit_cost_cents": 11000 }] },
//!         { "id": "school", "name": "The School", "capabilities": [{ "id": "s", "services": ["training"],
//!           "territories": ["lyon"], "unit": "hour", "capacity_per_year": 4000, "unit_cost_cents": 3200 }] }
//!     ]
//! }"#)?;
//! let instance = Instance::new(problem).map_err(|faults| format!("{faults:?}"))?;
//! let answer = solve(&instance, &Options::default())?;
//!
//! assert_eq!(answer.status, Status::Optimal);
//! let best = &answer.proposals[0];
//! assert_eq!(best.costs.total_cents, 500 * 11_000 + 3_000 * 3_200);
//! assert!(best.proof.optimal && best.proof.verified);
//! let school = &best.members[0];
//! assert_eq!(school.reasons[0].text, "The School brings 3,000 hours of training in Lyon that no other member has.");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The library is synchronous and pure but for its clock: no I/O (but for [`export::write`]), no threads, nothing printed. [`Instance`] is `Send + Sync`;
//! a call of [`solve`] works on the calling thread alone. `docs/solver-format.md` documents the JSON.
//!
//! # Method
//!
//! 1. **Validate** ([`Instance::new`]): every mistake of the problem at once.
//! 2. **Compile** (`compile`, `matching`): needs become *cells* (need × place), capabilities that can serve them become *offers*, the
//!    rest keeps the reason of its refusal. Cells of one need with the same suppliers are merged, which is exact.
//!    O(capabilities × needs × places).
//! 3. **Read the graphs** (`graph`, on petgraph): who can serve what, who knows whom; components, dominated and forced actors; the
//!    maximum flow that tells missing capacity from other reasons.
//! 4. **Formulate** (`formulate`, `rules`): a capacitated facility location problem with side rules, as a mixed-integer program; one
//!    file per rule ([`RuleId`]). Links between quantity and use are *strong*: one row per edge, which is what makes the relaxation
//!    of such problems tight. Pairs of members cost a handful of rows instead of n²/2 variables: their number is convex in the
//!    number of members, so that its tangents are exact.
//! 5. **Solve** (`backend`): HiGHS through `good_lp`, one thread, with its dual bound. Small models are solved as relaxations first: with
//!    strong links these often are whole already, and then they are the optimum. Choosing members is NP-hard (uncapacitated
//!    facility location already is); calls of a few hundred relevant actors take a second or two, those of a city milliseconds.
//!    From some hundred edges on (`search`) the first consortium comes from elsewhere, and the exact search starts from it; see
//!    `docs/solver/scale.md`.
//! 6. **Allocate in whole units** (`propose`, `allocate`, `assemble`): with the members fixed; and if the result is further from the
//!    bound than the gap allows, whole units in the search itself, so that the proof is about what is proposed.
//! 7. **Re-verify** ([`check()`](check())): an independent checker that shares nothing with the model.
//! 8. **Next proposals**: the row "at least one member of each earlier proposal is missing" (a no-good cut), until enough are found or
//!    the search is proven empty.
//! 9. **Explain** (`explain`): what would fall without each member, what the best consortium without it costs, why something
//!    stays uncovered. One small search per member; those that the proposals already answer are not repeated.
//! 10. **Where nobody can answer** (`infeasible`): mandatory needs may be missed, as little as possible; then each rule is left out alone.
//! 11. **Questions about given people** (`teams`, `sharing`; `games` for what is true of any cooperative game): partners, checks, repairs,
//!     shares, why not; see [`Query`] and `docs/solver/people.md`.
//!
//! Other questions than who should answer together go through [`ask`]; each is a module of its own:
//!
//! | module | what it answers |
//! |---|---|
//! | `variants` | alternatives, Pareto fronts, objectives in stages |
//! | `resilience` | losses of members, strict and soft |
//! | `teams` | partners, check, repair, why not |
//! | `sharing`, `games` | how to share: Shapley value, nucleolus, rival consortia |
//! | `worth` | what each rule costs |
//! | [`diagnosis`] | conflicts, cheapest relaxations, missing capability |
//! | [`territory`], [`flow`] | supply against need, white zones, what one more capability changes |
//! | [`portfolio`] | many calls at once |
//! | `search` | calls of middle size: exchanges of members; large ones: prices, dive, blocks, neighbourhoods; both: the proof |
//! | [`export`] | the model itself, as data and as a file, for other optimisers |
//!
//! # Determinism
//!
//! The same input gives the same bytes while the time limit does not bind. Actors enter the model by id, never by their place in
//! the document; collections are ordered; among equally good consortia HiGHS chooses, by content and seed only; equal members are
//! listed by id.
//!
//! # Sources
//!
//! - Capacitated facility location and the strength of disaggregated links: Leung and Magnanti, *Valid inequalities and facets of the
//!   capacitated plant location problem*, 1989; Krarup and Pruzan, *The simple plant location problem*, 1983.
//! - Fixed charges in formulations: Nemhauser and Wolsey, *Integer and Combinatorial Optimization*, 1988.
//! - No-good cuts on binary solutions: Balas and Jeroslow, *Canonical cuts on the unit hypercube*, 1972.
//! - Elastic programs for the diagnosis of infeasibility: Chinneck, *Feasibility and Infeasibility in Optimization*, 2008.
//! - Maximum flow by blocking flows: Dinic, *Algorithm for solution of a problem of maximum flow in networks with power estimation*, 1970.
//! - Division by largest remainder: Hamilton's method, as in Balinski and Young, *Fair Representation*, 1982.
//! - HiGHS: Huangfu and Hall, *Parallelizing the dual revised simplex method*, 2018.

mod allocate;
pub mod answer;
mod apportion;
mod assemble;
mod backend;
pub mod check;
mod compile;
mod control;
mod coordination;
mod date;
pub mod diagnosis;
mod explain;
pub mod export;
pub mod flow;
mod formulate;
mod games;
mod graph;
mod infeasible;
pub mod instance;
mod matching;
pub mod model;
mod options;
pub mod portfolio;
mod propose;
mod query;
mod resilience;
pub mod rules;
#[doc(hidden)]
pub mod sample;
mod search;
mod sharing;
mod solve;
mod teams;
pub mod territory;
mod text;
mod total;
mod tree;
mod validate;
mod variants;
mod worth;

pub use answer::*;
pub use check::{Violation, check, check_with};
pub use control::{Observer, Progress, Stage};
pub use instance::{Fault, Instance};
pub use model::*;
pub use options::OptionsError;
pub use portfolio::{PortfolioInstance, PortfolioOptions, solve_portfolio, validate_portfolio};
pub use query::{ProposalsQuery, Query, Reply, ask, validate as validate_query};
pub use resilience::{Cut, CutNeed, FatalActor, Loss, Resilience, ResilienceRequest, SingleSupplier, Softest, Strict};
pub use rules::RuleId;
pub use sharing::{
    DivideBy, MemberShare, NucleolusProof, Rival, SatisfactionLevel, ShapleyMethod, Shares, SharesRequest, Stability,
    StableDivision,
};
#[doc(hidden)]
pub use solve::solve_exactly_with;
pub use solve::{engine, solve, solve_with};
pub use teams::audit::{BrokenRule, Change, CheckRequest, Completion, Redundant, RuleName, TeamCheck};
pub use teams::partners::{Brings, Gain, Partner, Partners, PartnersRequest, Unsuited, WhyUnsuited};
pub use teams::repair::{Repair, RepairKind, RepairPlan, RepairRequest};
pub use teams::why_not::{NeedFit, Remedy, Verdict, WhyNot, WhyNotRequest};
pub use total::MOST_TOTAL_CENTS;
pub use variants::{
    Aim, Alternative, Alternatives, AlternativesRequest, Axes, Diversity, End, Front, FrontPoint, FrontRequest,
    Measure, Replacement, StageProof,
};
pub use worth::{RuleWorth, RulesAnswer, RulesQuery, StepWorth};

/// Version of this crate: part of what identifies a computation.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
