//! Who would go well with an actor or a team.

mod rank;
mod unsuited;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Charge, Desk, at_least_one, name_faults, set, settle, status, told_among};
use crate::answer::{Infeasibility, Proposal, Refusal, Status};
use crate::compile::Compiled;
use crate::control::{Observer, Stage};
use crate::explain::gaps::Gaps;
use crate::infeasible;
use crate::instance::{Fault, Instance};
use crate::model::{Options, Quantity};
use crate::propose::{Best, Draft};
use rank::{Estimate, Ranking};

/// Who would go well with these actors?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default, rename_all = "snake_case")]
pub struct PartnersRequest {
    /// The actors that want to answer, one or more. Those locked in by the options belong to them as well.
    pub team: Vec<String>,
    /// How many partners are told, and as many of those who cannot help. 1 to 200.
    pub limit: u32,
    /// For how many of the first partners the gain is exact, each with its proposal. At most `limit`. Each takes one search, about as
    /// long as that for a proposal.
    pub exact: u32,
}

impl Default for PartnersRequest {
    fn default() -> Self {
        Self { team: Vec::new(), limit: 20, exact: 5 }
    }
}

/// Partners for a team, best first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Partners {
    /// What was achieved for `best`: `infeasible` means that no consortium with the team can answer.
    pub status: Status,
    /// The best consortium with the team, whoever else is in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<Box<Proposal>>,
    /// Best first: those with an exact gain, then the others by their estimate.
    pub partners: Vec<Partner>,
    /// Actors that cannot help, with the reason; the nearest first.
    pub unsuited: Vec<Unsuited>,
    /// Actors beside the team that stand in neither list, because the lists are full.
    pub left_out: u32,
    /// Whether a limit came before all that was asked.
    pub cut_short: bool,
    /// Why no consortium with the team can answer. Present exactly when the status is `infeasible`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub infeasibility: Option<Box<Infeasibility>>,
}

/// A partner of a team.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Partner {
    /// The actor.
    pub actor: String,
    /// Its label.
    pub name: String,
    /// Whether it is in `best`.
    pub in_best: bool,
    /// By how much the best consortium with team and partner is cheaper (objective) than the best with the team and without the
    /// partner, by their linear relaxations; negative where the partner makes it dearer. Absent where even the relaxation has no
    /// answer without the partner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate_cents: Option<i64>,
    /// No consortium with team and partner has a lower objective.
    pub bound_cents: i64,
    /// The exact gain, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gain: Option<Gain>,
    /// What it would do, by need: in the proposal, or else in the relaxation.
    pub brings: Vec<Brings>,
    /// The best consortium with team and partner; its `regret_cents` is against `best`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Box<Proposal>>,
}

/// What a partner is worth to a team, exactly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Gain {
    /// Proven: the team cannot answer without the partner.
    Indispensable,
    /// The objective without the partner less the objective with it; negative where the partner makes it dearer.
    Saves {
        /// The difference.
        cents: i64,
        /// Whether both are proven optimal within the gap asked for.
        proven: bool,
    },
}

/// A quantity that a partner would deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Brings {
    /// For this need.
    pub need: String,
    /// So much, over the contract.
    pub quantity: u64,
    /// Unit of the need.
    pub unit: String,
}

/// An actor that cannot help a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Unsuited {
    /// The actor.
    pub actor: String,
    /// Its label.
    pub name: String,
    /// Why not.
    pub reason: WhyUnsuited,
}

/// Why an actor cannot help a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WhyUnsuited {
    /// It can serve none of the needs.
    Refused {
        /// The need to which it comes nearest.
        need: String,
        /// What it lacks there.
        lacks: Refusal,
    },
    /// It will not work with members of the team.
    Incompatible {
        /// Those members.
        with: Vec<String>,
    },
    /// Proven: no consortium with the team and it keeps the rules.
    Excluded,
    /// The team alone can deliver all that it could, and it saves nothing.
    AlreadyCovered,
}

/// What is wrong with the settings.
pub(crate) fn faults(instance: &Instance, options: &Options, request: &PartnersRequest) -> Vec<Fault> {
    let mut faults: Vec<Fault> = at_least_one("team", &request.team).into_iter().collect();
    let mut fault = |path: &str, message: &str| faults.push(Fault { path: path.into(), message: message.into() });
    if !(1..=200).contains(&request.limit) {
        fault("/limit", "must be from 1 to 200");
    }
    if request.exact > request.limit {
        fault("/exact", "must be at most limit");
    }
    name_faults(instance, options, &[("team", &request.team)], faults)
}

/// Answers a [`PartnersRequest`]. One search for the best with the team, one or two linear programs per candidate that may be among
/// the first, one search per exact gain.
pub(crate) fn partners(
    instance: &Instance,
    options: &Options,
    request: &PartnersRequest,
    observer: &dyn Observer,
) -> Partners {
    let desk = Desk::new(instance, options, observer);
    let mut team = set(&request.team);
    team.extend(options.locked_in.iter().map(String::as_str));
    let with = desk.with(&team);
    let c = desk.compile(&with);
    let found = settle(&c, &desk.backend, &Charge::default());
    let mut answer = Partners {
        status: status(&found),
        best: None,
        partners: Vec::new(),
        unsuited: Vec::new(),
        left_out: 0,
        cut_short: false,
        infeasibility: None,
    };
    match found {
        Best::Found(best) => {
            Search { desk: &desk, c: &c, team: &team, request, best: *best, gaps: Gaps::default() }.fill(&mut answer);
        }
        Best::Infeasible => {
            desk.backend.control.enter(Stage::Diagnosis);
            answer.infeasibility = Some(Box::new(infeasible::explain(&c, &desk.backend)));
        }
        Best::Unknown => answer.cut_short = true,
    }
    answer
}

