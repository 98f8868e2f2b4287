//! Consortia of other members that are almost as good as the best one, or the proof that there is none.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::lexicographic::proof;
use super::master::{Best, Master, Sought};
use super::measure::Measure;
use crate::answer::{Proposal, Status};
use crate::backend::Backend;
use crate::compile::Compiled;
use crate::control::{Control, Observer, Stage};
use crate::explain;
use crate::instance::{Fault, Instance};
use crate::model::{Cents, Options, Quantity};
use crate::propose::Draft;
use crate::rules::RuleSet;

/// Which other consortia are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct AlternativesRequest {
    /// How many beside the best one, 1 to 20.
    pub count: u32,
    /// Each replaces at least so many members of every earlier one, the best one included; all of them where that has fewer. At
    /// least 1.
    pub minimum_replaced: u32,
    /// How much more than the best one they may cost (objective), in percent of it, 0 to 100. 5 where neither tolerance is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance_percent: Option<u8>,
    /// The same in cents. Only one of the two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance_cents: Option<Cents>,
    /// What comes first among those within the tolerance.
    pub diversity: Diversity,
}

impl Default for AlternativesRequest {
    fn default() -> Self {
        Self {
            count: 3,
            minimum_replaced: 1,
            tolerance_percent: None,
            tolerance_cents: None,
            diversity: Diversity::Cost,
        }
    }
}

/// Tolerance where none is given.
const TOLERANCE_PERCENT: u8 = 5;

/// What comes first among the alternatives within the tolerance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Diversity {
    /// The cheapest.
    #[default]
    Cost,
    /// The one that has fewest members in common with all earlier ones together; of several, the cheapest.
    Maximum,
}

/// The best consortium and others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Alternatives {
    /// What is known of the best one. Infeasible: nobody can answer, hence no alternative either.
    pub status: Status,
    /// What the alternatives are compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<Proposal>,
    /// The most that an alternative may cost (objective).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit_cents: Option<Cents>,
    /// In the order in which they were found.
    pub alternatives: Vec<Alternative>,
    /// Why the list ends. Absent without a best consortium.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
}

/// Another consortium.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Alternative {
    /// The consortium. Its proof is about those that differ enough from all earlier ones; where the most diverse is asked for,
    /// about those that differ as much as this one.
    pub proposal: Proposal,
    /// What it costs more than the best one (objective).
    pub regret_cents: Cents,
    /// Who of the best one is not in it, with those who take its work over.
    pub replaced: Vec<Replacement>,
    /// Who is in it but not in the best one.
    pub newcomers: Vec<String>,
    /// Fewest members of an earlier consortium that it replaces.
    pub fewest_replaced: u32,
    /// Whether no other consortium has fewer members in common with all earlier ones together (proven); absent where cost
    /// comes first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_diverse: Option<bool>,
}

/// A member of the best consortium that an alternative does without.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Replacement {
    /// The member of the best one.
    pub actor: String,
    /// Those who do more than in the best one where it worked, most first. Empty where nobody does.
    pub by: Vec<String>,
}

/// Why a list of alternatives ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum End {
    /// As many as asked for were found; there may be more.
    Count,
    /// Proven: every other consortium that differs enough costs at least `bound_cents`, which is beyond the tolerance.
    BeyondTolerance {
        /// No further alternative costs less.
        bound_cents: Cents,
        /// What the cheapest one found beyond the tolerance costs more than the best, where one was looked for and found.
        #[serde(skip_serializing_if = "Option::is_none")]
        nearest_regret_cents: Option<Cents>,
    },
    /// Proven: no other consortium differs enough, at any cost.
    NoOther,
    /// The limit of the computation came first.
    Limit,
}

