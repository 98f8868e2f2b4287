//! Reads a problem as JSON from a file, solves it with the default options and prints the answer as JSON.
#![allow(clippy::print_stdout)]

use std::error::Error;

use attelage_solver::{Instance, Options, Problem, solve};

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: solve FILE")?;
    let problem: Problem = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let instance = Instance::new(problem).map_err(|faults| format!("{faults:#?}"))?;
    println!("{}", serde_json::to_string_pretty(&solve(&instance, &Options::default())?)?);
    Ok(())
}
