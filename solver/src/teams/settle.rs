//! The best consortium under rows and charges of one's own.

use std::collections::{BTreeMap, BTreeSet};

use crate::answer::Proof;
use crate::assemble::percent;
use crate::backend::{Backend, Found, Outcome};
use crate::compile::Compiled;
use crate::formulate::{Formulation, Objective, Question, keur};
use crate::model::Cents;
use crate::propose::{self, Best, Draft, bound_cents};

/// What a question adds to the rules and to the price of the call.
#[derive(Default)]
pub(crate) struct Charge<'r> {
    /// Rows.
    rows: Option<&'r dyn Fn(&mut Formulation)>,
    /// By candidate: what its membership costs more, without being paid.
    members: BTreeMap<usize, Cents>,
    /// Candidates that must not be members.
    absent: BTreeSet<usize>,
}

impl<'r> Charge<'r> {
    /// Rows only.
    pub(crate) fn rows(rows: &'r dyn Fn(&mut Formulation)) -> Self {
        Self { rows: Some(rows), ..Self::default() }
    }

    /// Charges only.
    pub(crate) fn members(members: BTreeMap<usize, Cents>) -> Self {
        Self { members, ..Self::default() }
    }

    /// The same without these candidates.
    pub(crate) fn without(self, absent: BTreeSet<usize>) -> Self {
        Self { absent, ..self }
    }

    fn put(&self, f: &mut Formulation) {
        if let Some(rows) = self.rows {
            rows(f);
        }
        for (&i, &cents) in &self.members {
            let member = f.member[i];
            f.objective.add_mul(keur(cents), member);
        }
    }

    /// The charges of a draft.
    pub(crate) fn of(&self, draft: &Draft) -> Cents {
        self.members.iter().filter(|(i, _)| draft.members.contains(i)).map(|(_, cents)| cents).sum()
    }

    /// What was minimised.
    fn merit(&self, draft: &Draft) -> Cents {
        draft.proposal.costs.objective_cents + self.of(draft)
    }
}

/// The best consortium, verified. Without rows and charges of one's own, [`propose::best`] knows it; else first with divisible quantities,
/// which bounds the optimum; then in whole units for the members found; and where the two differ by more than the gap, in whole
/// units altogether. The bound of the proof is about the objective without the charges of the members found.
pub(crate) fn settle(c: &Compiled<'_>, backend: &Backend<'_>, charge: &Charge<'_>) -> Best {
    let question = Question { absent: charge.absent.clone(), ..Question::minimise(Objective::Euros) };
    if charge.rows.is_none() && charge.members.is_empty() {
        return match backend.quietly(|backend| propose::best(c, backend, &question)) {
            Best::Found(draft) if !draft.proposal.proof.verified => Best::Unknown,
            best => best,
        };
    }
    let relaxed = match ask(c, backend, &question, charge) {
        Outcome::Found(found) => found,
        Outcome::Infeasible => return Best::Infeasible,
        Outcome::Unknown => return Best::Unknown,
    };
    let mut bound = bound_cents(relaxed.bound);
    let fixed = Question { members: Some(relaxed.members.clone()), whole: true, ..question.clone() };
    let mut best = match ask(c, backend, &fixed, charge) {
        Outcome::Found(found) => Some(draft(c, &question, charge, &found, bound)),
        Outcome::Infeasible | Outcome::Unknown => None,
    };
    if !best.as_ref().is_some_and(|draft| draft.proposal.proof.optimal) {
        match ask(c, backend, &Question { whole: true, ..question.clone() }, charge) {
            Outcome::Found(found) => {
                bound = bound.max(bound_cents(found.bound));
                let again = draft(c, &question, charge, &found, bound);
                let unverified = |draft: &Draft| !draft.proposal.proof.verified;
                best = Some(match best {
                    Some(first)
                        if (unverified(&first), charge.merit(&first)) <= (unverified(&again), charge.merit(&again)) =>
                    {
                        first
                    }
                    _ => again,
                });
            }
            Outcome::Infeasible if best.is_none() => return Best::Infeasible,
            Outcome::Infeasible | Outcome::Unknown => {}
        }
    }
    // Out of time before whole quantities were found: the rounded ones. In every case only what passes the check.
    let best = best.or_else(|| Some(draft(c, &question, charge, &relaxed, bound)));
    match best.filter(|draft| draft.proposal.proof.verified) {
        Some(mut draft) => {
            draft.proposal.proof = proof(c, charge, &draft, bound);
            Best::Found(Box::new(draft))
        }
        None => Best::Unknown,
    }
}

fn draft(c: &Compiled<'_>, question: &Question, charge: &Charge<'_>, found: &Found, bound: Cents) -> Draft {
    let mut draft = propose::draft(c, question, found);
    draft.proposal.proof = proof(c, charge, &draft, bound);
    draft
}

fn proof(c: &Compiled<'_>, charge: &Charge<'_>, draft: &Draft, bound: Cents) -> Proof {
    let objective = draft.proposal.costs.objective_cents;
    let gap_cents = (charge.merit(draft) - bound).max(0);
    let verified = draft.proposal.proof.verified;
    let allowed = i128::from(objective) * i128::from(c.options.gap_ppm);
    Proof {
        optimal: verified && i128::from(gap_cents) * 1_000_000 <= allowed,
        bound_cents: objective - gap_cents,
        gap_cents,
        gap_percent: if objective == 0 { 0.0 } else { percent(gap_cents.into(), objective.into()) },
        verified,
    }
}

/// Builds and solves the model of a question with its charges.
pub(super) fn ask(c: &Compiled<'_>, backend: &Backend<'_>, question: &Question, charge: &Charge<'_>) -> Outcome {
    if c.candidates.is_empty() {
        return Outcome::Infeasible;
    }
    if backend.expired() {
        return Outcome::Unknown;
    }
    let mut f = Formulation::new(c, question);
    charge.put(&mut f);
    backend
        .open_call(c, &mut f, question.objective)
        .and_then(|mut session| backend.run(&mut session, &f))
        .unwrap_or(Outcome::Unknown)
}
