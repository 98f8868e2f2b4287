//! The best consortia, each proven and re-verified.

use std::collections::BTreeSet;

use crate::allocate::whole;
use crate::answer::{Proof, Proposal};
use crate::assemble;
use crate::backend::{Backend, Found, Outcome};
use crate::check;
use crate::compile::Compiled;
use crate::formulate::{Objective, Question};
use crate::model::{Cents, Options, Quantity};
use crate::search;
use crate::variants::{Aim, lexicographic};

/// A consortium with whole quantities.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) members: BTreeSet<usize>,
    /// By edge.
    pub(crate) quantity: Vec<Quantity>,
    pub(crate) proposal: Proposal,
}

/// What the search for proposals came to.
pub(crate) enum Search {
    /// Some, best first, and whether no further one exists.
    Found(Vec<Draft>, bool),
    /// Proven: none.
    Infeasible,
    /// The limit came first.
    Unknown,
}

/// Up to `options.proposals` consortia. One search per proposal, each excluding the earlier ones and their enlargements by the
/// row "at least one member is missing", plus one small search for its whole quantities.
pub(crate) fn proposals(c: &Compiled<'_>, backend: &Backend<'_>) -> Search {
    if c.options.objective != Aim::Euros {
        return lexicographic::search(c, backend);
    }
    let mut drafts: Vec<Draft> = Vec::new();
    let mut question = Question::minimise(Objective::Euros);
    let mut exhausted = false;
    while drafts.len() < c.options.proposals as usize {
        if search::is_large(c, &question) {
            // Half of the limits for the first, a quarter more for all others in turn; the rest is for the explanations.
            let part = 25 * (drafts.len() + 1) / c.options.proposals as usize;
            backend.control.hold_back(50 + u32::try_from(part).unwrap_or(25));
        }
        let found = best(c, backend, &question);
        backend.control.release();
        match found {
            Best::Found(draft) => {
                // The optimiser does not tell of its end.
                let (best, bound) = (draft.proposal.costs.objective_cents, draft.proposal.proof.bound_cents);
                backend.control.tell(0, Some(best), Some(bound));
                backend.control.offer(drafts.len(), &draft.proposal);
                question.replaced.push(draft.members.clone());
                drafts.push(*draft);
            }
            Best::Infeasible => {
                exhausted = true;
                break;
            }
            Best::Unknown => break,
        }
    }
    if drafts.is_empty() {
        return if exhausted { Search::Infeasible } else { Search::Unknown };
    }
    rank(c.options, &mut drafts);
    Search::Found(drafts, exhausted)
}

/// The best consortium that a question allows.
pub(crate) enum Best {
    Found(Box<Draft>),
    Infeasible,
    Unknown,
}

/// Solves a question in euros, by size.
pub(crate) fn best(c: &Compiled<'_>, backend: &Backend<'_>, question: &Question) -> Best {
    if search::serves(c, question) { search::best(c, backend, question) } else { exact(c, backend, question) }
}

/// Hands a draft to the observer, with what a bound proves about it so far.
pub(crate) fn offer(c: &Compiled<'_>, backend: &Backend<'_>, question: &Question, draft: &Draft, bound: f64) {
    let proof = proof(c.options, draft, bound_cents(bound));
    backend.control.offer(question.replaced.len(), &Proposal { proof, ..draft.proposal.clone() });
}

/// A draft with what a bound proves about it.
pub(crate) fn proven(c: &Compiled<'_>, mut draft: Draft, bound: f64) -> Best {
    draft.proposal.proof = proof(c.options, &draft, bound_cents(bound));
    Best::Found(Box::new(draft))
}

/// Solves a question in euros exactly: first with divisible quantities, which bounds the optimum; then with whole quantities for the
/// members found; and where the two differ by more than the gap, with whole quantities altogether.
pub(crate) fn exact(c: &Compiled<'_>, backend: &Backend<'_>, question: &Question) -> Best {
    match backend.ask(c, question) {
        Outcome::Found(relaxed) => with_whole(c, backend, question, &relaxed),
        Outcome::Infeasible => Best::Infeasible,
        Outcome::Unknown => Best::Unknown,
    }
}

