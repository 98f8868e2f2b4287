//! What can be asked about one call, and the entry point that answers it.

use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Status};
use crate::control::Observer;
use crate::diagnosis::{self, Diagnosis, DiagnosisQuery};
use crate::instance::Instance;
use crate::model::Options;
use crate::options::{self, OptionsError};
use crate::resilience::{self, Resilience, ResilienceRequest};
use crate::sharing::{self, Shares, SharesRequest};
use crate::solve::solve_with;
use crate::teams::audit::{self, CheckRequest, TeamCheck};
use crate::teams::partners::{self, Partners, PartnersRequest};
use crate::teams::repair::{self, Repair, RepairRequest};
use crate::teams::why_not::{self, WhyNot, WhyNotRequest};
use crate::territory::{self, TerritoryMap, TerritoryQuery};
use crate::variants::{Alternatives, AlternativesRequest, Front, FrontRequest, alternatives, front};
use crate::worth::{self, RulesAnswer, RulesQuery};

/// A question about a call. In JSON, an object with one member: its name says which question, its value has the settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Query {
    /// Who should answer together?
    Proposals(ProposalsQuery),
    /// What does each rule of the call cost?
    Rules(RulesQuery),
    /// Who would go well with these actors?
    Partners(PartnersRequest),
    /// Can these actors, all of them and nobody else, answer?
    Check(CheckRequest),
    /// Who replaces those who left?
    Repair(RepairRequest),
    /// How should the members share the margin, and will the group hold?
    Shares(SharesRequest),
    /// Why is this actor not in the best consortium?
    WhyNot(WhyNotRequest),
    /// Which other members would do almost as well?
    Alternatives(AlternativesRequest),
    /// What would more coverage, resilience or cohesion cost?
    Front(FrontRequest),
    /// What if a member is lost?
    Resilience(ResilienceRequest),
    /// Why can nobody answer?
    Diagnosis(DiagnosisQuery),
    /// Supply against need, place by place.
    Territory(TerritoryQuery),
}

/// Asks for the best consortia; how many is an [option](Options::proposals).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProposalsQuery {}

impl Query {
    /// The actors that it names, by id.
    #[must_use]
    pub fn actors(&self) -> &[String] {
        match self {
            Self::Partners(own) => &own.team,
            Self::Check(own) => &own.team,
            Self::Repair(own) => &own.team,
            Self::Shares(own) => &own.team,
            Self::Resilience(own) => &own.team,
            Self::WhyNot(own) => std::slice::from_ref(&own.actor),
            Self::Proposals(_)
            | Self::Rules(_)
            | Self::Alternatives(_)
            | Self::Front(_)
            | Self::Diagnosis(_)
            | Self::Territory(_) => &[],
        }
    }
}

impl Default for Query {
    fn default() -> Self {
        Self::Proposals(ProposalsQuery {})
    }
}

/// The answer to a [`Query`], of the same kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // One per computation: its size is nothing beside what its lists hold.
pub enum Reply {
    /// The best consortia, or why there is none.
    Proposals(Answer),
    /// What each rule costs.
    Rules(RulesAnswer),
    /// Partners of a team, best first.
    Partners(Partners),
    /// What a hand-made team is worth, or what it breaks.
    Check(TeamCheck),
    /// How to mend a team.
    Repair(Repair),
    /// Divisions of the margin, and whether they hold.
    Shares(Shares),
    /// Why an actor is not in, and what would have to change.
    WhyNot(Box<WhyNot>),
    /// The best consortium and others.
    Alternatives(Alternatives),
    /// The trade-offs.
    Front(Front),
    /// What each loss would leave.
    Resilience(Resilience),
    /// What is in the way of an answer.
    Diagnosis(Diagnosis),
    /// Supply against need.
    Territory(TerritoryMap),
}

impl Reply {
    /// What was achieved, where the question has such a thing.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        match self {
            Self::Proposals(answer) => Some(answer.status),
            Self::Rules(answer) => Some(answer.status),
            Self::Partners(answer) => Some(answer.status),
            Self::Check(answer) => Some(answer.status),
            Self::Repair(answer) => Some(answer.status),
            Self::Shares(answer) => Some(answer.status),
            Self::WhyNot(answer) => Some(answer.status),
            Self::Alternatives(answer) => Some(answer.status),
            Self::Front(answer) => Some(answer.status),
            Self::Resilience(answer) => Some(answer.status),
            Self::Diagnosis(_) | Self::Territory(_) => None,
        }
    }
}

/// Checks options and a question against an instance, without answering.
///
/// # Errors
/// As [`ask`]. Paths of faults point into the options, or below `/question` into the settings of the question.
pub fn validate(instance: &Instance, options: &Options, query: &Query) -> Result<(), OptionsError> {
    options::validate(instance, options)?;
    let (name, faults) = match query {
        Query::Proposals(ProposalsQuery {}) => ("proposals", Vec::new()),
        Query::Rules(RulesQuery {}) => ("rules", Vec::new()),
        Query::Partners(own) => ("partners", partners::faults(instance, options, own)),
        Query::Check(own) => ("check", audit::faults(instance, options, own)),
        Query::Repair(own) => ("repair", repair::faults(instance, options, own)),
        Query::Shares(own) => ("shares", sharing::faults(instance, options, own)),
        Query::WhyNot(own) => ("why_not", why_not::faults(instance, own)),
        Query::Alternatives(own) => ("alternatives", alternatives::faults(own)),
        Query::Front(own) => ("front", front::faults(own)),
        Query::Resilience(own) => ("resilience", resilience::faults(instance, own)),
        Query::Diagnosis(own) => ("diagnosis", diagnosis::faults(own)),
        Query::Territory(own) => ("territory", territory::request::faults(instance, own)),
    };
    OptionsError::below(&format!("/question/{name}"), faults)
}

/// Answers a question about a call.
///
/// # Errors
/// Options or settings of the question that are out of range, or that name unknown actors; all of them.
pub fn ask(
    instance: &Instance,
    options: &Options,
    query: &Query,
    observer: &dyn Observer,
) -> Result<Reply, OptionsError> {
    validate(instance, options, query)?;
    Ok(match query {
        Query::Proposals(ProposalsQuery {}) => Reply::Proposals(solve_with(instance, options, observer)?),
        Query::Rules(RulesQuery {}) => Reply::Rules(worth::answer(instance, options, observer)),
        Query::Partners(own) => Reply::Partners(partners::partners(instance, options, own, observer)),
        Query::Check(own) => Reply::Check(audit::check(instance, options, own, observer)),
        Query::Repair(own) => Reply::Repair(repair::repair(instance, options, own, observer)),
        Query::Shares(own) => Reply::Shares(sharing::shares(instance, options, own, observer)),
        Query::WhyNot(own) => {
            let answer = why_not::why_not(instance, options, own, observer);
            Reply::WhyNot(Box::new(answer.ok_or_else(|| OptionsError { faults: why_not::faults(instance, own) })?))
        }
        Query::Alternatives(own) => Reply::Alternatives(alternatives::ask(instance, options, own, observer)),
        Query::Front(own) => Reply::Front(front::ask(instance, options, own, observer)),
        Query::Resilience(own) => Reply::Resilience(resilience::ask(instance, options, own, observer)),
        Query::Diagnosis(own) => Reply::Diagnosis(diagnosis::diagnose(instance, options, own, observer)),
        Query::Territory(own) => Reply::Territory(territory::survey(instance, options, own, observer)),
    })
}
