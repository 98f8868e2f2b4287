//! What can be asked about one call, and the entry point that answers it.

use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::backend::Backend;
use crate::compile::Compiled;
use crate::control::{Control, Observer};
use crate::instance::Instance;
use crate::model::Options;
use crate::options::{self, OptionsError};
use crate::rules::RuleSet;
use crate::solve::proposals;
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
    /// What each rule costs.
    Rules(RulesAnswer),
}

/// Checks options and a question against an instance, without answering.
///
/// # Errors
/// As [`ask`]. Paths of faults point into the options, or below `/question` into the settings of the question.
pub fn validate(instance: &Instance, options: &Options, query: &Query) -> Result<(), OptionsError> {
    options::validate(instance, options)?;
    let faults = match query {
        Query::Proposals(ProposalsQuery {}) | Query::Rules(RulesQuery {}) => Vec::new(),
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
    let backend = Backend::new(options, Control::new(options, observer));
    let compiled = Compiled::new(instance, options, RuleSet::without(options.disabled_rules.iter().copied()));
    Ok(match query {
        Query::Proposals(ProposalsQuery {}) => Reply::Proposals(proposals(&compiled, &backend)),
        Query::Rules(RulesQuery {}) => Reply::Rules(worth::answer(&compiled, &backend)),
    })
}
