//! Questions about given people: who goes well with a team, whether a team can answer, how to mend one, why somebody is not in.
//!
//! All of them are the model of the call with some members given, and so small where all are given: the others are then locked
//! out before compilation. Every consortium told is a [`Proposal`](crate::Proposal) that the independent checker has passed.

pub mod audit;
mod breach;
mod fewest;
mod joiners;
pub mod partners;
pub mod repair;
mod settle;
pub mod why_not;

use std::collections::BTreeSet;

use crate::answer::{Proposal, Status};
use crate::backend::Backend;
use crate::compile::Compiled;
use crate::control::{Control, Observer};
use crate::explain::gaps::Gaps;
use crate::instance::{Fault, Instance};
use crate::model::{Cents, Options};
use crate::propose::{Best, Draft};
use crate::rules::RuleSet;

pub(crate) use settle::{Charge, settle};

/// What every question about a call starts from.
pub(crate) struct Desk<'a> {
    pub(crate) instance: &'a Instance,
    pub(crate) options: &'a Options,
    pub(crate) backend: Backend<'a>,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(instance: &'a Instance, options: &'a Options, observer: &'a dyn Observer) -> Self {
        Self { instance, options, backend: Backend::new(options, Control::new(options, observer)) }
    }

    /// The call under some options, with all rules that they leave in force.
    pub(crate) fn compile<'o>(&self, options: &'o Options) -> Compiled<'o>
    where
        'a: 'o,
    {
        Compiled::new(self.instance, options, RuleSet::without(options.disabled_rules.iter().copied()))
    }

    /// The options with these members and nobody else.
    pub(crate) fn only(&self, team: &BTreeSet<&str>) -> Options {
        let all = self.instance.problem().actors.iter().map(|actor| actor.id.as_str());
        Options {
            locked_in: team.iter().map(|&id| id.to_owned()).collect(),
            locked_out: all.filter(|id| !team.contains(id)).map(str::to_owned).collect(),
            ..self.options.clone()
        }
    }

    /// The options with these members as well.
    pub(crate) fn with(&self, team: &BTreeSet<&str>) -> Options {
        let mut options = self.options.clone();
        let held: BTreeSet<String> = options.locked_in.iter().cloned().collect();
        options.locked_in.extend(team.iter().filter(|id| !held.contains(**id)).map(|&id| id.to_owned()));
        options
    }

    /// The best consortium under some options.
    pub(crate) fn best(&self, options: &Options) -> Best {
        settle(&self.compile(options), &self.backend, &Charge::default())
    }

    pub(crate) fn name(&self, id: &str) -> String {
        self.instance.actors.get(id).map_or(id, |&actor| self.instance.actor_name(actor)).to_owned()
    }
}

/// A finished proposal: its gaps with their reasons, and its objective against another's.
pub(crate) fn told(c: &Compiled<'_>, backend: &Backend<'_>, draft: Draft, best: Option<Cents>) -> Proposal {
    told_among(c, backend, &mut Gaps::default(), draft, best)
}

/// The same for one of several proposals of the same call, which share the reasons of their gaps.
pub(crate) fn told_among(
    c: &Compiled<'_>,
    backend: &Backend<'_>,
    gaps: &mut Gaps,
    mut draft: Draft,
    best: Option<Cents>,
) -> Proposal {
    gaps.fill(c, backend, &mut draft);
    draft.proposal.regret_cents = best.map_or(0, |best| (draft.proposal.costs.objective_cents - best).max(0));
    draft.proposal
}

/// What a search for one consortium came to.
pub(crate) fn status(best: &Best) -> Status {
    match best {
        Best::Found(draft) if draft.proposal.proof.optimal => Status::Optimal,
        Best::Found(_) => Status::Feasible,
        Best::Infeasible => Status::Infeasible,
        Best::Unknown => Status::Unknown,
    }
}

/// The faults of the actors that a question names, and its own: they exist, each once, and none of the `team` is locked out.
pub(crate) fn name_faults(
    instance: &Instance,
    options: &Options,
    lists: &[(&str, &[String])],
    own: Vec<Fault>,
) -> Vec<Fault> {
    let mut all = Vec::new();
    for (field, ids) in lists {
        let mut seen = BTreeSet::new();
        for (i, id) in ids.iter().enumerate() {
            let message = if !instance.actors.contains_key(id) {
                format!("unknown actor {id:?}")
            } else if !seen.insert(id) {
                format!("{id:?} stands twice")
            } else if *field == "team" && options.locked_out.contains(id) {
                format!("{id:?} is locked out by the options")
            } else {
                continue;
            };
            all.push(Fault { path: format!("/{field}/{i}"), message });
        }
    }
    all.extend(own);
    all
}

/// The fault of a list that is empty.
pub(crate) fn at_least_one(field: &str, ids: &[String]) -> Option<Fault> {
    ids.is_empty().then(|| Fault { path: format!("/{field}"), message: "must name at least one actor".to_owned() })
}

/// Ids as a set.
pub(crate) fn set(ids: &[String]) -> BTreeSet<&str> {
    ids.iter().map(String::as_str).collect()
}
