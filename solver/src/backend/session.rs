//! One model in HiGHS, kept for several questions: the only place with unsafe code, with its submodules.
//!
//! `good_lp` builds the model and gives it up; from there on the C interface of HiGHS is used, because no safe wrapper has its
//! callbacks, changes of rows, partial starts, or warm restarts. A session lives and dies on one thread.
#![allow(unsafe_code)]

mod bounds;
mod model;
mod start;
mod watch;
mod whole;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ffi::{CStr, c_void};
use std::time::Instant;

use good_lp::{IntoAffineExpression, ProblemVariables, SolverModel, Variable};
use highs_sys::{
    Highs_addCol, Highs_addRow, Highs_changeColCost, Highs_changeColIntegrality, Highs_changeColsCostByRange,
    Highs_changeColsIntegralityBySet, Highs_changeObjectiveOffset, Highs_changeRowBounds, Highs_getDoubleInfoValue,
    Highs_getIntInfoValue, Highs_getModelStatus, Highs_getRunTime, Highs_getSolution, Highs_run, Highs_setCallback,
    Highs_startCallback, Highs_version, HighsInt, kHighsModelStatusInfeasible, kHighsModelStatusOptimal,
    kHighsModelStatusUnboundedOrInfeasible, kHighsSolutionStatusFeasible, kHighsStatusError, kHighsVarTypeContinuous,
    kHighsVarTypeInteger,
};

use super::Settings;
use crate::control::Control;
use crate::formulate::Formulation;
use watch::{EVENTS, Watch, on_event};

/// A column or a row of the model.
pub(crate) type Index = HighsInt;

/// Presolve rules of HiGHS 1.15.0 that are left out, a bit for each: merging parallel rows and columns (13), where two rows that together
/// make an equation (a smallest quantity equal to the capacity) can lose the optimum and have a worse solution called optimal; and
/// enumeration of rows of few binaries (16), which can call a model infeasible that has solutions.
const RULES_OFF: i32 = 1 << 13 | 1 << 16;

/// A model that can be solved again after changes, from where the last solve ended.
pub(crate) struct Session {
    model: highs::Model,
    columns: HashMap<Variable, Index>,
    /// Columns, those without a variable of the formulation included.
    width: Index,
    rows: Index,
    /// Columns of whole-number variables, ascending.
    integers: Vec<Index>,
    /// Those of quantities, ascending, while they are among `integers`; then see `divisible`.
    counted: Vec<Index>,
    /// Quantities that are whole in the problem and divisible in the model until one comes out in parts.
    divisible: Vec<Index>,
    relaxed: bool,
    /// Values suggested for the next search for whole numbers.
    start: BTreeMap<Index, f64>,
    /// Whether HiGHS holds the solution of an earlier run, which it may have to complete before a search.
    leftover: bool,
    /// Whether the objective is money.
    money: bool,
}

/// How a solve ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Proven best within the gap.
    Optimal,
    /// Proven: there is no solution. (Every objective is bounded by construction.)
    Infeasible,
    /// A limit came first.
    Stopped,
}

/// What a solve gave.
#[derive(Clone, Debug)]
pub(crate) struct Solved {
    pub(crate) end: End,
    /// By column; empty without a feasible solution.
    values: Vec<f64>,
    /// Reduced costs by column; meaningful for a relaxation.
    reduced: Vec<f64>,
    /// Duals by row; meaningful for a relaxation.
    duals: Vec<f64>,
    pub(crate) objective: f64,
    /// No solution is below; −∞ where nothing is known.
    pub(crate) bound: f64,
}

impl Solved {
    /// Whether there is a solution, best or not.
    pub(crate) fn found(&self) -> bool {
        !self.values.is_empty()
    }

    /// The value of a column; 0 where there is no solution.
    pub(crate) fn at(&self, column: Index) -> f64 {
        usize::try_from(column).ok().and_then(|column| self.values.get(column)).copied().unwrap_or(0.0)
    }

    /// The dual of a row: what one unit more on its right side changes the objective by.
    pub(crate) fn dual(&self, row: Index) -> f64 {
        usize::try_from(row).ok().and_then(|row| self.duals.get(row)).copied().unwrap_or(0.0)
    }
}

