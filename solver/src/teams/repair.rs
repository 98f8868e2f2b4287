//! How to mend a team after somebody left.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::audit::proven;
use super::fewest::fewest;
use super::joiners::joiners;
use super::{Charge, Desk, at_least_one, name_faults, set, settle, status, told};
use crate::answer::{Infeasibility, Proposal, Status};
use crate::backend::{Backend, Outcome};
use crate::compile::Compiled;
use crate::control::{Observer, Stage};
use crate::formulate::{Formulation, Objective, Question, units};
use crate::infeasible;
use crate::instance::{Fault, Instance};
use crate::model::{Cents, Options};
use crate::propose::Best;

/// Who replaces those who left?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default, rename_all = "snake_case")]
pub struct RepairRequest {
    /// The members before.
    pub team: Vec<String>,
    /// Those of them who left or refuse. Actors that the options lock out count as well, and never join.
    pub departed: Vec<String>,
    /// Whether to look for the cheapest repair too, which is a search of the whole call.
    pub cheapest: bool,
}

impl Default for RepairRequest {
    fn default() -> Self {
        Self { team: Vec::new(), departed: Vec::new(), cheapest: true }
    }
}

/// How to mend a team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Repair {
    /// What was achieved for the first plan. `infeasible`: proven, nobody can answer without those who left.
    pub status: Status,
    /// The members who are still there.
    pub remaining: Vec<String>,
    /// Whether they can answer by themselves, with those whom the options lock in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rest_suffices: Option<bool>,
    /// Objective of the team before; absent where it was not admissible.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_cents: Option<i64>,
    /// The plan that keeps most, and the cheapest one where it costs less.
    pub plans: Vec<RepairPlan>,
    /// What is missing. Present exactly when the status is `infeasible`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub infeasibility: Option<Box<Infeasibility>>,
}

/// A way to mend a team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RepairPlan {
    /// What it is best at.
    pub kind: RepairKind,
    /// Remaining members that stay.
    pub staying: Vec<String>,
    /// Remaining members that it does without.
    pub leaving: Vec<String>,
    /// Actors that were not in the team.
    pub joining: Vec<String>,
    /// Objective above that of the team before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_cents: Option<i64>,
    /// The mended team. Its proof is about plans that keep and add as many; its `regret_cents` is against the cheapest repair, where
    /// that was looked for.
    pub proposal: Box<Proposal>,
}

/// What a plan is best at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RepairKind {
    /// Keeps most of the remaining members, of those plans adds fewest actors, and of those costs least.
    KeepsMost,
    /// Costs least, whoever stays.
    Cheapest,
}

/// Answers a [`RepairRequest`]. Where the rest suffices, one small search beside that for the price before; else two or three
/// searches in which most members are given; and one of the whole call for the cheapest repair.
pub(crate) fn repair(
    instance: &Instance,
    options: &Options,
    request: &RepairRequest,
    observer: &dyn Observer,
) -> Repair {
    let desk = Desk::new(instance, options, observer);
    let team = set(&request.team);
    let mut gone = set(&request.departed);
    gone.extend(options.locked_out.iter().map(String::as_str));
    let remaining: BTreeSet<&str> = team.difference(&gone).copied().collect();
    let mut after = options.clone();
    after.locked_out = gone.iter().map(|&id| id.to_owned()).collect();
    let c = desk.compile(&after);
    let (found, rest_suffices) = keep_most(&desk, &c, &remaining);
    let mut answer = Repair {
        status: found.status,
        remaining: remaining.iter().map(|&id| id.to_owned()).collect(),
        rest_suffices,
        before_cents: None,
        plans: Vec::new(),
        infeasibility: None,
    };
    if let Some(first) = found.proposal {
        answer.before_cents = before(&desk, &team);
        let cheapest = request.cheapest.then(|| settle(&c, &desk.backend, &Charge::default()));
        let cheapest = cheapest.and_then(proven).map(|draft| told(&c, &desk.backend, *draft, None));
        let objective = |proposal: &Proposal| proposal.costs.objective_cents;
        let least = cheapest.as_ref().map(objective);
        let other = cheapest.filter(|other| objective(other) < objective(&first));
        let plan = |kind| {
            let (team, remaining, before) = (&team, &remaining, answer.before_cents);
            move |proposal| describe(team, remaining, before, least, kind, proposal)
        };
        let plans = [plan(RepairKind::KeepsMost)(first)].into_iter().chain(other.map(plan(RepairKind::Cheapest)));
        answer.plans = plans.collect();
    } else if found.status == Status::Infeasible {
        desk.backend.control.enter(Stage::Diagnosis);
        answer.infeasibility = Some(Box::new(infeasible::explain(&c, &desk.backend)));
    }
    answer
}

/// A plan with who stays, leaves and joins, and what it costs more than the team before and than the cheapest repair.
fn describe(
    team: &BTreeSet<&str>,
    remaining: &BTreeSet<&str>,
    before: Option<Cents>,
    least: Option<Cents>,
    kind: RepairKind,
    mut proposal: Proposal,
) -> RepairPlan {
    let members: BTreeSet<&str> = proposal.members.iter().map(|member| member.actor.as_str()).collect();
    let ids = |some: Vec<&&str>| some.into_iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let staying = ids(remaining.intersection(&members).collect());
    let leaving = ids(remaining.difference(&members).collect());
    let joining = ids(members.difference(team).collect());
    let objective = proposal.costs.objective_cents;
    proposal.regret_cents = least.map_or(0, |least| (objective - least).max(0));
    let extra_cents = before.map(|before| objective - before);
    RepairPlan { kind, staying, leaving, joining, extra_cents, proposal: Box::new(proposal) }
}

