//! Why an organisation is not in the best consortium, and what would have to change.

mod remedy;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Charge, Desk, settle, status, told};
use crate::answer::{Proposal, Refusal, Status};
use crate::backend::{Backend, End};
use crate::compile::Compiled;
use crate::control::{Observer, Stage};
use crate::formulate::{Formulation, Objective, Question};
use crate::instance::{Fault, Instance};
use crate::model::{Cents, Options};
use crate::propose::{Best, Draft, bound_cents};

/// Why is this actor not in the best consortium?
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default, rename_all = "snake_case")]
pub struct WhyNotRequest {
    /// The actor.
    pub actor: String,
}

/// Why an actor is not in the best consortium.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WhyNot {
    /// What was achieved for the best consortium of the call.
    pub status: Status,
    /// The actor.
    pub actor: String,
    /// Its label.
    pub name: String,
    /// Where it stands.
    pub verdict: Verdict,
    /// For each need of the call, how near the actor comes to it.
    pub needs: Vec<NeedFit>,
    /// Objective of the best consortium.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_cents: Option<i64>,
    /// By linear relaxation: every consortium with the actor costs at least so much more than the best. Absent where it is in, or
    /// where even the relaxation has no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_cents: Option<i64>,
    /// The best consortium with the actor; its `regret_cents` is what forcing it in costs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Box<Proposal>>,
    /// What would have to change for it to be in, as far as it was found.
    pub remedies: Vec<Remedy>,
}

/// Where an actor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is in the best consortium that was found.
    Member,
    /// A consortium with it is as good as the best.
    Equal,
    /// It can serve none of the needs.
    NoFit,
    /// It could serve some, but the options lock it out.
    LockedOut,
    /// Proven: no consortium with it keeps the rules.
    Excluded,
    /// Every consortium with it costs more.
    Dearer,
    /// Nobody can answer this call at all.
    NoAnswer,
    /// The limit came first.
    Unknown,
}

/// How near an actor comes to a need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NeedFit {
    /// The need.
    pub need: String,
    /// Part of the need that lies where it could serve it, in its unit; its capacity set aside.
    pub reachable: u64,
    /// Its nearest refusal where it cannot serve the need anywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lacks: Option<Refusal>,
}

/// A change after which the actor would be in a best consortium.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Remedy {
    /// A rebate of this sum on everything it does: the exact regret of forcing it in.
    Rebate {
        /// The sum.
        cents: i64,
    },
    /// A lower unit cost of one of its capabilities: at this cost a consortium with it is as good as the best, at one cent more
    /// none is. Both proven.
    UnitCost {
        /// The capability.
        capability: String,
        /// What it asks now.
        now_cents: i64,
        /// What it would have to ask at most.
        enters_at_cents: i64,
    },
    /// Meeting a condition of participation.
    Condition {
        /// The condition.
        eligibility: String,
        /// Whether that alone would put it into a best consortium.
        enough: bool,
        /// By how much the best consortium would then be cheaper.
        saves_cents: i64,
    },
}

/// What is wrong with the settings.
pub(crate) fn faults(instance: &Instance, request: &WhyNotRequest) -> Vec<Fault> {
    let known = instance.actors.contains_key(&request.actor);
    let fault = || Fault { path: "/actor".into(), message: format!("unknown actor {:?}", request.actor) };
    (!known).then(fault).into_iter().collect()
}

/// Answers a [`WhyNotRequest`]. One search for the best, one with the actor, one linear program, and a few searches for each remedy.
pub(crate) fn why_not(
    instance: &Instance,
    options: &Options,
    request: &WhyNotRequest,
    observer: &dyn Observer,
) -> Option<WhyNot> {
    let actor = instance.actors.get(&request.actor).copied()?;
    let desk = Desk::new(instance, options, observer);
    let c = desk.compile(options);
    let best = settle(&c, &desk.backend, &Charge::default());
    let mut answer = WhyNot {
        status: status(&best),
        actor: request.actor.clone(),
        name: desk.name(&request.actor),
        verdict: match best {
            Best::Infeasible => Verdict::NoAnswer,
            Best::Found(_) | Best::Unknown => Verdict::Unknown,
        },
        needs: fits(&c, actor),
        best_cents: None,
        bound_cents: None,
        proposal: None,
        remedies: Vec::new(),
    };
    if let Best::Found(best) = best {
        answer.best_cents = Some(best.proposal.costs.objective_cents);
        desk.backend.control.enter(Stage::Explanation);
        explain(&desk, &c, actor, *best, &mut answer);
    }
    Some(answer)
}

