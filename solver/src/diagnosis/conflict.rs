//! A set of rules that cannot hold together, none of them idle.

use std::collections::BTreeSet;

use super::constraint::{Variant, describe};
use super::{ConflictRule, Constraint};
use crate::backend::{Backend, End};
use crate::compile::Compiled;
use crate::formulate::Objective;

/// Rules by their place in [`Oracle::all`].
type Set = BTreeSet<usize>;

/// Tells which sets of rules can hold together. What it has learnt serves every set below or above.
pub(super) struct Oracle<'a, 'o> {
    c: &'a Compiled<'a>,
    backend: &'a Backend<'o>,
    pub(super) all: Vec<Constraint>,
    possible: Vec<Set>,
    impossible: Vec<Set>,
}

impl<'a, 'o> Oracle<'a, 'o> {
    pub(super) fn new(c: &'a Compiled<'a>, backend: &'a Backend<'o>, all: Vec<Constraint>) -> Self {
        Self { c, backend, all, possible: Vec::new(), impossible: Vec::new() }
    }

    /// Whether all rules can hold together.
    pub(super) fn everything(&mut self) -> Option<bool> {
        self.holds(&(0..self.all.len()).collect())
    }

    /// Whether there is a consortium at all once every rule is given up.
    pub(super) fn nothing(&mut self) -> Option<bool> {
        self.holds(&Set::new())
    }

    /// Whether these rules can hold together; unknown where the limit came first. The relaxation first, which often settles it.
    fn holds(&mut self, kept: &Set) -> Option<bool> {
        if self.possible.iter().any(|known| kept.is_subset(known)) {
            return Some(true);
        }
        if self.impossible.iter().any(|known| known.is_subset(kept)) {
            return Some(false);
        }
        let holds = self.solve(kept)?;
        let list = if holds { &mut self.possible } else { &mut self.impossible };
        list.push(kept.clone());
        Some(holds)
    }

    fn solve(&self, kept: &Set) -> Option<bool> {
        let gone = self.all.iter().enumerate().filter(|(i, _)| !kept.contains(i)).map(|(_, constraint)| constraint);
        let variant = Variant::without(self.c, gone);
        let c = variant.compile(self.c.instance);
        if c.candidates.is_empty() {
            return Some(false);
        }
        if self.backend.expired() {
            return None;
        }
        let mut f = variant.formulate(&c, Objective::Any);
        let mut session = self.backend.open(&mut f, Objective::Any)?;
        session.relax(true);
        if session.solve(&self.backend.control)?.end == End::Infeasible {
            return Some(false);
        }
        session.relax(false);
        let solved = session.solve(&self.backend.control)?;
        match solved.end {
            End::Infeasible => Some(false),
            End::Optimal | End::Stopped => solved.found().then_some(true),
        }
    }

    /// A conflict, each of its rules tried without. To be called where everything cannot hold and nothing can.
    pub(super) fn conflict(&mut self) -> Option<Vec<ConflictRule>> {
        let all: Vec<usize> = (0..self.all.len()).collect();
        let conflict: Set = self.explain(&Set::new(), false, &all)?.into_iter().collect();
        let mut told = Vec::new();
        for &rule in &conflict {
            let mut rest = conflict.clone();
            rest.remove(&rule);
            told.push(ConflictRule {
                constraint: self.all[rule].clone(),
                necessary: self.holds(&rest) == Some(true),
                text: describe(self.c, &self.all[rule]),
            });
        }
        Some(told)
    }

    /// `QuickXplain`: the part of `rules` in a conflict with all of `kept`; `grown` tells whether `kept` has changed since it was
    /// last found possible.
    fn explain(&mut self, kept: &Set, grown: bool, rules: &[usize]) -> Option<Vec<usize>> {
        if grown && !self.holds(kept)? {
            return Some(Vec::new());
        }
        if rules.len() <= 1 {
            return Some(rules.to_vec());
        }
        let (first, second) = rules.split_at(rules.len() / 2);
        let with = |extra: &[usize]| kept.iter().chain(extra).copied().collect::<Set>();
        let late = self.explain(&with(first), true, second)?;
        let early = self.explain(&with(&late), !late.is_empty(), first)?;
        Some(early.into_iter().chain(late).collect())
    }
}
