//! What can be asked about one call, and the entry point that answers it.

use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::control::Observer;
use crate::instance::Instance;
use crate::model::Options;
use crate::options::OptionsError;
use crate::resilience::{self, Resilience, ResilienceRequest};
use crate::solve::solve_with;
use crate::variants::{Alternatives, AlternativesRequest, Front, FrontRequest, alternatives, front};

/// A question about a call. In JSON, `kind` says which; the other members are its settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Query {
    /// Who should answer together?
    #[default]
    Proposals,
    /// Which other members would do almost as well?
    Alternatives(AlternativesRequest),
    /// What would more coverage, resilience or cohesion cost?
    Front(FrontRequest),
    /// What if a member is lost?
    Resilience(ResilienceRequest),
}

/// The answer to a [`Query`], of the same kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
#[allow(clippy::large_enum_variant)] // One per computation: its size is nothing beside what its lists hold.
pub enum Reply {
    /// The best consortia, or why there is none.
    Proposals(Answer),
    /// The best consortium and others.
    Alternatives(Alternatives),
    /// The trade-offs.
    Front(Front),
    /// What each loss would leave.
    Resilience(Resilience),
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
        Query::Alternatives(request) => {
            alternatives::ask(instance, options, request, observer).map(Reply::Alternatives)
        }
        Query::Front(request) => front::ask(instance, options, request, observer).map(Reply::Front),
        Query::Resilience(request) => resilience::ask(instance, options, request, observer).map(Reply::Resilience),
    }
}