/// Answers [`crate::Query::Alternatives`]. One search per alternative and one for the proof that there is no further one; twice as
/// many where the most diverse are asked for.
///
/// Differing sets by rows over the earlier ones: Balas and Jeroslow, *Canonical cuts on the unit hypercube*, 1972. Most diverse
/// sets one after the other: Danna and Woodruff, *How to select a small set of diverse solutions to mixed integer programming
/// problems*, 2009.
pub(crate) fn ask(
    instance: &Instance,
    options: &Options,
    request: &AlternativesRequest,
    observer: &dyn Observer,
) -> Alternatives {
    let backend = Backend::new(options, Control::new(options, observer));
    let c = Compiled::new(instance, options, RuleSet::without(options.disabled_rules.iter().copied()));
    let mut answer =
        Alternatives { status: Status::Unknown, best: None, limit_cents: None, alternatives: Vec::new(), end: None };
    let Some(mut master) = Master::open(&c, &backend, &[]) else {
        answer.status = if c.candidates.is_empty() { Status::Infeasible } else { Status::Unknown };
        return answer;
    };
    let best = match master.best(Measure::Euros) {
        Sought::Found(best) => *best,
        Sought::Infeasible => return Alternatives { status: Status::Infeasible, ..answer },
        Sought::Unknown => return answer,
    };
    answer.status = if best.optimal { Status::Optimal } else { Status::Feasible };
    let limit = best.value.saturating_add(tolerance(request, best.value));
    answer.limit_cents = Some(limit);
    let (found, end) = collect(&mut master, request, proven(best), limit);
    answer.end = Some(end);
    let (mut drafts, diverse): (Vec<Draft>, Vec<Option<bool>>) = found.into_iter().unzip();
    backend.control.enter(Stage::Explanation);
    explain::reasons(&c, &backend, &mut drafts);
    let sets: Vec<BTreeSet<usize>> = drafts.iter().map(|draft| draft.members.clone()).collect();
    let mut proposals = drafts.into_iter().map(|draft| draft.proposal);
    let Some(best) = proposals.next() else { return answer };
    for (i, (mut proposal, most_diverse)) in proposals.zip(diverse.into_iter().skip(1)).enumerate() {
        let regret_cents = proposal.costs.objective_cents - best.costs.objective_cents;
        proposal.rank = u32::try_from(i + 2).unwrap_or(u32::MAX);
        proposal.regret_cents = regret_cents;
        let own = &sets[i + 1];
        let fewest = sets[..=i].iter().map(|earlier| earlier.difference(own).count()).min().unwrap_or(0);
        let name = |&i: &usize| c.id(i).to_owned();
        answer.alternatives.push(Alternative {
            replaced: sets[0].difference(own).map(|&i| replacement(c.id(i), &best, &proposal)).collect(),
            newcomers: own.difference(&sets[0]).map(name).collect(),
            regret_cents,
            fewest_replaced: u32::try_from(fewest).unwrap_or(u32::MAX),
            most_diverse,
            proposal,
        });
    }
    answer.best = Some(best);
    answer
}

/// What is wrong with the settings.
pub(crate) fn faults(request: &AlternativesRequest) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |path: &str, message: &str| faults.push(Fault { path: path.into(), message: message.into() });
    if !(1..=20).contains(&request.count) {
        fault("/count", "must be from 1 to 20");
    }
    if request.minimum_replaced == 0 {
        fault("/minimum_replaced", "must be at least 1");
    }
    if request.tolerance_percent.is_some_and(|percent| percent > 100) {
        fault("/tolerance_percent", "must be at most 100");
    }
    if request.tolerance_cents.is_some_and(|cents| cents < 0) {
        fault("/tolerance_cents", "must not be negative");
    }
    if request.tolerance_percent.is_some() && request.tolerance_cents.is_some() {
        fault("/tolerance_cents", "give either tolerance_percent or tolerance_cents");
    }
    faults
}

/// How much more than the best an alternative may cost, rounded down.
fn tolerance(request: &AlternativesRequest, best: Cents) -> Cents {
    request.tolerance_cents.unwrap_or_else(|| {
        let percent = request.tolerance_percent.unwrap_or(TOLERANCE_PERCENT);
        Cents::try_from(i128::from(best) * i128::from(percent) / 100).unwrap_or(Cents::MAX)
    })
}

/// The draft of a search about the objective, with its proof.
fn proven(mut best: Best) -> Draft {
    best.draft.proposal.proof = proof(&best.draft, best.optimal, best.value, best.bound);
    best.draft
}

/// The best draft and the alternatives, each with whether it is proven most diverse, and why there are no more.
fn collect(
    master: &mut Master<'_, '_, '_>,
    request: &AlternativesRequest,
    best: Draft,
    limit: Cents,
) -> (Vec<(Draft, Option<bool>)>, End) {
    let mut drafts = vec![(best, None)];
    while let Some((last, _)) = drafts.last() {
        if drafts.len() > request.count as usize {
            break;
        }
        let kept = last.members.len().saturating_sub(request.minimum_replaced as usize);
        if master.at_most(kept, &last.members.clone()).is_none() {
            return (drafts, End::Limit);
        }
        let next = match request.diversity {
            Diversity::Cost => cheapest(master, &drafts[0].0, limit).map(|best| (proven(best), None)),
            Diversity::Maximum => most_diverse(master, &drafts, limit),
        };
        match next {
            Ok(next) => drafts.push(next),
            Err(end) => return (drafts, end),
        }
    }
    (drafts, End::Count)
}

