//! A problem that has been checked: the only way into the solver.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Problem, Quantity};
use crate::rules::eligibility;
use crate::tree::Tree;
use crate::validate;

/// One mistake in a problem or its options: where, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, thiserror::Error)]
#[error("{path}: {message}")]
pub struct Fault {
    /// JSON pointer to the field, `/call/lots/0/needs` for instance; empty for the whole document.
    pub path: String,
    /// What is wrong and what is expected, in English.
    pub message: String,
}

/// A checked problem with its trees indexed. Immutable, `Send` and `Sync`.
#[derive(Clone, Debug)]
pub struct Instance {
    problem: Problem,
    pub(crate) territories: Tree,
    pub(crate) services: Tree,
    pub(crate) publics: Tree,
    pub(crate) actors: BTreeMap<String, usize>,
    /// Codes of the capabilities as nodes of the trees, by actor then capability.
    pub(crate) capabilities: Vec<Vec<Codes>>,
    /// By actor: those whose certificates it may rely on.
    pub(crate) guarantors: Vec<BTreeSet<usize>>,
    /// By service (its place in the order of the tree): actors with a capability for it, ascending.
    pub(crate) offering: BTreeMap<usize, BTreeSet<usize>>,
}

/// The codes of a capability, as nodes of the trees.
#[derive(Clone, Debug)]
pub(crate) struct Codes {
    pub(crate) services: Vec<usize>,
    pub(crate) publics: Vec<usize>,
    pub(crate) territories: Vec<usize>,
}

impl Instance {
    /// Checks a problem. O(size of the problem · log).
    ///
    /// # Errors
    /// All mistakes at once, in the order of the document.
    ///
    /// ```
    /// use attelage_solver::{Instance, Problem};
    /// let problem: Problem = serde_json::from_value(serde_json::json!({
    ///     "call": { "id": "c", "duration_months": 0, "lots": [] }
    /// }))?;
    /// let faults = Instance::new(problem).unwrap_err();
    /// assert_eq!(faults[0].path, "/call/duration_months");
    /// assert_eq!(faults[1].path, "/call/lots");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn new(problem: Problem) -> Result<Self, Vec<Fault>> {
        let trees = validate::problem(&problem)?;
        let actors: BTreeMap<_, _> = problem.actors.iter().enumerate().map(|(i, a)| (a.id.clone(), i)).collect();
        let nodes = |tree: &Tree, codes: &[String]| codes.iter().filter_map(|code| tree.get(code)).collect();
        let capabilities: Vec<Vec<Codes>> = problem
            .actors
            .iter()
            .map(|actor| {
                actor.capabilities.iter().map(|c| Codes {
                    services: nodes(&trees.services, &c.services),
                    publics: nodes(&trees.publics, &c.publics),
                    territories: nodes(&trees.territories, &c.territories),
                })
            })
            .map(Iterator::collect)
            .collect();
        let mut guarantors = vec![BTreeSet::new(); problem.actors.len()];
        for link in problem.links.iter().filter(|link| link.shares_credentials) {
            if let (Some(&from), Some(&to)) = (actors.get(&link.from), actors.get(&link.to)) {
                guarantors[to].insert(from);
            }
        }
        let mut offering: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (a, own) in capabilities.iter().enumerate() {
            for &service in own.iter().flat_map(|codes| &codes.services) {
                offering.entry(trees.services.order(service)).or_default().insert(a);
            }
        }
        let validate::Trees { territories, services, publics } = trees;
        Ok(Self { problem, territories, services, publics, actors, capabilities, guarantors, offering })
    }

    /// The problem that was checked.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// Whether an actor by itself meets a condition of participation of the call; `None` where there is no such actor or condition.
    /// O(conditions + its certificates).
    #[must_use]
    pub fn meets(&self, actor: &str, condition: &str) -> Option<bool> {
        let rule = self.problem.call.eligibility.iter().find(|rule| rule.id == condition)?;
        Some(eligibility::meets(self, *self.actors.get(actor)?, &rule.criterion))
    }

    /// Units over the whole contract of a capacity per year, rounded down.
    pub(crate) fn over_contract(&self, per_year: Quantity) -> Quantity {
        let units = u128::from(per_year) * u128::from(self.problem.call.duration_months) / 12;
        Quantity::try_from(units).unwrap_or(Quantity::MAX)
    }

    /// Label of an actor.
    pub(crate) fn actor_name(&self, actor: usize) -> &str {
        let actor = &self.problem.actors[actor];
        actor.name.as_deref().unwrap_or(&actor.id)
    }

    /// Label of a territory.
    pub(crate) fn territory_name(&self, territory: usize) -> &str {
        let territory = &self.problem.territories[territory];
        territory.name.as_deref().unwrap_or(&territory.id)
    }
}
