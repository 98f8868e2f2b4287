//! `attelage solve`: the solver alone, JSON in and out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use attelage_solver::portfolio::{Portfolio, PortfolioAnswer, PortfolioOptions};
use attelage_solver::{Answer, Fault, Instance, Options, PortfolioInstance, Problem, Query, Reply};
use clap::Args;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::json;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::server::StartError;

/// Arguments of `attelage solve`.
#[derive(Args)]
pub struct SolveArgs {
    /// The problem, or the portfolio of calls, in JSON; `-` for standard input
    #[arg(required_unless_present = "schema")]
    file: Option<PathBuf>,
    /// Options in JSON, in a file
    #[arg(long, value_name = "FILE")]
    options: Option<PathBuf>,
    /// A question in JSON, in a file: see docs/solver-format.md; without one, who should answer together
    #[arg(long, value_name = "FILE")]
    question: Option<PathBuf>,
    /// Print the JSON Schema of everything that goes in and comes out, and stop
    #[arg(long)]
    schema: bool,
}

impl SolveArgs {
    /// Where the problem is; nowhere where the schema is asked for.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref().filter(|_| !self.schema)
    }
}

/// Solves the problem in `bytes`, or the portfolio: a document with `calls` is one. Gives the answer in JSON.
///
/// # Errors
/// JSON that is neither, with line and column; a document with faults, all of them with their paths.
pub fn run(args: &SolveArgs, bytes: &[u8]) -> Result<String, StartError> {
    if holds_calls(bytes) {
        return run_portfolio(args, bytes);
    }
    let problem: Problem = parse("problem", bytes)?;
    let options: Options = from_file("options", args.options.as_deref())?;
    let question: Query = from_file("question", args.question.as_deref())?;
    let instance = Instance::new(problem).map_err(|faults| told("problem", &faults))?;
    let reply = attelage_solver::ask(&instance, &options, &question, &())?;
    Ok(match reply {
        Reply::Proposals(answer) => serde_json::to_string_pretty(&answer)?,
        reply => serde_json::to_string_pretty(&reply)?,
    })
}

/// Whether a document has a member `calls`, whatever else it is.
fn holds_calls(bytes: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Shape {
        calls: Option<IgnoredAny>,
    }
    serde_json::from_slice(bytes).is_ok_and(|shape: Shape| shape.calls.is_some())
}

fn run_portfolio(args: &SolveArgs, bytes: &[u8]) -> Result<String, StartError> {
    if args.question.is_some() {
        return Err("--question is for one call: this document has `calls`, which are answered together".into());
    }
    let portfolio: Portfolio = parse("portfolio", bytes)?;
    let options: PortfolioOptions = from_file("options", args.options.as_deref())?;
    let instance = PortfolioInstance::new(&portfolio).map_err(|faults| told("portfolio", &faults))?;
    Ok(serde_json::to_string_pretty(&attelage_solver::solve_portfolio(&instance, &options, &())?)?)
}

fn told(what: &str, faults: &[Fault]) -> String {
    let lines = faults.iter().map(|fault| format!("  {}: {}", fault.path, fault.message));
    format!("the {what} has faults:\n{}", lines.collect::<Vec<_>>().join("\n"))
}

/// What a file holds; the default without a file.
fn from_file<T: DeserializeOwned + Default>(what: &str, file: Option<&Path>) -> Result<T, StartError> {
    let Some(file) = file else { return Ok(T::default()) };
    let bytes = std::fs::read(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    parse(what, &bytes)
}

/// The JSON Schema (draft 2020-12) of everything that goes into the solver and comes out, by name in `$defs`.
#[must_use]
pub fn schema() -> String {
    let mut found = Vec::new();
    let roots = [
        schemas_of::<Problem>(&mut found),
        schemas_of::<Options>(&mut found),
        schemas_of::<Query>(&mut found),
        schemas_of::<Answer>(&mut found),
        schemas_of::<Reply>(&mut found),
        schemas_of::<Portfolio>(&mut found),
        schemas_of::<PortfolioOptions>(&mut found),
        schemas_of::<PortfolioAnswer>(&mut found),
    ];
    let definitions: BTreeMap<String, RefOr<Schema>> = found.into_iter().collect();
    let document = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Problems, portfolios, options, questions, answers and replies of attelage-solver",
        "anyOf": roots.map(|name| json!({ "$ref": format!("#/components/schemas/{name}") })),
        "$defs": definitions,
    });
    format!("{document:#}").replace("#/components/schemas/", "#/$defs/")
}

