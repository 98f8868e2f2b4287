//! The document of a portfolio, its options, and their mistakes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::instance::{Fault, Instance};
use crate::model::{Actor, Call, Incompatibility, Link, Preference, Problem, Relation, Term, Territory};
use crate::options::OptionsError;

/// Several calls and the actors who may answer them: a [`Problem`] with `calls` in the place of `call`.
///
/// The other fields are repeated here because serde's `flatten` and `deny_unknown_fields` exclude each other, and mistyped names must
/// not pass. [`Portfolio::problem`] does not compile where a field is missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Portfolio {
    /// What the funders ask for. Ids are unique.
    pub calls: Vec<Call>,
    /// Who may answer.
    #[serde(default)]
    pub actors: Vec<Actor>,
    /// The tree of territories.
    #[serde(default)]
    pub territories: Vec<Territory>,
    /// The tree of services.
    #[serde(default)]
    pub services: Vec<Term>,
    /// The tree of publics.
    #[serde(default)]
    pub publics: Vec<Term>,
    /// Who already knows whom.
    #[serde(default)]
    pub relations: Vec<Relation>,
    /// Entities of one group.
    #[serde(default)]
    pub links: Vec<Link>,
    /// Pairs that will not work together.
    #[serde(default)]
    pub incompatibilities: Vec<Incompatibility>,
    /// Actors that join only together with certain others.
    #[serde(default)]
    pub preferences: Vec<Preference>,
}

impl Portfolio {
    /// One call with everything that the calls have in common.
    #[must_use]
    pub fn problem(&self, call: usize) -> Option<Problem> {
        Some(Problem {
            call: self.calls.get(call)?.clone(),
            actors: self.actors.clone(),
            territories: self.territories.clone(),
            services: self.services.clone(),
            publics: self.publics.clone(),
            relations: self.relations.clone(),
            links: self.links.clone(),
            incompatibilities: self.incompatibilities.clone(),
            preferences: self.preferences.clone(),
        })
    }
}

/// What is asked beside the portfolio.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct PortfolioOptions {
    /// In how many calls one actor may take part; no limit where absent. At least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_calls_per_actor: Option<u32>,
    /// The largest part of the services of all calls together that one actor may carry; no limit where absent. 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_share_percent: Option<u8>,
    /// Sets of calls, by id: an actor takes part in at most one call of each. At least two calls each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exclusive: Vec<Vec<String>>,
    /// How evenly services are spread over the actors, at what price.
    pub fairness: Fairness,
    /// Wall-clock limit for everything, in milliseconds. What was found so far is kept.
    pub time_limit_ms: u64,
    /// Limit on the work of the optimiser, in simplex iterations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work_limit: Option<u64>,
    /// Relative gap under which a solution counts as optimal, in parts per million.
    pub gap_ppm: u32,
    /// Seed of the backend's tie-breaking.
    pub seed: u32,
}

impl Default for PortfolioOptions {
    fn default() -> Self {
        Self {
            maximum_calls_per_actor: None,
            maximum_share_percent: None,
            exclusive: Vec::new(),
            fairness: Fairness::default(),
            time_limit_ms: 60_000,
            work_limit: None,
            gap_ppm: 100,
            seed: 0,
        }
    }
}

/// How evenly services are spread over the actors. Comes after the cost: first the cheapest plan is sought, then, among all plans that
/// cost hardly more, a fairer one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Fairness {
    /// What counts as fair.
    pub kind: FairnessKind,
    /// How much more than the cheapest plan found a fairer one may cost, in parts per million of the objective.
    pub tolerance_ppm: u32,
}

impl Default for Fairness {
    fn default() -> Self {
        Self { kind: FairnessKind::None, tolerance_ppm: 10_000 }
    }
}

/// What counts as fair in a portfolio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FairnessKind {
    /// Only the cost counts.
    None,
    /// The actor that is paid most for services, over all calls, is paid as little as possible; then the cheapest such plan.
    LeastLargest,
}

/// A portfolio that has been checked.
#[derive(Clone, Debug)]
pub struct PortfolioInstance {
    /// One for each call.
    pub(crate) instances: Vec<Instance>,
}

impl PortfolioInstance {
    /// Checks a portfolio. Memory is that of one problem for each call.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn new(portfolio: &Portfolio) -> Result<Self, Vec<Fault>> {
        Self::of((0..portfolio.calls.len()).filter_map(|k| portfolio.problem(k)))
    }

    /// Checks calls with actors of their own: capabilities and pools that stand in several problems by the same id share one
    /// capacity, even where their other members differ.
    ///
    /// # Errors
    /// All mistakes at once; those of a call below `/calls/{k}`.
    pub fn of(problems: impl IntoIterator<Item = Problem>) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut instances = Vec::new();
        for (k, problem) in problems.into_iter().enumerate() {
            if !seen.insert(problem.call.id.clone()) {
                let message = format!("{:?} stands twice; ids are unique", problem.call.id);
                faults.push(Fault { path: format!("/calls/{k}/id"), message });
            }
            match Instance::new(problem) {
                Ok(instance) => instances.push(instance),
                Err(own) => faults.extend(own.into_iter().map(|fault| match fault.path.strip_prefix("/call") {
                    Some(rest) => Fault { path: format!("/calls/{k}{rest}"), ..fault },
                    None => fault,
                })),
            }
        }
        if seen.is_empty() {
            faults.push(Fault { path: "/calls".to_owned(), message: "needs at least one call".to_owned() });
        }
        if faults.is_empty() {
            return Ok(Self { instances });
        }
        // Mistakes of what the calls have in common come back with each of them.
        let mut told = BTreeSet::new();
        faults.retain(|fault| told.insert(fault.clone()));
        Err(faults)
    }
}

/// Checks options against a portfolio, without answering.
///
/// # Errors
/// Options that are out of range, or that name unknown calls; all of them.
pub fn validate(options: &PortfolioOptions, instance: &PortfolioInstance) -> Result<(), OptionsError> {
    let mut faults = Vec::new();
    let mut check = |fine: bool, path: &str, message: &str| {
        if !fine {
            faults.push(Fault { path: path.to_owned(), message: message.to_owned() });
        }
    };
    check(options.maximum_calls_per_actor != Some(0), "/maximum_calls_per_actor", "must be at least 1");
    let share = options.maximum_share_percent.is_none_or(|share| (1..=100).contains(&share));
    check(share, "/maximum_share_percent", "must be from 1 to 100");
    let known: BTreeSet<&str> = instance.instances.iter().map(|own| own.problem().call.id.as_str()).collect();
    for (g, group) in options.exclusive.iter().enumerate() {
        check(group.len() >= 2, &format!("/exclusive/{g}"), "needs at least two calls");
        let mut seen = BTreeSet::new();
        for (k, id) in group.iter().enumerate() {
            let path = format!("/exclusive/{g}/{k}");
            check(known.contains(id.as_str()), &path, &format!("unknown call {id:?}"));
            check(seen.insert(id), &path, &format!("{id:?} stands twice"));
        }
    }
    check(options.fairness.tolerance_ppm <= 1_000_000, "/fairness/tolerance_ppm", "must be at most 1000000");
    check(options.time_limit_ms > 0, "/time_limit_ms", "must be at least 1");
    check(options.gap_ppm <= 1_000_000, "/gap_ppm", "must be at most 1000000");
    if faults.is_empty() { Ok(()) } else { Err(OptionsError { faults }) }
}
