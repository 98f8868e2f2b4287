//! The edges that matter: a relaxation over a few edges a cell, grown until no other edge would pay.

use std::cmp::Reverse;

use super::part::Part;
use super::price::{self, Priced};
use crate::backend::{Backend, End, Session, Solved};
use crate::compile::Compiled;
use crate::formulate::{Formulation, Question, keur, units};
use crate::model::{Criterion, Scope};
use crate::rules::{RuleId, eligibility};

/// Edges that each cell starts with.
const FIRST_EDGES: usize = 12;
/// Most rounds of growth.
const ROUNDS: usize = 8;
/// Candidates kept for each rule that asks something of the group as a whole.
const FOR_RULE: usize = 50;
/// Up to so many edges, all of them at once.
const FEW_EDGES: usize = 8_000;

/// The relaxation over the core, solved.
pub(super) struct Core<'a> {
    /// By edge of the whole.
    pub(super) keep: Vec<bool>,
    pub(super) part: Part<'a>,
    pub(super) formulation: Formulation,
    pub(super) session: Session,
    pub(super) solved: Solved,
    /// No solution of the whole problem costs less.
    pub(super) bound: f64,
}

/// What became of it.
pub(super) enum Relaxed<'a> {
    /// Solved.
    Core(Box<Core<'a>>),
    /// Proven over all edges: nobody can answer.
    Infeasible,
    /// A limit came first.
    Stopped,
}

/// Solves the linear relaxation over a core that grows until the bound of the whole problem meets it.
pub(super) fn relax<'a>(c: &Compiled<'a>, backend: &Backend<'_>, question: &Question) -> Relaxed<'a> {
    let mut keep = first(c);
    let mut best = f64::NEG_INFINITY;
    for round in 0.. {
        let Some(mut core) = solve(c, backend, question, keep) else { return Relaxed::Stopped };
        let complete = core.keep.iter().all(|&kept| kept);
        match core.solved.end {
            End::Infeasible if complete => return Relaxed::Infeasible,
            End::Infeasible => {
                keep = vec![true; c.edges.len()];
                continue;
            }
            _ if !core.solved.found() => return Relaxed::Stopped,
            End::Stopped => {}
            End::Optimal => {
                let priced = price::evaluate(c, question, &prices(&core, c));
                best = best.max(priced.bound);
                if complete {
                    best = best.max(core.solved.objective);
                }
            }
        }
        core.bound = best;
        backend.control.tell(0, None, Some(crate::backend::cents(best.max(0.0))));
        let settled = core.solved.objective - best <= 1e-5 * core.solved.objective.abs();
        if complete || settled || round >= ROUNDS || core.solved.end == End::Stopped {
            return Relaxed::Core(Box::new(core));
        }
        let priced = price::evaluate(c, question, &prices(&core, c));
        let grown = grow(c, &core.keep, &priced);
        if grown == core.keep {
            return Relaxed::Core(Box::new(core));
        }
        keep = grown;
    }
    Relaxed::Stopped
}

fn solve<'a>(c: &Compiled<'a>, backend: &Backend<'_>, question: &Question, keep: Vec<bool>) -> Option<Core<'a>> {
    if backend.expired() {
        return None;
    }
    let part = Part::new(c, &keep);
    let mut formulation = Formulation::new(&part.compiled, &part.question(question));
    let mut session = backend.open(&mut formulation, question.objective)?;
    session.relax(true);
    let solved = session.solve(&backend.control)?;
    Some(Core { keep, part, formulation, session, solved, bound: f64::NEG_INFINITY })
}

/// What a unit of each cell costs in the relaxation: the duals of the balances, which are the first rows.
fn prices(core: &Core<'_>, c: &Compiled<'_>) -> Vec<f64> {
    (0..).take(c.cells.len()).map(|row| core.solved.dual(row)).collect()
}

/// The edges that each cell starts with: the cheapest, fixed costs spread over what they can carry.
fn first(c: &Compiled<'_>) -> Vec<bool> {
    if c.edges.len() <= FEW_EDGES {
        return vec![true; c.edges.len()];
    }
    let member = c.problem().call.coordination.per_member_cents;
    let score = |e: usize| {
        let edge = &c.edges[e];
        let fixed = c.offers[edge.offer].capability.fixed_cost_cents + member;
        keur(edge.terms.unit_cost) + keur(fixed) / units(c.most(edge)).max(1.0)
    };
    let mut keep = vec![false; c.edges.len()];
    for cell in &c.cells {
        let mut edges = cell.edges.clone();
        edges.sort_by(|&a, &b| score(a).total_cmp(&score(b)));
        for e in edges.into_iter().take(FIRST_EDGES) {
            keep[e] = true;
        }
    }
    for meets in conditions(c) {
        let mut able: Vec<usize> = (0..c.candidates.len()).filter(|&i| meets(i)).collect();
        able.sort_by_key(|&i| Reverse(c.candidates[i].offers.len()));
        for e in able.into_iter().take(FOR_RULE).flat_map(|i| c.candidates[i].offers.clone()).flat_map(|k| c.offers[k].edges.clone()) {
            keep[e] = true;
        }
    }
    for e in c.candidates.iter().filter(|i| i.locked_in).flat_map(|i| i.offers.clone()).flat_map(|k| c.offers[k].edges.clone()) {
        keep[e] = true;
    }
    keep
}

/// What rules ask of some member, which prices do not know.
fn conditions<'c>(c: &'c Compiled<'_>) -> Vec<Box<dyn Fn(usize) -> bool + 'c>> {
    let mut list: Vec<Box<dyn Fn(usize) -> bool + 'c>> = Vec::new();
    for rule in c.rules.eligibility(c.problem()) {
        if let Scope::AnyMember | Scope::SumOverMembers | Scope::Lead = rule.scope {
            let least = match &rule.criterion {
                // All members together: anybody with a part of it helps.
                Criterion::Turnover { minimum_cents } if rule.scope == Scope::SumOverMembers => Some(minimum_cents / 10),
                _ => None,
            };
            list.push(Box::new(move |i| {
                let actor = c.candidates[i].actor;
                match least {
                    Some(least) => c.problem().actors[actor].turnover_cents.is_some_and(|own| own >= least),
                    None => eligibility::meets(c.instance, actor, &rule.criterion),
                }
            }));
        }
    }
    if c.problem().call.group.minimum_legal_families.is_some() && c.rules.active(RuleId::LegalFamilies) {
        let family = |i: usize| c.problem().actors[c.candidates[i].actor].legal_family.as_deref();
        let mut families: Vec<&str> = (0..c.candidates.len()).filter_map(family).collect();
        families.sort_unstable();
        families.dedup();
        for own in families.into_iter().take(FOR_RULE) {
            list.push(Box::new(move |i| family(i) == Some(own)));
        }
    }
    list
}

/// The core with the edges that would pay: those of the candidates with the largest gains, up to twice the size of a group.
fn grow(c: &Compiled<'_>, keep: &[bool], priced: &Priced) -> Vec<bool> {
    let mut able: Vec<usize> = (0..c.candidates.len()).filter(|&i| priced.gain[i] > 1e-9).collect();
    able.sort_by(|&a, &b| priced.gain[b].total_cmp(&priced.gain[a]));
    let mut grown = keep.to_vec();
    for i in able.into_iter().take(price::most_members(c).saturating_mul(2)) {
        for e in c.candidates[i].offers.clone().flat_map(|k| c.offers[k].edges.clone()) {
            grown[e] |= priced.works[e];
        }
    }
    grown
}
