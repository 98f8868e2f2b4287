//! What is left of a consortium when it loses a member, and what it costs that any loss can be made good.
//!
//! A loss is survived if the other members can deliver every mandatory need in full, in every place, after dealing the work out
//! anew. What counts then is who may do what, where and for whom, capacities and pools. The rules on money (budget, shares,
//! treasury), on the group (size, lead, legal families, conditions on the members together) and smallest quantities do not count:
//! they are conditions of the award, not of the delivery. Optional needs may be given up.

mod delivery;
mod strict;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::answer::{Proposal, Status};
use crate::assemble::percent;
use crate::backend::Backend;
use crate::compile::Compiled;
use crate::control::{Control, Observer, Stage};
use crate::explain;
use crate::formulate::{Objective, Question};
use crate::instance::{Fault, Instance};
use crate::model::{Cents, Options};
use crate::propose::{self, Best, Draft};
use crate::rules::RuleSet;
use crate::text;
use crate::variants::measure::Weights;
use delivery::{After, Bottleneck, Delivery};

/// What is asked about losses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ResilienceRequest {
    /// The members to look at, by id; the best consortium where empty.
    pub team: Vec<String>,
    /// Whether to look for the best consortium that survives any one loss, too.
    pub strict: bool,
}

impl Default for ResilienceRequest {
    fn default() -> Self {
        Self { team: Vec::new(), strict: true }
    }
}

/// What losses would leave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Resilience {
    /// What is known of the consortium looked at. Infeasible: nobody, or not this team, can answer; losses of a given team are
    /// told all the same.
    pub status: Status,
    /// The consortium looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Proposal>,
    /// Each member and what its loss would leave, in the order of their ids.
    pub losses: Vec<Loss>,
    /// Whether the consortium survives any one loss; absent where the limit came first or there is no consortium.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub survives: Option<bool>,
    /// Part of the mandatory needs that keeps capacity enough after any one loss, place by place, each unit at its weight (see
    /// [`Measure::Fragility`](crate::Measure::Fragility)). 100 is necessary to survive any loss, but not sufficient: capacity
    /// shared by several places counts in each.
    pub resilience_percent: f64,
    /// The rest of it, exactly, in cents of weight.
    pub fragility: i64,
    /// Places that only one of all actors can serve.
    pub single_suppliers: Vec<SingleSupplier>,
    /// Actors without whom all others together cannot deliver the mandatory needs. Where there is one, no consortium survives
    /// its loss.
    pub fatal_actors: Vec<FatalActor>,
    /// Whether every actor was looked at for that list.
    pub fatal_actors_complete: bool,
    /// The best consortium that survives any one loss, where it was asked for and somebody can answer at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<Strict>,
}

/// What the loss of a member leaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Loss {
    /// The member.
    pub actor: String,
    /// Whether the others can still deliver every mandatory need; absent where the limit came first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub survived: Option<bool>,
    /// Where they cannot, with the arithmetic that shows it.
    pub cuts: Vec<Cut>,
}

/// Needs that together ask for more than can reach them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cut {
    /// What is asked where.
    pub needs: Vec<CutNeed>,
    /// Sum of what is asked, in the units of the needs.
    pub asked: u64,
    /// The most that those who are left can deliver there.
    pub deliverable: u64,
    /// An English sentence.
    pub text: String,
}

/// A part of a need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CutNeed {
    /// The need.
    pub need: String,
    /// Where.
    pub territories: Vec<String>,
    /// What is asked there.
    pub quantity: u64,
}

/// Places of a need that only one of all actors can serve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SingleSupplier {
    /// The actor.
    pub actor: String,
    /// The need.
    pub need: String,
    /// Whether the need is mandatory.
    pub mandatory: bool,
    /// Where.
    pub territories: Vec<String>,
    /// What is asked there.
    pub quantity: u64,
}

/// An actor that all others together cannot make up for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FatalActor {
    /// The actor.
    pub actor: String,
    /// Where the others fall short.
    pub cuts: Vec<Cut>,
}

/// The best consortium that survives any one loss, or that there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Strict {
    /// Infeasible: proven, no consortium survives any one loss.
    pub status: Status,
    /// The consortium. Its bound is about those that survive any one loss.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Proposal>,
    /// What it costs more than the best consortium (objective).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_cents: Option<Cents>,
    /// No consortium that survives any one loss costs less more than the best one found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price_at_least_cents: Option<Cents>,
    /// Searches that it took.
    pub rounds: u32,
    /// Rows that the losses of rejected consortia gave.
    pub cuts: u32,
    /// Where none survives every loss: the one of which any one loss leaves most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub softest: Option<Softest>,
}