/// Fills the verdict and what follows from it, against the best consortium.
fn explain(desk: &Desk<'_>, c: &Compiled<'_>, actor: usize, best: Draft, answer: &mut WhyNot) {
    let objective = best.proposal.costs.objective_cents;
    let proof = best.proposal.proof.optimal;
    let locked = desk.options.locked_out.contains(&answer.actor);
    let Some(candidate) = c.candidate_of(actor) else {
        let could = answer.needs.iter().any(|fit| fit.lacks == Some(Refusal::LockedOut));
        answer.verdict = if locked && could { Verdict::LockedOut } else { Verdict::NoFit };
        answer.remedies = remedy::conditions(desk, actor, objective, proof);
        return;
    };
    if best.members.contains(&candidate) {
        answer.verdict = Verdict::Member;
        answer.proposal = Some(Box::new(told(c, &desk.backend, best, None)));
        return;
    }
    answer.bound_cents = bound(c, &desk.backend, candidate).map(|bound| (bound - objective).max(0));
    match settle(&c.joined_by(candidate), &desk.backend, &Charge::default()) {
        Best::Infeasible => answer.verdict = Verdict::Excluded,
        Best::Unknown => {}
        Best::Found(with) => {
            let regret = with.proposal.costs.objective_cents - objective;
            answer.verdict = if regret <= 0 { Verdict::Equal } else { Verdict::Dearer };
            if regret > 0 && proof && with.proposal.proof.optimal {
                answer.remedies.push(Remedy::Rebate { cents: regret });
                answer.remedies.extend(remedy::unit_costs(desk, c, candidate, &with, objective));
            }
            answer.proposal = Some(Box::new(told(c, &desk.backend, *with, Some(objective))));
        }
    }
    answer.remedies.extend(remedy::conditions(desk, actor, objective, proof));
}

/// Below this no consortium with a candidate costs, by relaxation: never less than its reduced cost says.
fn bound(c: &Compiled<'_>, backend: &Backend<'_>, candidate: usize) -> Option<Cents> {
    let mut f = Formulation::new(c, &Question::minimise(Objective::Euros));
    let mut session = backend.open(&mut f, Objective::Euros)?;
    session.relax(true);
    session.bound(f.member[candidate], 1.0, 1.0);
    let with = session.solve(&backend.control)?;
    (with.end == End::Optimal).then(|| bound_cents(with.objective))
}

/// For each need the part that lies where the actor could serve it, or its nearest refusal.
fn fits(c: &Compiled<'_>, actor: usize) -> Vec<NeedFit> {
    let mut found: BTreeMap<usize, (u64, Option<Refusal>)> = BTreeMap::new();
    for cell in &c.cells {
        for &(place, quantity) in &cell.places {
            let (reachable, nearest) = found.entry(cell.need).or_default();
            match c.matcher.refusal(actor, &c.needs[cell.need], place) {
                None => *reachable += quantity,
                Some(refusal) => {
                    let near = crate::matching::nearness;
                    if nearest.as_ref().is_none_or(|other| near(&refusal) > near(other)) {
                        *nearest = Some(refusal);
                    }
                }
            }
        }
    }
    let told = found.into_iter().map(|(n, (reachable, lacks))| NeedFit {
        need: c.needs[n].need.id.clone(),
        reachable,
        lacks: lacks.filter(|_| reachable == 0),
    });
    told.collect()
}
