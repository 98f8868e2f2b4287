//! HiGHS, driven through `good_lp`: one thread, one seed, nothing printed.
//!
//! `good_lp` drops the dual bound and turns a limit without a solution into an error, so the built model is taken out of it and
//! run through the `highs` crate. A model is created, solved and dropped on the calling thread.

use std::collections::{BTreeSet, HashMap};
use std::ffi::CStr;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use good_lp::{ProblemVariables, SolverModel, Variable};
use highs::{HighsModelStatus, HighsSolutionStatus};

use crate::compile::Compiled;
use crate::formulate::{Formulation, Question};
use crate::model::Options;

/// How long and how precisely to solve.
#[derive(Clone, Debug)]
pub(crate) struct Backend {
    deadline: Option<Instant>,
    gap: f64,
    seed: i32,
}

/// What one question came to.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// A solution and a bound.
    Found(Found),
    /// Proven: none exists.
    Infeasible,
    /// The limit came first, with this bound if any.
    Unknown,
}

/// A solution of the model, in its units.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) members: BTreeSet<usize>,
    /// By edge.
    pub(crate) quantity: Vec<f64>,
    /// By cell.
    pub(crate) unmet: Vec<f64>,
    pub(crate) objective: f64,
    pub(crate) bound: f64,
}

impl Backend {
    /// The limits start to run now.
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            deadline: Instant::now().checked_add(Duration::from_millis(options.time_limit_ms)),
            gap: f64::from(options.gap_ppm) / 1e6,
            seed: i32::try_from(options.seed & 0x7fff_ffff).unwrap_or(0),
        }
    }

    /// What is left of the time limit.
    pub(crate) fn remaining(&self) -> Duration {
        self.deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Whether time is out.
    pub(crate) fn expired(&self) -> bool {
        self.remaining().is_zero()
    }

    /// Builds and solves the model of a question.
    pub(crate) fn ask(&self, c: &Compiled<'_>, question: &Question) -> Outcome {
        if c.candidates.is_empty() {
            return Outcome::Infeasible;
        }
        if self.expired() {
            return Outcome::Unknown;
        }
        let mut model = Formulation::new(c, question);
        self.run(&mut model).unwrap_or(Outcome::Unknown)
    }

    /// Runs HiGHS. `None` where it reports an error of its own.
    fn run(&self, f: &mut Formulation) -> Option<Outcome> {
        let variables = std::mem::replace(&mut f.variables, ProblemVariables::new());
        let columns: Vec<Variable> = variables.iter_variables_with_def().map(|(variable, _)| variable).collect();
        let objective = std::mem::take(&mut f.objective);
        let mut problem = variables.minimise(objective).using(good_lp::highs);
        for row in f.rows.drain(..) {
            problem.add_constraint(row);
        }
        let mut model = problem.try_into_inner().ok()?;
        model.set_threads(NonZeroU32::MIN);
        model.try_set_option("random_seed", self.seed).ok()?;
        model.try_set_option("mip_rel_gap", self.gap).ok()?;
        model.try_set_option("mip_feasibility_tolerance", 1e-7).ok()?;
        let seconds = self.remaining().as_secs_f64();
        if seconds < 1e9 {
            model.try_set_option("time_limit", seconds).ok()?;
        }
        let solved = model.try_solve().ok()?;
        let status = solved.status();
        if matches!(status, HighsModelStatus::Infeasible | HighsModelStatus::UnboundedOrInfeasible) {
            // Every objective is bounded below by construction, so "either" means infeasible.
            return Some(Outcome::Infeasible);
        }
        if solved.primal_solution_status() != HighsSolutionStatus::Feasible {
            return Some(Outcome::Unknown);
        }
        let solution = solved.get_solution();
        let value: HashMap<Variable, f64> = columns.into_iter().zip(solution.columns().iter().copied()).collect();
        let values = |of: &[Variable]| of.iter().map(|v| value.get(v).copied().unwrap_or(0.0)).collect::<Vec<_>>();
        let objective = solved.objective_value();
        let closed = status == HighsModelStatus::Optimal;
        let bound = solved.double_info_value(c"mip_dual_bound").ok().filter(|b| b.is_finite());
        let members = values(&f.member).iter().enumerate().filter(|(_, y)| **y > 0.5).map(|(i, _)| i).collect();
        Some(Outcome::Found(Found {
            members,
            quantity: values(&f.quantity),
            unmet: values(&f.unmet),
            objective,
            // Without whole variables left there is no bound apart from the optimum itself.
            bound: bound.unwrap_or(if closed { objective } else { f64::NEG_INFINITY }),
        }))
    }
}

/// Name and version of the optimiser.
#[allow(unsafe_code)]
pub(crate) fn version() -> String {
    // SAFETY: takes nothing, and returns a pointer to a constant NUL-terminated string of the library.
    let version = unsafe { CStr::from_ptr(highs_sys::Highs_version()) };
    format!("HiGHS {}", version.to_string_lossy())
}