/// The cheapest of those left, if it is within the limit. The search knows no limit at first, so that what lies beyond it is told.
fn cheapest(master: &mut Master<'_, '_, '_>, first: &Draft, limit: Cents) -> Result<Best, End> {
    let beyond = match master.best(Measure::Euros) {
        Sought::Found(best) if best.value <= limit => return Ok(*best),
        Sought::Found(best) => best,
        Sought::Infeasible => return Err(End::NoOther),
        Sought::Unknown => return Err(End::Limit),
    };
    let nearest_regret_cents = Some(beyond.value - first.proposal.costs.objective_cents);
    if beyond.bound > limit {
        return Err(End::BeyondTolerance { bound_cents: beyond.bound, nearest_regret_cents });
    }
    // Within the gap asked for, but on the other side of the limit: the limit itself decides.
    let within = master.limit(Measure::Euros, Some(limit)).map(|()| master.best(Measure::Euros));
    master.limit(Measure::Euros, None);
    match within {
        Some(Sought::Found(best)) => Ok(*best),
        Some(Sought::Infeasible) => Err(End::BeyondTolerance { bound_cents: limit + 1, nearest_regret_cents }),
        Some(Sought::Unknown) | None => Err(End::Limit),
    }
}

/// Of those left within the limit, the one that has fewest members in common with the earlier ones, then the cheapest.
fn most_diverse(
    master: &mut Master<'_, '_, '_>,
    earlier: &[(Draft, Option<bool>)],
    limit: Cents,
) -> Result<(Draft, Option<bool>), End> {
    let sets: Vec<BTreeSet<usize>> = earlier.iter().map(|(draft, _)| draft.members.clone()).collect();
    let limited = master.limit(Measure::Euros, Some(limit)).map(|()| master.least_shared(&sets));
    let diverse = match limited {
        Some(Sought::Found(best)) => *best,
        Some(Sought::Infeasible) => {
            return Err(End::BeyondTolerance { bound_cents: limit.saturating_add(1), nearest_regret_cents: None });
        }
        Some(Sought::Unknown) | None => return Err(End::Limit),
    };
    let mut shared: BTreeMap<usize, f64> = BTreeMap::new();
    for &i in sets.iter().flatten() {
        *shared.entry(i).or_default() += 1.0;
    }
    // Counts of members are small.
    #[allow(clippy::cast_precision_loss)]
    let most = diverse.value as f64;
    let row = master.members_row(&shared, f64::NEG_INFINITY, most);
    let cheapest = row.map(|_| master.best(Measure::Euros));
    if let Some(row) = row {
        master.change(row, f64::INFINITY);
    }
    let optimal = diverse.optimal;
    let draft = if let Some(Sought::Found(best)) = cheapest {
        proven(*best)
    } else {
        // Only the limits of the computation can have come in between: what was found stands, without a bound on its cost.
        let value = diverse.draft.proposal.costs.objective_cents;
        proven(Best { value, bound: 0, optimal: false, ..diverse })
    };
    Ok((draft, Some(optimal)))
}

/// Who does more where a member of the best consortium worked.
fn replacement(actor: &str, best: &Proposal, other: &Proposal) -> Replacement {
    let places: BTreeSet<(&str, &str)> =
        best.allocations.iter().filter(|work| work.actor == actor).map(|w| (&*w.need, &*w.territory)).collect();
    let work = |proposal: &'_ Proposal| {
        let mut done: BTreeMap<(String, String, String), Quantity> = BTreeMap::new();
        for w in proposal.allocations.iter().filter(|w| places.contains(&(&*w.need, &*w.territory))) {
            *done.entry((w.actor.clone(), w.need.clone(), w.territory.clone())).or_default() += w.quantity;
        }
        done
    };
    let before = work(best);
    let mut more: BTreeMap<String, Quantity> = BTreeMap::new();
    for (key, quantity) in work(other) {
        let gained = quantity.saturating_sub(before.get(&key).copied().unwrap_or(0));
        if gained > 0 {
            *more.entry(key.0).or_default() += gained;
        }
    }
    let mut by: Vec<(Quantity, String)> = more.into_iter().map(|(actor, gained)| (gained, actor)).collect();
    by.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    Replacement { actor: actor.to_owned(), by: by.into_iter().map(|(_, actor)| actor).collect() }
}
