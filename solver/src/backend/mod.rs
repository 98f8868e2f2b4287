//! The optimiser: HiGHS, one thread, one seed, nothing printed, within the limits of the computation.

use std::collections::BTreeSet;

use crate::compile::Compiled;
use crate::control::Control;
use crate::formulate::{Formulation, Objective, Question};
use crate::model::{Cents, Options};

mod session;

pub(crate) use session::{End, Index, Session, Solved, version};

/// Edges below which HiGHS needs neither a start nor most of its heuristics: more than the samples of a city have, fewer than those of 500
/// actors; see `docs/solver/scale.md`.
pub(crate) const SMALL_CALL: usize = 600;

/// How to solve: the limits and the settings of one computation.
pub(crate) struct Backend<'o> {
    pub(crate) control: Control<'o>,
    gap: f64,
    seed: i32,
}

/// How precisely to solve one model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) gap: f64,
    pub(crate) seed: i32,
    /// Whether the objective is money.
    pub(crate) money: bool,
}

/// What one question came to.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// A solution and a bound.
    Found(Found),
    /// Proven: none exists.
    Infeasible,
    /// The limit came first.
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
    /// No solution is below; −∞ where nothing is known.
    pub(crate) bound: f64,
}

impl<'o> Backend<'o> {
    /// The limits of `control` apply to everything asked of this backend together.
    pub(crate) fn new(options: &Options, control: Control<'o>) -> Self {
        Self {
            control,
            gap: f64::from(options.gap_ppm) / 1e6,
            seed: i32::try_from(options.seed & 0x7fff_ffff).unwrap_or(0),
        }
    }

    /// Does something of which only how it goes is told, not what it finds.
    pub(crate) fn quietly<T>(&self, run: impl FnOnce(&Self) -> T) -> T {
        let quiet = Self { control: self.control.quiet(), ..*self };
        let value = run(&quiet);
        self.control.resume(&quiet.control);
        value
    }

    /// Whether a limit is reached.
    pub(crate) fn expired(&self) -> bool {
        self.control.expired()
    }

    /// Builds and solves the model of a question.
    pub(crate) fn ask(&self, c: &Compiled<'_>, question: &Question) -> Outcome {
        if c.candidates.is_empty() {
            return Outcome::Infeasible;
        }
        if self.expired() {
            return Outcome::Unknown;
        }
        let mut f = Formulation::new(c, question);
        self.open_call(c, &mut f, question.objective)
            .and_then(|mut session| self.run(&mut session, &f))
            .unwrap_or(Outcome::Unknown)
    }

    /// As [`Self::open`], without what looks for cheaper consortia by smaller problems where a call has fewer than [`SMALL_CALL`] edges: such
    /// a one is proven at the root as a rule, and they take up to a third of the time. Questions that any solution answers keep them.
    pub(crate) fn open_call(&self, c: &Compiled<'_>, f: &mut Formulation, objective: Objective) -> Option<Session> {
        let mut session = self.open(f, objective)?;
        if c.edges.len() < SMALL_CALL && matches!(objective, Objective::Euros | Objective::Paid) {
            session.believe();
            session.set("mip_heuristic_run_rins", false);
        }
        Some(session)
    }

    /// Hands a formulation over to HiGHS, to be solved several times. `None` where HiGHS refuses it.
    pub(crate) fn open(&self, f: &mut Formulation, objective: Objective) -> Option<Session> {
        let money = matches!(objective, Objective::Euros | Objective::Paid);
        Session::new(f, &Settings { gap: self.gap, seed: self.seed, money })
    }

    /// Solves a session and reads the result as a consortium. `None` where HiGHS reports an error of its own.
    pub(crate) fn run(&self, session: &mut Session, f: &Formulation) -> Option<Outcome> {
        let solved = session.solve_counting(&self.control)?;
        Some(match solved.end {
            End::Infeasible => Outcome::Infeasible,
            End::Optimal | End::Stopped if solved.found() => Outcome::Found(found(session, f, &solved)),
            End::Optimal | End::Stopped => Outcome::Unknown,
        })
    }
}

/// A solution of a session, by members, edges and cells.
pub(crate) fn found(session: &Session, f: &Formulation, solved: &Solved) -> Found {
    let values = |of: &[good_lp::Variable]| of.iter().map(|v| session.value(solved, *v)).collect::<Vec<_>>();
    let members = values(&f.member).iter().enumerate().filter(|(_, y)| **y > 0.5).map(|(i, _)| i).collect();
    Found {
        members,
        quantity: values(&f.quantity),
        unmet: values(&f.unmet),
        objective: solved.objective,
        bound: solved.bound,
    }
}

/// The money of the model, in thousands of euros, to the nearest cent.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn cents(model: f64) -> Cents {
    (model * 100_000.0).round() as Cents
}
