//! What can be asked about one call, and the entry point that answers it.

use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::control::Observer;
use crate::diagnosis::{self, Diagnosis, DiagnosisQuery};
use crate::instance::Instance;
use crate::model::Options;
use crate::options::OptionsError;
use crate::solve::solve_with;
use crate::territory::{self, TerritoryMap, TerritoryQuery};

/// A question about a call. In JSON, `kind` says which; the other members are its settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Query {
    /// Who should answer together?
    #[default]
    Proposals,
    /// Why can nobody answer?
    Diagnosis(DiagnosisQuery),
    /// Supply against need, place by place.
    Territory(TerritoryQuery),
}

/// The answer to a [`Query`], of the same kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reply {
    /// The best consortia, or why there is none.
    Proposals(Answer),
    /// What is in the way of an answer.
    Diagnosis(Diagnosis),
    /// Supply against need.
    Territory(TerritoryMap),
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
        Query::Diagnosis(query) => diagnosis::diagnose(instance, options, query, observer).map(Reply::Diagnosis),
        Query::Territory(query) => territory::survey(instance, options, query, observer).map(Reply::Territory),
    }
}