/// Collects the schemas of a type and of all that it holds; gives its name.
fn schemas_of<T: ToSchema>(found: &mut Vec<(String, RefOr<Schema>)>) -> String {
    T::schemas(found);
    found.push((T::name().into_owned(), T::schema()));
    T::name().into_owned()
}

fn parse<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, StartError> {
    serde_json::from_slice(bytes)
        .map_err(|error| format!("the {what} is not what docs/solver-format.md describes: {error}").into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::Value;

    use super::*;

    const LYON: &[u8] = include_bytes!("../../solver/examples/lyon.json");

    fn args(line: &[&str]) -> SolveArgs {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            args: SolveArgs,
        }
        <Line as clap::Parser>::try_parse_from([&["solve"], line].concat()).unwrap().args
    }

    /// The schema of one definition.
    fn validator(name: &str) -> jsonschema::Validator {
        let mut document: Value = serde_json::from_str(&schema()).unwrap();
        document.as_object_mut().unwrap().remove("anyOf");
        document["$ref"] = json!(format!("#/$defs/{name}"));
        jsonschema::draft202012::new(&document).unwrap()
    }

    #[test]
    fn the_schema_takes_what_the_solver_takes_and_gives() {
        let problem: Value = serde_json::from_slice(LYON).unwrap();
        assert!(validator("Problem").is_valid(&problem));
        let answer = serde_json::from_str(&run(&args(&["-"]), LYON).unwrap()).unwrap();
        assert!(validator("Answer").is_valid(&answer));
        assert!(!validator("Answer").is_valid(&problem));
        assert!(validator("Options").is_valid(&json!(Options::default())));
        assert!(validator("Query").is_valid(&json!(Query::default())));
        assert!(!validator("Query").is_valid(&json!({ "nothing": {} })));
    }

    #[test]
    fn a_question_is_read_from_its_file_and_answered_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("question.json");
        std::fs::write(&file, r#"{ "rules": {} }"#).unwrap();
        let reply: Value =
            serde_json::from_str(&run(&args(&["-", "--question", file.to_str().unwrap()]), LYON).unwrap()).unwrap();
        assert_eq!(reply["rules"]["status"], "optimal");
        assert!(validator("Reply").is_valid(&reply));
        std::fs::write(&file, r#"{ "rule": {} }"#).unwrap();
        let error = run(&args(&["-", "--question", file.to_str().unwrap()]), LYON).unwrap_err().to_string();
        assert!(error.contains("unknown variant `rule`"), "{error}");
    }
    #[test]
    fn a_document_with_calls_is_answered_as_a_portfolio() {
        let mut document: Value = serde_json::from_slice(LYON).unwrap();
        let call = document.as_object_mut().unwrap().remove("call").unwrap();
        let mut again = call.clone();
        again["id"] = json!("again");
        document["calls"] = json!([call, again]);
        let bytes = serde_json::to_vec(&document).unwrap();
        assert!(validator("Portfolio").is_valid(&document));
        let answer: Value = serde_json::from_str(&run(&args(&["-"]), &bytes).unwrap()).unwrap();
        assert!(validator("PortfolioAnswer").is_valid(&answer));
        assert_eq!((&answer["status"], answer["calls"].as_array().unwrap().len()), (&json!("optimal"), 2));

        let refused = run(&args(&["-", "--question", "any"]), &bytes).unwrap_err().to_string();
        assert!(refused.contains("--question is for one call"), "{refused}");
        document["calls"][1]["id"] = document["calls"][0]["id"].clone();
        let refused = run(&args(&["-"]), &serde_json::to_vec(&document).unwrap()).unwrap_err().to_string();
        assert!(refused.contains("/calls/1/id"), "{refused}");
    }
}
