//! `attelage solve`: the solver alone, JSON in and out.

use std::path::{Path, PathBuf};

use attelage_solver::{Instance, Options, Problem, Query, Reply};
use clap::Args;
use serde::de::DeserializeOwned;

use crate::server::StartError;

/// Arguments of `attelage solve`.
#[derive(Args)]
pub struct SolveArgs {
    /// The problem in JSON, `-` for standard input
    file: PathBuf,
    /// Options in JSON, in a file
    #[arg(long, value_name = "FILE")]
    options: Option<PathBuf>,
    /// A question in JSON, in a file: see docs/solver-format.md; without one, who should answer together
    #[arg(long, value_name = "FILE")]
    question: Option<PathBuf>,
}

impl SolveArgs {
    /// Where the problem is.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }
}

/// Solves the problem in `bytes`; gives the answer in JSON.
///
/// # Errors
/// JSON that is not a problem, with line and column; a problem with faults, all of them with their paths.
pub fn run(args: &SolveArgs, bytes: &[u8]) -> Result<String, StartError> {
    let problem: Problem = parse("problem", bytes)?;
    let options: Options = from_file("options", args.options.as_deref())?;
    let question: Query = from_file("question", args.question.as_deref())?;
    let instance = Instance::new(problem).map_err(|faults| {
        let lines = faults.iter().map(|fault| format!("  {}: {}", fault.path, fault.message));
        format!("the problem has faults:\n{}", lines.collect::<Vec<_>>().join("\n"))
    })?;
    let reply = attelage_solver::ask(&instance, &options, &question, &())?;
    Ok(match reply {
        Reply::Proposals(answer) => serde_json::to_string_pretty(&answer)?,
        reply => serde_json::to_string_pretty(&reply)?,
    })
}

/// What a file holds; the default without a file.
fn from_file<T: DeserializeOwned + Default>(what: &str, file: Option<&Path>) -> Result<T, StartError> {
    let Some(file) = file else { return Ok(T::default()) };
    let bytes = std::fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    parse(what, &bytes)
}

fn parse<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, StartError> {
    serde_json::from_slice(bytes)
        .map_err(|error| format!("the {what} is not what docs/solver-format.md describes: {error}").into())
}