/// The best consortium with whole quantities, from the best one with divisible quantities and its bound.
pub(crate) fn with_whole(c: &Compiled<'_>, backend: &Backend<'_>, question: &Question, relaxed: &Found) -> Best {
    let mut bound = bound_cents(relaxed.bound);
    let fixed = Question { members: Some(relaxed.members.clone()), whole: true, ..question.clone() };
    let mut draft = match backend.ask(c, &fixed) {
        Outcome::Found(found) => Some(draft(c, question, &found)),
        Outcome::Infeasible | Outcome::Unknown => None,
    };
    let settled = |draft: &Draft, bound| draft.proposal.proof.verified && proof(c.options, draft, bound).optimal;
    if !draft.as_ref().is_some_and(|draft| settled(draft, bound)) {
        match backend.ask(c, &Question { whole: true, ..question.clone() }) {
            Outcome::Found(found) => {
                bound = bound.max(bound_cents(found.bound));
                let again = self::draft(c, question, &found);
                if draft.as_ref().is_none_or(|first| merit(&again) < merit(first)) {
                    draft = Some(again);
                }
            }
            Outcome::Infeasible if draft.is_none() => return Best::Infeasible,
            Outcome::Infeasible | Outcome::Unknown => {}
        }
    }
    // Out of time before whole quantities were found: the rounded ones, if they pass the check.
    let draft = draft.or_else(|| Some(self::draft(c, question, relaxed)).filter(|d| d.proposal.proof.verified));
    match draft {
        Some(mut draft) => {
            draft.proposal.proof = proof(c.options, &draft, bound);
            Best::Found(Box::new(draft))
        }
        None => Best::Unknown,
    }
}

/// Verified drafts first, then cheaper ones.
pub(crate) fn merit(draft: &Draft) -> (bool, Cents) {
    (!draft.proposal.proof.verified, draft.proposal.costs.objective_cents)
}

/// A draft from a solution in whole units, checked, with what the bound of its search proves.
pub(crate) fn with_proof(c: &Compiled<'_>, question: &Question, found: &Found) -> Draft {
    let mut draft = draft(c, question, found);
    draft.proposal.proof = proof(c.options, &draft, bound_cents(found.bound));
    draft
}

/// A draft from a solution, checked.
pub(crate) fn draft(c: &Compiled<'_>, question: &Question, found: &Found) -> Draft {
    let quantity = whole(c, found);
    let mut proposal = assemble::proposal(c, &found.members, &quantity);
    let kept = c.rules.kept(question.elastic);
    proposal.proof.verified = check::violations(c.problem(), c.options, &kept, &proposal).is_empty();
    Draft { members: found.members.clone(), quantity, proposal }
}

/// The least number of whole cents that the model's bound (in thousands of euros) allows, with its rounding errors forgiven.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn bound_cents(bound: f64) -> Cents {
    let cents = bound * 100_000.0;
    if cents.is_finite() { (cents - 0.002 - cents.abs() * 1e-9).ceil().max(0.0) as Cents } else { 0 }
}

/// What the bound proves about a draft.
fn proof(options: &Options, draft: &Draft, bound: Cents) -> Proof {
    let objective = draft.proposal.costs.objective_cents;
    let bound_cents = bound.min(objective);
    let gap_cents = objective - bound_cents;
    let verified = draft.proposal.proof.verified;
    let allowed = i128::from(objective) * i128::from(options.gap_ppm);
    Proof {
        optimal: verified && i128::from(gap_cents) * 1_000_000 <= allowed,
        bound_cents,
        gap_cents,
        gap_percent: if objective == 0 { 0.0 } else { assemble::percent(gap_cents.into(), objective.into()) },
        verified,
    }
}

/// Sorts by merit. Where the order of discovery was not that of cost (possible only within the gaps), the bound of the first
/// search, which holds for every consortium, replaces theirs.
fn rank(options: &Options, drafts: &mut [Draft]) {
    let first = drafts.first().map_or(0, |draft| draft.proposal.proof.bound_cents);
    let sorted = drafts.is_sorted_by_key(merit);
    drafts.sort_by_key(merit);
    let best = drafts.first().map_or(0, |draft| draft.proposal.costs.objective_cents);
    for (rank, draft) in (1..).zip(drafts) {
        draft.proposal.rank = rank;
        draft.proposal.regret_cents = draft.proposal.costs.objective_cents - best;
        if !sorted {
            draft.proposal.proof = proof(options, draft, first);
        }
    }
}