impl Session {
    /// Hands a formulation over to HiGHS. `None` where it refuses it. O(non-zeros).
    pub(crate) fn new(f: &mut Formulation, settings: &Settings) -> Option<Self> {
        let variables = std::mem::replace(&mut f.variables, ProblemVariables::new());
        let columns: HashMap<Variable, Index> =
            variables.iter_variables_with_def().map(|(variable, _)| variable).zip(0..).collect();
        let width = Index::try_from(columns.len()).ok()?;
        let rows = Index::try_from(f.rows.len()).ok()?;
        let mut problem = variables.minimise(f.objective.clone()).using(good_lp::highs);
        for row in f.rows.drain(..) {
            problem.add_constraint(row);
        }
        let mut model = problem.try_into_inner().ok()?;
        model.try_set_option("output_flag", false).ok()?;
        model.try_set_option("threads", 1).ok()?;
        model.try_set_option("random_seed", settings.seed).ok()?;
        model.try_set_option("mip_rel_gap", settings.gap).ok()?;
        // A thousandth of a cent: half a cent would hide the rounding of an overhead.
        model.try_set_option("mip_abs_gap", 1e-8).ok()?;
        model.try_set_option("mip_feasibility_tolerance", 1e-7).ok()?;
        model.try_set_option("presolve_rule_off", RULES_OFF).ok()?;
        // Jumps find what is feasible without regard to cost: half the time of a small search, and never what is kept.
        model.try_set_option("mip_heuristic_run_feasibility_jump", false).ok()?;
        // `good_lp` hands over coefficients only.
        // SAFETY: a live model.
        unsafe { Highs_changeObjectiveOffset(model.as_mut_ptr(), f.objective.constant()) };
        let of =
            |list: &[Variable]| -> BTreeSet<Index> { list.iter().filter_map(|v| columns.get(v).copied()).collect() };
        let (integers, quantities) = (of(&f.integers), &of(&f.quantity) | &of(&f.unmet));
        let counted = integers.intersection(&quantities).copied().collect();
        let integers = integers.into_iter().collect();
        let divisible = Vec::new();
        Some(Self {
            model,
            columns,
            width,
            rows,
            integers,
            counted,
            divisible,
            relaxed: false,
            start: BTreeMap::new(),
            leftover: false,
            money: settings.money,
        })
    }

    /// The column of a variable of the formulation.
    pub(crate) fn column(&self, variable: Variable) -> Option<Index> {
        self.columns.get(&variable).copied()
    }

    /// Takes the whole-number conditions away (a linear relaxation) or puts them back.
    pub(crate) fn relax(&mut self, relaxed: bool) {
        self.relaxed = relaxed;
        let kind = if relaxed { kHighsVarTypeContinuous } else { kHighsVarTypeInteger };
        self.declare(&self.integers.clone(), kind);
    }

    /// Changes the coefficient of a variable in the objective.
    pub(crate) fn price(&mut self, variable: Variable, cost: f64) {
        if let Some(column) = self.column(variable) {
            // SAFETY: a live model and one of its columns.
            unsafe { Highs_changeColCost(self.model.as_mut_ptr(), column, cost) };
        }
    }

    /// Changes the bounds of a row.
    pub(crate) fn bound_row(&mut self, row: Index, least: f64, most: f64) {
        // SAFETY: a live model; HiGHS refuses rows that it does not have.
        unsafe { Highs_changeRowBounds(self.model.as_mut_ptr(), row, least, most) };
    }

    /// Adds `least ≤ expression ≤ most` and gives its index. `None` where HiGHS refuses it.
    pub(crate) fn add_row(&mut self, expression: impl IntoAffineExpression, least: f64, most: f64) -> Option<Index> {
        let (terms, constant) = self.terms(expression);
        let (index, value): (Vec<Index>, Vec<f64>) = terms.into_iter().unzip();
        let count = Index::try_from(index.len()).ok()?;
        let (least, most) = (least - constant, most - constant);
        // SAFETY: a live model, and two arrays of `count` elements that outlive the call.
        let status =
            unsafe { Highs_addRow(self.model.as_mut_ptr(), least, most, count, index.as_ptr(), value.as_ptr()) };
        if status == kHighsStatusError {
            return None;
        }
        self.rows += 1;
        Some(self.rows - 1)
    }