/// The consortium of which any one loss leaves most, then the cheapest of those.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Softest {
    /// The consortium, with the proof of both stages.
    pub proposal: Proposal,
    /// As in [`Resilience`].
    pub resilience_percent: f64,
    /// As in [`Resilience`].
    pub fragility: i64,
    /// What it costs more than the best consortium (objective).
    pub price_cents: Cents,
}

/// Answers [`crate::Query::Resilience`]. A small linear program per loss; for the strict consortium one search per round.
pub(crate) fn ask(
    instance: &Instance,
    options: &Options,
    request: &ResilienceRequest,
    observer: &dyn Observer,
) -> Resilience {
    let backend = Backend::new(options, Control::new(options, observer));
    let c = Compiled::new(instance, options, RuleSet::without(options.disabled_rules.iter().copied()));
    let free = Question::minimise(Objective::Euros);
    let best = (request.team.is_empty() || request.strict).then(|| propose::best(&c, &backend, &free));
    let (team, looked_at) = if request.team.is_empty() { (None, None) } else { given(&c, &backend, request) };
    let subject = looked_at.as_ref().or(best.as_ref());
    let (status, mut draft) = outcome(subject);
    let members = team.or_else(|| draft.as_ref().map(|draft| draft.members.clone()));
    let weights = Weights::new(&c);
    let fragility = weights.fragility(&c, members.as_ref().unwrap_or(&BTreeSet::new()));
    let losses = members.as_ref().map(|members| losses(&c, &backend, members)).unwrap_or_default();
    let (fatal_actors, fatal_actors_complete) = fatal_actors(&c, &backend);
    let strict = match best.as_ref().map(|best| outcome(Some(best)).1) {
        Some(Some(best)) if request.strict => Some(strict::search(&c, &backend, &best, !fatal_actors.is_empty())),
        _ => None,
    };
    if let Some(draft) = &mut draft {
        backend.control.enter(Stage::Explanation);
        explain::reasons(&c, &backend, std::slice::from_mut(draft));
    }
    Resilience {
        status,
        proposal: draft.map(|draft| draft.proposal),
        survives: members.and_then(|_| all_survived(&losses)),
        losses,
        resilience_percent: resilience_percent(&weights, fragility),
        fragility,
        single_suppliers: single_suppliers(&c),
        fatal_actors,
        fatal_actors_complete,
        strict,
    }
}

/// What is wrong with the settings.
pub(crate) fn faults(instance: &Instance, request: &ResilienceRequest) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for (i, id) in request.team.iter().enumerate() {
        let message = match (instance.actors.contains_key(id), seen.insert(id)) {
            (false, _) => format!("unknown actor {id:?}"),
            (true, false) => format!("{id:?} stands twice"),
            (true, true) => continue,
        };
        faults.push(Fault { path: format!("/team/{i}"), message });
    }
    faults
}

/// The candidates of a given team, and the best that exactly this team can do.
fn given(
    c: &Compiled<'_>,
    backend: &Backend<'_>,
    request: &ResilienceRequest,
) -> (Option<BTreeSet<usize>>, Option<Best>) {
    let actors = request.team.iter().filter_map(|id| c.instance.actors.get(id).copied());
    let members: BTreeSet<usize> = actors.filter_map(|actor| c.candidate_of(actor)).collect();
    // Somebody who offers nothing that is asked cannot be a member.
    let best = if members.len() < request.team.len() {
        Best::Infeasible
    } else {
        let question = Question { members: Some(members.clone()), ..Question::minimise(Objective::Euros) };
        propose::best(c, backend, &question)
    };
    (Some(members), Some(best))
}

fn outcome(best: Option<&Best>) -> (Status, Option<Draft>) {
    match best {
        Some(Best::Found(draft)) if draft.proposal.proof.optimal => (Status::Optimal, Some((**draft).clone())),
        Some(Best::Found(draft)) => (Status::Feasible, Some((**draft).clone())),
        Some(Best::Infeasible) => (Status::Infeasible, None),
        Some(Best::Unknown) | None => (Status::Unknown, None),
    }
}

/// The loss of each member.
fn losses(c: &Compiled<'_>, backend: &Backend<'_>, members: &BTreeSet<usize>) -> Vec<Loss> {
    let mut delivery = Delivery::open(c, backend, members);
    let mut loss = |&i: &usize| {
        let after = delivery.as_mut().and_then(|delivery| delivery.without(Some(i)));
        let (survived, cuts) = match after {
            Some(After::Whole(_)) => (Some(true), Vec::new()),
            Some(After::Short(cuts)) => (Some(false), cuts),
            None => (None, Vec::new()),
        };
        let cuts = cuts.iter().map(|cut| told(c, i, "the other members", cut)).collect();
        Loss { actor: c.id(i).to_owned(), survived, cuts }
    };
    members.iter().map(&mut loss).collect()
}

