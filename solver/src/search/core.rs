//! The edges that matter: a relaxation over a few edges a cell, grown until no other edge would pay.

use std::cmp::Reverse;

use super::part::Part;
use super::price::{self, Priced};
use crate::backend::{Backend, End, Session, Solved, cents};
use crate::compile::{Cell, Compiled};
use crate::formulate::{Formulation, Question, keur};
use crate::model::{Cents, Criterion, Scope};
use crate::rules::{RuleId, eligibility};

/// Edges that each cell starts with.
const FIRST_EDGES: usize = 3;
/// Parts of new prices in the mixtures that are evaluated.
const MIXTURES: [f64; 5] = [1.0, 0.8, 0.6, 0.4, 0.2];
/// Relative distance between the relaxation over the core and the bound at which nothing is left to win.
const SETTLED: f64 = 3e-4;
/// Candidates kept for each rule that asks something of the group as a whole.
const FOR_RULE: usize = 50;
/// Up to so many edges, all of them at once.
const FEW_EDGES: usize = 4_000;

/// The relaxation over the core, solved.
pub(super) struct Core<'a> {
    /// By edge of the whole.
    pub(super) keep: Vec<bool>,
    pub(super) part: Part<'a>,
    pub(super) formulation: Formulation,
    pub(super) session: Session,
    pub(super) solved: Solved,
    /// No solution of the whole problem costs less.
    pub(super) bound: Bound,
    /// Whether more rounds would change nothing.
    settled: bool,
}

/// The best bound so far, with the prices that prove it.
pub(super) struct Bound {
    pub(super) value: f64,
    pub(super) prices: Vec<f64>,
}

impl Bound {
    /// Evaluates new prices, and mixtures of them with the best ones, which swing less (Wentges, 1997); the core with all the edges
    /// that would pay at any of them.
    fn learn(&mut self, c: &Compiled<'_>, question: &Question, new: &[f64], keep: &[bool]) -> Vec<bool> {
        let old = if self.prices.is_empty() { new.to_vec() } else { self.prices.clone() };
        let mut grown = keep.to_vec();
        for part in MIXTURES {
            let mixed: Vec<f64> = new.iter().zip(&old).map(|(new, old)| part * new + (1.0 - part) * old).collect();
            let priced = price::evaluate(c, question, &mixed);
            grow(c, &mut grown, &priced);
            if priced.bound > self.value {
                (self.value, self.prices) = (priced.bound, mixed);
            }
        }
        grown
    }
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

/// Solves the linear relaxation over a core that grows, from the edges of an earlier core or from promising ones, until the bound of
/// the whole problem meets it or so many rounds are over. One linear program and a few evaluations of prices a round.
pub(super) fn relax<'a>(
    c: &Compiled<'a>,
    backend: &Backend<'_>,
    question: &Question,
    from: Option<Box<Core<'a>>>,
    rounds: usize,
) -> Relaxed<'a> {
    match from {
        Some(core) if core.settled => Relaxed::Core(core),
        Some(core) => {
            let Core { keep, bound, .. } = *core;
            grow_from(c, backend, question, keep, bound, rounds)
        }
        None => relax_from(c, backend, question, first(c, question), rounds),
    }
}

/// The same from given edges.
pub(super) fn relax_from<'a>(
    c: &Compiled<'a>,
    backend: &Backend<'_>,
    question: &Question,
    keep: Vec<bool>,
    rounds: usize,
) -> Relaxed<'a> {
    let unknown = Bound { value: f64::NEG_INFINITY, prices: Vec::new() };
    grow_from(c, backend, question, keep, unknown, rounds)
}

fn grow_from<'a>(
    c: &Compiled<'a>,
    backend: &Backend<'_>,
    question: &Question,
    mut keep: Vec<bool>,
    mut best: Bound,
    rounds: usize,
) -> Relaxed<'a> {
    let mut round = 0;
    loop {
        with_partners(c, &mut keep);
        let Some(mut core) = solve(c, backend, question, keep) else { return Relaxed::Stopped };
        let complete = core.keep.iter().all(|&kept| kept);
        if core.solved.end == End::Infeasible {
            if complete {
                return Relaxed::Infeasible;
            }
            keep = vec![true; c.edges.len()];
            continue;
        }
        if !core.solved.found() {
            return Relaxed::Stopped;
        }
        let optimal = core.solved.end == End::Optimal;
        let mut grown =
            if optimal { best.learn(c, question, &prices(&core, c), &core.keep) } else { core.keep.clone() };
        if complete && optimal {
            best.value = best.value.max(core.solved.objective);
        }
        core.bound = Bound { value: best.value, prices: best.prices.clone() };
        backend.control.tell(0, None, Some(cents(best.value.max(0.0))));
        round += 1;
        let misses = misses(&core, c);
        let met = core.solved.objective - best.value <= SETTLED * core.solved.objective.abs();
        core.settled = complete || !optimal || (met && !misses);
        if core.settled || (round >= rounds && !misses) {
            return Relaxed::Core(Box::new(core));
        }
        with_partners(c, &mut grown);
        if grown == core.keep {
            if !misses {
                core.settled = true;
                return Relaxed::Core(Box::new(core));
            }
            grown = vec![true; c.edges.len()];
        }
        keep = grown;
    }
}

