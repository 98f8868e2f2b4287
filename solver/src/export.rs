//! The model of a call as plain data and as a file, for other optimisers: to check this one, and to compare with it.
//!
//! What is given out is the program that [`solve`](crate::solve) hands to HiGHS for "who is best, in euros", before anything is
//! solved: money in thousands of euros, quantities in units, to be minimised. It is read back from HiGHS, so that nothing stands
//! between it and what is solved here.

use std::path::Path;

use crate::backend::{Backend, Session};
use crate::compile::Compiled;
use crate::control::Control;
use crate::formulate::{Formulation, Objective, Question};
use crate::instance::Instance;
use crate::model::Options;
use crate::options::{self, OptionsError};
use crate::rules::RuleSet;

/// How the call is written as a program. Every form has the same optimum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// As the exact search has it: strong links, merged cells, tangents for the number of pairs; divisible quantities.
    #[default]
    Compact,
    /// The same with whole quantities, as the exact search has it where divisible ones do not settle a proposal.
    Whole,
    /// As textbooks have it: `z_ij ≥ y_i + y_j − 1` for every pair of actors, one link per capability, every place a cell of its own;
    /// divisible quantities. Only for comparisons.
    Pairs,
}

/// A mixed-integer program: minimise `offset + Σ cost · x` within the bounds of columns and rows. Bounds may be infinite.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// The constant part of the objective.
    pub offset: f64,
    /// Variables.
    pub columns: Vec<Column>,
    /// Constraints.
    pub rows: Vec<Row>,
}

/// A variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column {
    /// Coefficient in the objective.
    pub cost: f64,
    /// Least value.
    pub least: f64,
    /// Greatest value.
    pub most: f64,
    /// Whether it must be a whole number.
    pub whole: bool,
}

/// A constraint: `least ≤ Σ coefficient · column ≤ most`.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Least value.
    pub least: f64,
    /// Greatest value.
    pub most: f64,
    /// Columns, ascending, with their coefficients.
    pub terms: Vec<(usize, f64)>,
}

/// Why a model cannot be given out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// The options do not fit the problem.
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// Nobody could be a member, so that there is no program.
    #[error("nobody can serve anything: there is no model")]
    Empty,
    /// HiGHS does not take the model, or cannot write the file.
    #[error("the optimiser refused to take or to write the model")]
    Refused,
}

/// The model of a call as plain data. O(non-zeros).
///
/// # Errors
/// Options that do not fit the problem; a problem in which nobody can serve anything; a model that HiGHS refuses.
pub fn model(instance: &Instance, options: &Options, form: Form) -> Result<Model, ExportError> {
    open(instance, options, form)?.model().ok_or(ExportError::Refused)
}

/// Writes the model of a call: in free MPS format, or in LP format where the name ends in `.lp`. O(non-zeros).
///
/// # Errors
/// As [`model`], and a file that cannot be written.
pub fn write(instance: &Instance, options: &Options, form: Form, path: &Path) -> Result<(), ExportError> {
    open(instance, options, form)?.write(path).ok_or(ExportError::Refused)
}

fn open(instance: &Instance, options: &Options, form: Form) -> Result<Session, ExportError> {
    options::validate(instance, options)?;
    let rules = RuleSet::without(options.disabled_rules.iter().copied());
    let c = if form == Form::Pairs {
        Compiled::unmerged(instance, options, rules)
    } else {
        Compiled::new(instance, options, rules)
    };
    if c.candidates.is_empty() {
        return Err(ExportError::Empty);
    }
    let question = Question { whole: form == Form::Whole, form, ..Question::minimise(Objective::Euros) };
    let backend = Backend::new(options, Control::new(options, &()));
    backend.open(&mut Formulation::new(&c, &question), Objective::Euros).ok_or(ExportError::Refused)
}