    /// Adds a whole number that is not negative, with its coefficients by row, and gives its column. `None` where HiGHS refuses it.
    pub(crate) fn add_count(&mut self, cost: f64, rows: &[(Index, f64)]) -> Option<Index> {
        let (index, value): (Vec<Index>, Vec<f64>) = rows.iter().copied().unzip();
        let count = Index::try_from(index.len()).ok()?;
        // SAFETY: a live model, and two arrays of `count` elements that outlive the call.
        let status = unsafe {
            Highs_addCol(self.model.as_mut_ptr(), cost, 0.0, f64::INFINITY, count, index.as_ptr(), value.as_ptr())
        };
        if status == kHighsStatusError {
            return None;
        }
        let column = self.width;
        self.width += 1;
        self.integers.push(column);
        if !self.relaxed {
            // SAFETY: a live model, its last column, a constant of the library.
            unsafe { Highs_changeColIntegrality(self.model.as_mut_ptr(), column, kHighsVarTypeInteger) };
        }
        Some(column)
    }

    /// Replaces the objective; `money` tells whether it is in thousands of euros. O(columns).
    pub(crate) fn minimise(&mut self, objective: impl IntoAffineExpression, money: bool) {
        let (terms, constant) = self.terms(objective);
        self.money = money;
        let cost: Vec<f64> = (0..self.width).map(|c| terms.get(&c).copied().unwrap_or(0.0)).collect();
        let last = self.width - 1;
        // SAFETY: a live model, and an array of as many elements as it has columns.
        unsafe {
            let highs = self.model.as_mut_ptr();
            Highs_changeColsCostByRange(highs, 0, last, cost.as_ptr());
            Highs_changeObjectiveOffset(highs, constant);
        }
    }

    /// The coefficients of an expression by column, each column once, and its constant.
    fn terms(&self, expression: impl IntoAffineExpression) -> (BTreeMap<Index, f64>, f64) {
        let constant = expression.constant();
        let mut terms = BTreeMap::new();
        for (variable, coefficient) in expression.linear_coefficients() {
            if let Some(column) = self.column(variable) {
                *terms.entry(column).or_insert(0.0) += coefficient;
            }
        }
        (terms, constant)
    }

    /// Sets an option of HiGHS for the next solves; whether it was accepted.
    pub(crate) fn set<V: highs::HighsOptionValue>(&mut self, option: &str, value: V) -> bool {
        self.model.try_set_option(option, value).is_ok()
    }

    /// Changes the kind of columns, ascending.
    fn declare(&mut self, columns: &[Index], kind: HighsInt) {
        let kinds = vec![kind; columns.len()];
        if let Ok(count) = Index::try_from(kinds.len()) {
            let highs = self.model.as_mut_ptr();
            // SAFETY: a live model, and two arrays of `count` elements that outlive the call: ascending columns, constants of the library.
            unsafe { Highs_changeColsIntegralityBySet(highs, count, columns.as_ptr(), kinds.as_ptr()) };
        }
    }

    /// Solves from where the last solve ended, within the limits of `control`. `None` where HiGHS reports an error of its own.
    pub(crate) fn solve(&mut self, control: &Control<'_>) -> Option<Solved> {
        if !self.linear() {
            self.complete(control);
        }
        self.run(control)
    }

    /// The same without a look at the start.
    fn run(&mut self, control: &Control<'_>) -> Option<Solved> {
        let seconds = control.remaining().as_secs_f64();
        // The clock of linear programs counts all runs, that of whole-number programs each run.
        let spent = if self.linear() { self.run_time() } else { 0.0 };
        self.set("time_limit", if seconds < 1e9 { spent + seconds } else { f64::INFINITY });
        let bounds = !self.leftover;
        let mut watch = Watch { control, money: self.money, bounds, work: 0, told: Instant::now(), panicked: false };
        let watched: *mut Watch<'_, '_> = &raw mut watch;
        let highs = self.model.as_mut_ptr();
        // SAFETY: a live model. The callback gets `watch`, which outlives the run; nothing else touches it meanwhile, and the
        // callback is taken away before it goes.
        let status = unsafe {
            Highs_setCallback(highs, Some(on_event), watched.cast::<c_void>());
            for event in EVENTS {
                Highs_startCallback(highs, event);
            }
            let status = Highs_run(highs);
            Highs_setCallback(highs, None, std::ptr::null_mut());
            status
        };
        let iterations = self.integer(c"simplex_iteration_count");
        control.spend(watch.work.max(u64::try_from(iterations).unwrap_or(0)));
        if status == kHighsStatusError || watch.panicked {
            return None;
        }
        let solved = self.solved();
        self.leftover = solved.found();
        Some(solved)
    }

