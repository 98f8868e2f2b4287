//! Whether a hand-made team can answer, and if not, what it breaks and how to complete it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::breach::{self, Breaches};
use super::fewest::fewest;
use super::{Desk, at_least_one, name_faults, set, status, told};
use crate::answer::{NeedCoverage, Proposal, Status};
use crate::control::{Observer, Stage};
use crate::instance::{Fault, Instance};
use crate::model::{Cents, Options};
use crate::propose::{Best, Draft};
use crate::rules::RuleId;

/// Can these actors, all of them and nobody else, answer the call?
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default, rename_all = "snake_case")]
pub struct CheckRequest {
    /// The members. Whoever the options lock in must be among them.
    pub team: Vec<String>,
}

/// What a hand-made team is worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TeamCheck {
    /// `optimal` or `feasible`: the team is admissible. `infeasible`: proven, it is not. `unknown`: the limit came first.
    pub status: Status,
    /// The best way in which the team can share the work. Its `regret_cents` is against the best consortium of the call, where that
    /// one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Box<Proposal>>,
    /// Objective of the best consortium of the call; absent where there is none or the limit came first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_cents: Option<i64>,
    /// Members of an admissible team without which the others can answer.
    pub redundant: Vec<Redundant>,
    /// Rules that the team breaks. Empty where it is admissible.
    pub broken: Vec<BrokenRule>,
    /// Rules that cannot be kept together although each can be kept alone: a smallest such set, none of which can be left out of it.
    /// Told where no single rule is broken by itself.
    pub together: Vec<RuleName>,
    /// Mandatory needs that the team cannot cover in full, if it shares the work so as to miss as little as possible, where.
    pub unmet_needs: Vec<NeedCoverage>,
    /// How to complete a team that is not admissible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion: Option<Completion>,
}

/// A member whose absence would not prevent an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Redundant {
    /// The member.
    pub actor: String,
    /// Its label.
    pub name: String,
    /// What the others alone would cost less (objective); negative where the member saves money.
    pub saves_cents: i64,
}

/// A rule of the call, or one of its conditions of participation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleName {
    /// The family of rules.
    pub rule: RuleId,
    /// The condition of participation, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eligibility: Option<String>,
}

/// A rule that a team breaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BrokenRule {
    /// Which.
    #[serde(flatten)]
    pub name: RuleName,
    /// Proven: the team cannot keep it even if every other rule but those on delivery is left out, covering as much of the mandatory
    /// needs as it can. Otherwise it cannot keep it beside the other rules.
    pub alone: bool,
    /// Proven: with the `changes`, the team is admissible.
    pub enough: bool,
    /// The least that would have to change: beside all other rules where that is `enough`, else for this rule alone.
    pub changes: Vec<Change>,
}

/// One thing that would have to change, as data and as a sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Change {
    /// The member concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// The other member of a pair.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<String>,
    /// The capability concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capability: Option<String>,
    /// The need concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub need: Option<String>,
    /// The lot concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lot: Option<String>,
    /// How much is missing or too much: units of work over the contract, or members, families, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quantity: Option<u64>,
    /// How much money is missing or too much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cents: Option<i64>,
    /// An English sentence.
    pub text: String,
}

/// The fewest actors that complete a team, then the cheapest of those.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Completion {
    /// `infeasible`: proven, no addition makes the team admissible.
    pub status: Status,
    /// Whom to add.
    pub joining: Vec<String>,
    /// The team with them. Its proof is about consortia of this size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Box<Proposal>>,
}

/// Answers a [`CheckRequest`]. One small search for the team and for each member, one search for the best of the call; where the team
/// What is wrong with the settings.
pub(crate) fn faults(instance: &Instance, options: &Options, request: &CheckRequest) -> Vec<Fault> {
    let mut faults: Vec<Fault> = at_least_one("team", &request.team).into_iter().collect();
    for id in options.locked_in.iter().filter(|id| !request.team.contains(id)) {
        faults.push(Fault { path: "/team".into(), message: format!("must contain {id:?}, which the options lock in") });
    }
    name_faults(instance, options, &[("team", &request.team)], faults)
}

/// is not admissible up to three small searches a rule and two searches for its completion.
pub(crate) fn check(
    instance: &Instance,
    options: &Options,
    request: &CheckRequest,
    observer: &dyn Observer,
) -> TeamCheck {
    let desk = Desk::new(instance, options, observer);
    let team = set(&request.team);
    let alone = desk.only(&team);
    let found = desk.best(&alone);
    let mut answer = TeamCheck {
        status: status(&found),
        proposal: None,
        best_cents: None,
        redundant: Vec::new(),
        broken: Vec::new(),
        together: Vec::new(),
        unmet_needs: Vec::new(),
        completion: None,
    };
    match found {
        Best::Found(draft) => {
            answer.best_cents = reference(&desk);
            desk.backend.control.enter(Stage::Explanation);
            answer.redundant = redundant(&desk, &team, draft.proposal.costs.objective_cents);
            answer.proposal = Some(Box::new(told(&desk.compile(&alone), &desk.backend, *draft, answer.best_cents)));
        }
        Best::Infeasible => {
            desk.backend.control.enter(Stage::Diagnosis);
            let Breaches { broken, together, unmet_needs } = breach::find(&desk, &alone);
            answer = TeamCheck { broken, together, unmet_needs, ..answer };
            answer.best_cents = reference(&desk);
            answer.completion = Some(complete(&desk, &team, answer.best_cents));
        }
        Best::Unknown => {}
    }
    answer
}

/// Objective of the best consortium of the call, if it is proven.
fn reference(desk: &Desk<'_>) -> Option<Cents> {
    proven(desk.best(desk.options)).map(|draft| draft.proposal.costs.objective_cents)
}

/// A consortium that is proven best.
pub(super) fn proven(best: Best) -> Option<Box<Draft>> {
    match best {
        Best::Found(draft) => Some(draft).filter(|draft| draft.proposal.proof.optimal),
        Best::Infeasible | Best::Unknown => None,
    }
}

/// Members without which the others can answer. Those locked in stay.
fn redundant(desk: &Desk<'_>, team: &BTreeSet<&str>, objective: Cents) -> Vec<Redundant> {
    let free = team.iter().filter(|id| team.len() > 1 && !desk.options.locked_in.iter().any(|held| held == *id));
    free.filter_map(|&id| {
        let others = team.iter().copied().filter(|other| *other != id).collect();
        let draft = proven(desk.best(&desk.only(&others)))?;
        let saves_cents = objective - draft.proposal.costs.objective_cents;
        Some(Redundant { actor: id.to_owned(), name: desk.name(id), saves_cents })
    })
    .collect()
}

fn complete(desk: &Desk<'_>, team: &BTreeSet<&str>, best: Option<Cents>) -> Completion {
    let with = desk.with(team);
    let c = desk.compile(&with);
    let found = fewest(&c, &desk.backend, team.len() + 1, &|_| {});
    let status = status(&found);
    let Best::Found(draft) = found else { return Completion { status, joining: Vec::new(), proposal: None } };
    let ids = draft.members.iter().map(|&i| c.id(i));
    let joining = ids.filter(|id| !team.contains(id)).map(str::to_owned).collect();
    Completion { status, joining, proposal: Some(Box::new(told(&c, &desk.backend, *draft, best))) }
}
