//! Writes the model of a call as MPS, or as LP where the file's name ends in `.lp`, for other optimisers:
//! `cargo run -p attelage-solver --release --example export -- --shape medium --seed 1 --form compact OUT.mps`, or `--problem FILE`
//! with a problem in JSON instead of a shape and a seed. Forms: `compact`, `whole`, `pairs` (see `attelage_solver::export`).

use std::error::Error;
use std::path::Path;

use attelage_solver::export::{self, Form};
use attelage_solver::sample::{self, Shape};
use attelage_solver::{Instance, Options, Problem};

const USAGE: &str = "export [--shape lyon|medium|large|national|huge] [--seed N] [--problem FILE] \
                     [--form compact|whole|pairs] OUT.mps|OUT.lp";

fn main() -> Result<(), Box<dyn Error>> {
    let (mut shape, mut seed, mut form) = (Shape::LYON, 1, Form::Compact);
    let (mut problem, mut out) = (None::<Problem>, None);
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(USAGE);
        match word.as_str() {
            "--shape" => shape = named(&value()?).ok_or(USAGE)?,
            "--seed" => seed = value()?.parse()?,
            "--problem" => problem = Some(serde_json::from_str(&std::fs::read_to_string(value()?)?)?),
            "--form" => form = form_named(&value()?).ok_or(USAGE)?,
            _ if out.is_none() && !word.starts_with('-') => out = Some(word),
            _ => return Err(USAGE.into()),
        }
    }
    let out = out.ok_or(USAGE)?;
    let problem = problem.unwrap_or_else(|| sample::problem(&shape, seed));
    let instance = Instance::new(problem).map_err(|faults| format!("{faults:?}"))?;
    Ok(export::write(&instance, &Options::default(), form, Path::new(&out))?)
}

fn named(name: &str) -> Option<Shape> {
    Some(match name {
        "lyon" => Shape::LYON,
        "medium" => Shape::MEDIUM,
        "large" => Shape::LARGE,
        "national" => Shape::NATIONAL,
        "huge" => Shape::HUGE,
        _ => return None,
    })
}

fn form_named(name: &str) -> Option<Form> {
    Some(match name {
        "compact" => Form::Compact,
        "whole" => Form::Whole,
        "pairs" => Form::Pairs,
        _ => return None,
    })
}