fn all_survived(losses: &[Loss]) -> Option<bool> {
    if losses.iter().any(|loss| loss.survived == Some(false)) {
        return Some(false);
    }
    losses.iter().all(|loss| loss.survived.is_some()).then_some(true)
}

/// Actors that all others cannot make up for, and whether all were looked at. Whoever does nothing in one way to deliver
/// everything is not among them, which settles most.
fn fatal_actors(c: &Compiled<'_>, backend: &Backend<'_>) -> (Vec<FatalActor>, bool) {
    let everybody: BTreeSet<usize> = (0..c.candidates.len()).collect();
    let mut delivery = Delivery::open(c, backend, &everybody);
    let mut without = |lost| delivery.as_mut().and_then(|delivery| delivery.without(lost));
    let mut suspects = match without(None) {
        Some(After::Whole(busy)) => busy,
        // Even together they cannot: nobody in particular is the reason.
        Some(After::Short(_)) => return (Vec::new(), true),
        None => return (Vec::new(), everybody.is_empty()),
    };
    let mut fatal = Vec::new();
    while let Some(i) = suspects.pop_first() {
        match without(Some(i)) {
            Some(After::Whole(busy)) => suspects.retain(|other| busy.contains(other)),
            Some(After::Short(cuts)) => fatal.push(FatalActor {
                actor: c.id(i).to_owned(),
                cuts: cuts.iter().map(|cut| told(c, i, "all other actors", cut)).collect(),
            }),
            None => return (fatal, false),
        }
    }
    (fatal, true)
}

fn resilience_percent(weights: &Weights, fragility: Cents) -> f64 {
    let whole = i128::from(weights.mandatory_asked);
    percent(whole - i128::from(fragility), whole)
}

fn single_suppliers(c: &Compiled<'_>) -> Vec<SingleSupplier> {
    let only = |cell: &crate::compile::Cell| {
        let suppliers = c.suppliers(cell);
        let actor = suppliers.first().filter(|_| suppliers.len() == 1)?;
        Some(SingleSupplier {
            actor: c.id(*actor).to_owned(),
            need: c.needs[cell.need].need.id.clone(),
            mandatory: c.mandatory(cell),
            territories: cell.places.iter().map(|&(t, _)| c.problem().territories[t].id.clone()).collect(),
            quantity: cell.demand,
        })
    };
    c.cells.iter().filter_map(only).collect()
}

/// A bottleneck as it is answered.
fn told(c: &Compiled<'_>, lost: usize, others: &str, cut: &Bottleneck) -> Cut {
    let narrow = |units: u128| u64::try_from(units).unwrap_or(u64::MAX);
    let mut needs: Vec<CutNeed> = Vec::new();
    let mut parts: Vec<String> = Vec::new();
    let concerned: BTreeSet<usize> = cut.cells.iter().map(|&j| c.cells[j].need).collect();
    for need in concerned {
        let cells = || cut.cells.iter().map(|&j| &c.cells[j]).filter(|cell| cell.need == need);
        let places: BTreeSet<usize> = cells().flat_map(|cell| cell.places.iter().map(|&(place, _)| place)).collect();
        let quantity = cells().map(|cell| cell.demand).sum();
        let unit = &c.needs[need].need.unit;
        let (amount, where_) = (text::amount(quantity, unit), c.place_names(need, &places));
        parts.push(format!("{amount} of {} in {where_}", c.need_name(need)));
        needs.push(CutNeed {
            need: c.needs[need].need.id.clone(),
            territories: places.iter().map(|&place| c.problem().territories[place].id.clone()).collect(),
            quantity,
        });
    }
    let name = c.instance.actor_name(c.candidates[lost].actor);
    let text = match (cut.deliverable, parts.as_slice()) {
        (0, parts) => format!("Without {name}, {others} can deliver nothing of the {}.", text::list(parts)),
        (most, [one]) => format!("Without {name}, {others} can deliver {} of the {one}.", text::number(most)),
        (most, parts) => {
            let (most, asked) = (text::number(most), text::number(cut.asked));
            format!("Without {name}, {others} can deliver {most} of {asked} units: {}.", text::list(parts))
        }
    };
    Cut { needs, asked: narrow(cut.asked), deliverable: narrow(cut.deliverable), text }
}