/// What is wrong with the settings.
pub(crate) fn faults(instance: &Instance, options: &Options, request: &RepairRequest) -> Vec<Fault> {
    let mut faults: Vec<Fault> = at_least_one("team", &request.team).into_iter().collect();
    let mut seen = BTreeSet::new();
    for (i, id) in request.team.iter().enumerate() {
        // Unlike in other questions, a member may be locked out: it then counts as departed.
        if !instance.actors.contains_key(id) {
            faults.push(Fault { path: format!("/team/{i}"), message: format!("unknown actor {id:?}") });
        } else if !seen.insert(id) {
            faults.push(Fault { path: format!("/team/{i}"), message: format!("{id:?} stands twice") });
        }
    }
    for (i, id) in request.departed.iter().enumerate() {
        let message = if instance.actors.contains_key(id) && !request.team.contains(id) {
            format!("{id:?} is not in the team")
        } else if options.locked_in.contains(id) {
            format!("{id:?} is locked in by the options")
        } else {
            continue;
        };
        faults.push(Fault { path: format!("/departed/{i}"), message });
    }
    name_faults(instance, options, &[("departed", &request.departed)], faults)
}

/// Objective of the team before, whatever the options lock.
fn before(desk: &Desk<'_>, team: &BTreeSet<&str>) -> Option<Cents> {
    proven(desk.best(&desk.only(team))).map(|draft| draft.proposal.costs.objective_cents)
}

/// A first plan, or why there is none.
struct First {
    status: Status,
    proposal: Option<Proposal>,
}

impl First {
    fn new(c: &Compiled<'_>, backend: &Backend<'_>, best: Best) -> Self {
        let status = status(&best);
        let proposal = match best {
            Best::Found(draft) => Some(told(c, backend, *draft, None)),
            Best::Infeasible | Best::Unknown => None,
        };
        Self { status, proposal }
    }
}

/// The plan that keeps most members, then adds fewest, then costs least, and whether the rest suffices.
fn keep_most(desk: &Desk<'_>, c: &Compiled<'_>, remaining: &BTreeSet<&str>) -> (First, Option<bool>) {
    let mut rest = remaining.clone();
    rest.extend(c.options.locked_in.iter().map(String::as_str));
    if !rest.is_empty() {
        let only = desk.only(&rest);
        let small = desk.compile(&only);
        match settle(&small, &desk.backend, &Charge::default()) {
            Best::Infeasible => {}
            best => {
                let suffices = matches!(best, Best::Found(_)).then_some(true);
                return (First::new(&small, &desk.backend, best), suffices);
            }
        }
    }
    let stay: Vec<usize> = (0..c.candidates.len()).filter(|&i| remaining.contains(c.id(i))).collect();
    // Those who stay do not suffice, unless some of the rest kept them from it by being no candidates.
    let held = (0..c.candidates.len()).filter(|&i| rest.contains(c.id(i))).count();
    let mut best = keep_all(desk, c, &stay, usize::from(held == rest.len()));
    if matches!(best, Best::Infeasible) {
        for least in (0..=keepable(c, &desk.backend, &stay)).rev() {
            best = keeping(c, &desk.backend, &stay, least, least.max(1));
            if !matches!(best, Best::Infeasible) {
                break;
            }
        }
    }
    (First::new(c, &desk.backend, best), Some(false))
}

/// The consortium that keeps all of these and has the fewest others, at least `least`; then the least cost. A bound tells how many
/// must join at least, and who can be among them: of hundreds of candidates a few are left, and one small search is enough as a
/// rule.
fn keep_all(desk: &Desk<'_>, c: &Compiled<'_>, stay: &[usize], least: usize) -> Best {
    // The same candidates, with more of them locked in.
    let mut with = c.options.clone();
    with.locked_in.extend(
        stay.iter().map(|&i| c.id(i)).filter(|id| !c.options.locked_in.iter().any(|own| own == id)).map(str::to_owned),
    );
    let kept = desk.compile(&with);
    let held = kept.candidates.iter().filter(|candidate| candidate.locked_in).count();
    let joiners = match joiners(&kept, &desk.backend) {
        Ok(joiners) => joiners,
        Err(best) => return best,
    };
    let count = joiners.fewest().max(least);
    let within = |f: &mut Formulation| {
        joiners.enough(f);
        f.add((f.size * 1.0).leq(units((held + count) as u64)));
    };
    let first = settle(&kept, &desk.backend, &Charge::rows(&within).without(joiners.useless(count)));
    if matches!(first, Best::Infeasible) {
        return fewest(&kept, &desk.backend, held + count + 1, &|f| joiners.enough(f));
    }
    first
}

/// The consortium of the fewest members, at least `known`, then the least cost, that keeps so many of some candidates.
fn keeping(c: &Compiled<'_>, backend: &Backend<'_>, stay: &[usize], least: usize, known: usize) -> Best {
    fewest(c, backend, known, &|f: &mut Formulation| {
        let kept: good_lp::Expression = stay.iter().map(|&i| f.member[i]).sum();
        f.add(kept.geq(units(least as u64)));
    })
}

/// A bound, fewer than all, on how many of some candidates can be kept: with divisible quantities. Where a limit comes first, the
/// trivial one.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn keepable(c: &Compiled<'_>, backend: &Backend<'_>, stay: &[usize]) -> usize {
    let trivial = stay.len().saturating_sub(1);
    let mut f = Formulation::new(c, &Question::minimise(Objective::Any));
    f.objective = stay.iter().map(|&i| -1.0 * f.member[i]).sum();
    let solved = backend.open(&mut f, Objective::Any).and_then(|mut session| backend.run(&mut session, &f));
    match solved {
        Some(Outcome::Found(found)) if found.bound.is_finite() => {
            ((-found.bound + 1e-6).floor().max(0.0) as usize).min(trivial)
        }
        _ => trivial,
    }
}
