//! What can be asked about one call, and the entry point that answers it.

use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::control::Observer;
use crate::instance::Instance;
use crate::model::Options;
use crate::options::OptionsError;
use crate::sharing::{self, Shares, SharesRequest};
use crate::solve::solve_with;
use crate::teams::audit::{self, CheckRequest, TeamCheck};
use crate::teams::partners::{self, Partners, PartnersRequest};
use crate::teams::repair::{self, Repair, RepairRequest};
use crate::teams::why_not::{self, WhyNot, WhyNotRequest};

/// A question about a call. In JSON, `kind` says which; the other members are its settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Query {
    /// Who should answer together?
    #[default]
    Proposals,
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
}

/// The answer to a [`Query`], of the same kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reply {
    /// The best consortia, or why there is none.
    Proposals(Answer),
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
    match query {
        Query::Proposals => solve_with(instance, options, observer).map(Reply::Proposals),
        Query::Partners(request) => partners::partners(instance, options, request, observer).map(Reply::Partners),
        Query::Check(request) => audit::check(instance, options, request, observer).map(Reply::Check),
        Query::Repair(request) => repair::repair(instance, options, request, observer).map(Reply::Repair),
        Query::Shares(request) => sharing::shares(instance, options, request, observer).map(Reply::Shares),
        Query::WhyNot(request) => {
            why_not::why_not(instance, options, request, observer).map(|answer| Reply::WhyNot(Box::new(answer)))
        }
    }
}