/// A search for partners where the team can answer.
struct Search<'s, 'a> {
    desk: &'s Desk<'a>,
    /// With the team locked in.
    c: &'s Compiled<'s>,
    team: &'s BTreeSet<&'s str>,
    request: &'s PartnersRequest,
    best: Draft,
    gaps: Gaps,
}

impl Search<'_, '_> {
    fn fill(mut self, answer: &mut Partners) {
        let (c, limit) = (self.c, self.request.limit as usize);
        let members: BTreeSet<usize> = (0..c.candidates.len()).filter(|&i| self.team.contains(c.id(i))).collect();
        let vetoed = unsuited::vetoed(c, &members);
        let ranking = rank::rank(c, &self.desk.backend, &members, &vetoed, &self.best.members, limit);
        let Some(Ranking { first, excluded, covered, cut_short }) = ranking else {
            answer.cut_short = true;
            answer.best = Some(Box::new(told_among(c, &self.desk.backend, &mut self.gaps, self.best, None)));
            return;
        };
        answer.cut_short = cut_short;
        for (place, estimate) in first.into_iter().enumerate() {
            let exact = place < self.request.exact as usize;
            match self.partner(&estimate, exact) {
                Some(partner) => {
                    answer.cut_short |= exact && partner.gain.is_none();
                    answer.partners.push(partner);
                }
                None => answer.unsuited.push(self.unsuited(estimate.candidate, WhyUnsuited::Excluded)),
            }
        }
        // Exact gains first, by gain; stable, so that the others keep their order.
        answer.partners.sort_by_key(|partner| match &partner.gain {
            Some(Gain::Indispensable) => (0, 0),
            Some(Gain::Saves { cents, .. }) => (1, cents.saturating_neg()),
            None => (2, 0),
        });
        for (candidate, with) in vetoed {
            let with = with.into_iter().map(|i| c.id(i).to_owned()).collect();
            answer.unsuited.push(self.unsuited(candidate, WhyUnsuited::Incompatible { with }));
        }
        answer.unsuited.extend(excluded.into_iter().map(|i| self.unsuited(i, WhyUnsuited::Excluded)));
        answer.unsuited.extend(covered.into_iter().map(|i| self.unsuited(i, WhyUnsuited::AlreadyCovered)));
        answer.unsuited.extend(unsuited::refused(c));
        answer.unsuited.truncate(limit);
        let told_of = answer.partners.len() + answer.unsuited.len() + self.team.len();
        let actors = self.desk.instance.problem().actors.len();
        answer.left_out = u32::try_from(actors.saturating_sub(told_of)).unwrap_or(u32::MAX);
        answer.best = Some(Box::new(told_among(c, &self.desk.backend, &mut self.gaps, self.best, None)));
    }

    fn unsuited(&self, candidate: usize, reason: WhyUnsuited) -> Unsuited {
        let actor = self.c.id(candidate).to_owned();
        Unsuited { name: self.desk.name(&actor), actor, reason }
    }

    /// A partner with its exact gain if asked for; nothing where no consortium with the team and it exists.
    fn partner(&mut self, estimate: &Estimate, exact: bool) -> Option<Partner> {
        let c = self.c;
        let i = estimate.candidate;
        let in_best = self.best.members.contains(&i);
        let mut partner = Partner {
            actor: c.id(i).to_owned(),
            name: self.desk.name(c.id(i)),
            in_best,
            estimate_cents: estimate.gain_cents,
            bound_cents: estimate.bound_cents,
            gain: None,
            brings: brings(c, &estimate.work),
            proposal: None,
        };
        if !exact {
            return Some(partner);
        }
        let (with, without) = if in_best {
            (Best::Found(Box::new(self.best.clone())), self.presence(i, false))
        } else {
            (self.presence(i, true), Best::Found(Box::new(self.best.clone())))
        };
        let objective = |draft: &Draft| (draft.proposal.costs.objective_cents, draft.proposal.proof.optimal);
        let with = match with {
            Best::Found(draft) => draft,
            Best::Infeasible => return None,
            Best::Unknown => return Some(partner),
        };
        partner.gain = match without {
            Best::Infeasible => Some(Gain::Indispensable),
            Best::Unknown => None,
            Best::Found(without) => {
                let ((out, out_proven), (within, in_proven)) = (objective(&without), objective(&with));
                Some(Gain::Saves { cents: out - within, proven: out_proven && in_proven })
            }
        };
        let mut work: BTreeMap<usize, Quantity> = BTreeMap::new();
        for e in c.candidates[i].offers.clone().flat_map(|o| c.offers[o].edges.clone()) {
            *work.entry(c.cells[c.edges[e].cell].need).or_default() += with.quantity[e];
        }
        partner.brings = brings(c, &work);
        partner.bound_cents = partner.bound_cents.max(with.proposal.proof.bound_cents);
        let best = self.best.proposal.costs.objective_cents;
        partner.proposal = Some(Box::new(told_among(c, &self.desk.backend, &mut self.gaps, *with, Some(best))));
        Some(partner)
    }

    /// The best consortium with the team and with, or without, a candidate.
    fn presence(&self, candidate: usize, present: bool) -> Best {
        if present {
            settle(&self.c.joined_by(candidate), &self.desk.backend, &Charge::default())
        } else {
            settle(self.c, &self.desk.backend, &Charge::default().without([candidate].into()))
        }
    }
}

fn brings(c: &Compiled<'_>, work: &BTreeMap<usize, Quantity>) -> Vec<Brings> {
    let some = work.iter().filter(|(_, quantity)| **quantity > 0);
    some.map(|(&n, &quantity)| {
        let need = c.needs[n].need;
        Brings { need: need.id.clone(), quantity, unit: need.unit.clone() }
    })
    .collect()
}