    /// The value of a variable in a solution; 0 where there is none.
    pub(crate) fn value(&self, solved: &Solved, variable: Variable) -> f64 {
        self.at(&solved.values, variable)
    }

    /// The reduced cost of a variable in a relaxation: what one unit of it would change the objective by.
    pub(crate) fn reduced_cost(&self, solved: &Solved, variable: Variable) -> f64 {
        self.at(&solved.reduced, variable)
    }

    fn at(&self, column_values: &[f64], variable: Variable) -> f64 {
        let column = self.column(variable).and_then(|column| usize::try_from(column).ok());
        column.and_then(|column| column_values.get(column)).copied().unwrap_or(0.0)
    }

    /// Whether nothing must be whole.
    fn linear(&self) -> bool {
        self.relaxed || self.integers.is_empty()
    }

    /// Seconds that HiGHS has spent on this model: its time limit is about all of them.
    fn run_time(&self) -> f64 {
        // SAFETY: a live model.
        unsafe { Highs_getRunTime(self.model.as_ptr()) }
    }

    /// A whole number that HiGHS tells about the last solve; −1 if it tells nothing.
    fn integer(&self, name: &CStr) -> HighsInt {
        let mut value: HighsInt = -1;
        // SAFETY: a live model, a NUL-terminated name, and a place for one number.
        unsafe { Highs_getIntInfoValue(self.model.as_ptr(), name.as_ptr(), &raw mut value) };
        value
    }

    /// A number that HiGHS tells about the last solve; infinite if it tells nothing.
    fn real(&self, name: &CStr) -> f64 {
        let mut value = f64::NEG_INFINITY;
        // SAFETY: a live model, a NUL-terminated name, and a place for one number.
        unsafe { Highs_getDoubleInfoValue(self.model.as_ptr(), name.as_ptr(), &raw mut value) };
        value
    }

    /// The state after a run.
    fn solved(&mut self) -> Solved {
        let highs = self.model.as_ptr();
        // SAFETY: a live model.
        let status = unsafe { Highs_getModelStatus(highs) };
        let infeasible = [kHighsModelStatusInfeasible, kHighsModelStatusUnboundedOrInfeasible].contains(&status);
        let end = match status {
            _ if infeasible => End::Infeasible,
            status if status == kHighsModelStatusOptimal => End::Optimal,
            _ => End::Stopped,
        };
        let feasible = self.integer(c"primal_solution_status") == kHighsSolutionStatusFeasible;
        let mut solved = Solved {
            end,
            values: Vec::new(),
            reduced: Vec::new(),
            duals: Vec::new(),
            objective: 0.0,
            bound: f64::NEG_INFINITY,
        };
        if feasible && !infeasible {
            let (columns, rows) = (self.model.num_cols(), self.model.num_rows());
            let [mut values, mut reduced] = [vec![0.0; columns], vec![0.0; columns]];
            let [mut activity, mut duals] = [vec![0.0; rows], vec![0.0; rows]];
            // SAFETY: a live model, and arrays of as many elements as it has columns and rows.
            unsafe {
                Highs_getSolution(
                    highs,
                    values.as_mut_ptr(),
                    reduced.as_mut_ptr(),
                    activity.as_mut_ptr(),
                    duals.as_mut_ptr(),
                )
            };
            solved = Solved { values, reduced, duals, objective: self.real(c"objective_function_value"), ..solved };
        }
        // A linear program has no bound apart from its optimum.
        solved.bound = match (end, self.real(c"mip_dual_bound")) {
            (End::Optimal, _) if self.linear() => solved.objective,
            (_, bound) if !self.linear() && bound.is_finite() => bound,
            (End::Optimal, _) => solved.objective,
            _ => f64::NEG_INFINITY,
        };
        solved
    }
}

/// Name and version of the optimiser.
pub(crate) fn version() -> String {
    // SAFETY: takes nothing, and returns a pointer to a constant NUL-terminated string of the library.
    let version = unsafe { CStr::from_ptr(Highs_version()) };
    format!("HiGHS {}", version.to_string_lossy())
}
