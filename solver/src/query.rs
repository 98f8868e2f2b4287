//! What can be asked about one call, and the entry point that answers it.

use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::control::Observer;
use crate::instance::Instance;
use crate::model::Options;
use crate::options::{self, OptionsError};
use crate::solve::solve_with;

/// A question about a call. In JSON, an object with one member: its name says which question, its value has the settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Query {
    /// Who should answer together?
    Proposals(ProposalsQuery),
}

/// Asks for the best consortia; how many is an [option](Options::proposals).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProposalsQuery {}

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
pub enum Reply {
    /// The best consortia, or why there is none.
    Proposals(Answer),
}

/// Checks options and a question against an instance, without answering.
///
/// # Errors
/// As [`ask`]. Paths of faults point into the options, or below `/question` into the settings of the question.
pub fn validate(instance: &Instance, options: &Options, query: &Query) -> Result<(), OptionsError> {
    options::validate(instance, options)?;
    let faults = match query {
        Query::Proposals(ProposalsQuery {}) => Vec::new(),
    };
    OptionsError::below("/question", faults)
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
    match query {
        Query::Proposals(ProposalsQuery {}) => solve_with(instance, options, observer).map(Reply::Proposals),
    }
}