fn solve<'a>(c: &Compiled<'a>, backend: &Backend<'_>, question: &Question, keep: Vec<bool>) -> Option<Core<'a>> {
    if backend.expired() {
        return None;
    }
    let part = Part::new(c, &keep);
    // What the core lacks is missed at a price that anybody outside would undercut, so that prices tell whom to add.
    let complete = keep.iter().all(|&kept| kept);
    let asked = Question { elastic: !complete, ..part.question(question) };
    let mut formulation = Formulation::new(&part.compiled, &asked);
    let mut session = backend.open(&mut formulation, question.objective)?;
    session.relax(true);
    for (j, cell) in c.cells.iter().enumerate().filter(|(_, cell)| !complete && c.mandatory(cell)) {
        session.price(formulation.unmet[j], keur(penalty(c, cell)));
    }
    let solved = session.solve(&backend.control)?;
    Some(Core {
        keep,
        part,
        formulation,
        session,
        solved,
        bound: Bound { value: f64::NEG_INFINITY, prices: Vec::new() },
        settled: false,
    })
}

/// More than anybody asks for a unit of a cell.
fn penalty(c: &Compiled<'_>, cell: &Cell) -> Cents {
    let dearest = cell.edges.iter().map(|&e| c.edges[e].terms.unit_cost).max().unwrap_or(0);
    dearest.max(c.needs[cell.need].need.unmet_cost_cents).saturating_mul(3)
}

/// Whether a mandatory cell is missed in part.
fn misses(core: &Core<'_>, c: &Compiled<'_>) -> bool {
    let mandatory = c.rules.active(RuleId::Demand);
    let mut unmet = c.cells.iter().zip(&core.formulation.unmet).filter(|(cell, _)| mandatory && c.mandatory(cell));
    unmet.any(|(_, &unmet)| core.session.value(&core.solved, unmet) > 1e-6)
}

/// What a unit of each cell costs in the relaxation: the duals of the balances, which are the first rows.
fn prices(core: &Core<'_>, c: &Compiled<'_>) -> Vec<f64> {
    (0..).take(c.cells.len()).map(|row| core.solved.dual(row)).collect()
}

/// The edges to start with: those that work at good prices, and the cheapest of each cell.
fn first(c: &Compiled<'_>, question: &Question) -> Vec<bool> {
    if c.edges.len() <= FEW_EDGES {
        return vec![true; c.edges.len()];
    }
    let mut keep = price::promising(c, question);
    for cell in &c.cells {
        let mut edges: Vec<(f64, usize)> = cell.edges.iter().map(|&e| (price::full_cost(c, e), e)).collect();
        edges.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (_, e) in edges.into_iter().take(FIRST_EDGES) {
            keep[e] = true;
        }
    }
    for meets in conditions(c) {
        let mut able: Vec<usize> = (0..c.candidates.len()).filter(|&i| meets(i)).collect();
        able.sort_by_key(|&i| Reverse(c.candidates[i].offers.len()));
        for e in able
            .into_iter()
            .take(FOR_RULE)
            .flat_map(|i| c.candidates[i].offers.clone())
            .flat_map(|k| c.offers[k].edges.clone())
        {
            keep[e] = true;
        }
    }
    for e in c
        .candidates
        .iter()
        .filter(|i| i.locked_in)
        .flat_map(|i| i.offers.clone())
        .flat_map(|k| c.offers[k].edges.clone())
    {
        keep[e] = true;
    }
    keep
}

/// Adds the edges of those without whom somebody who is there would not join.
fn with_partners(c: &Compiled<'_>, keep: &mut [bool]) {
    if !c.rules.active(RuleId::Preference) {
        return;
    }
    let edges = |i: usize| c.candidates[i].offers.clone().flat_map(|k| c.offers[k].edges.clone());
    for (actor, partners) in &c.preferences {
        if edges(*actor).any(|e| keep[e]) {
            for e in partners.iter().take(FOR_RULE).flat_map(|&i| edges(i)) {
                keep[e] = true;
            }
        }
    }
}

/// What rules ask of some member, which prices do not know.
fn conditions<'c>(c: &'c Compiled<'_>) -> Vec<Box<dyn Fn(usize) -> bool + 'c>> {
    let mut list: Vec<Box<dyn Fn(usize) -> bool + 'c>> = Vec::new();
    for rule in c.rules.eligibility(c.problem()) {
        if let Scope::AnyMember | Scope::SumOverMembers | Scope::Lead = rule.scope {
            let least = match &rule.criterion {
                // All members together: anybody with a part of it helps.
                Criterion::Turnover { minimum_cents } if rule.scope == Scope::SumOverMembers => {
                    Some(minimum_cents / 10)
                }
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

/// Adds the edges that would pay: those of the candidates with the largest gains, up to twice the size of a group.
fn grow(c: &Compiled<'_>, keep: &mut [bool], priced: &Priced) {
    let mut able: Vec<usize> = (0..c.candidates.len()).filter(|&i| priced.gain[i] > 1e-9).collect();
    able.sort_by(|&a, &b| priced.gain[b].total_cmp(&priced.gain[a]).then(a.cmp(&b)));
    for i in able.into_iter().take(price::most_members(c).saturating_mul(2)) {
        for e in c.candidates[i].offers.clone().flat_map(|k| c.offers[k].edges.clone()) {
            keep[e] |= priced.work[e] > 0.0;
        }
    }
}
