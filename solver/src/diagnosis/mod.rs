//! Why nobody can answer a call: the rules that contradict each other, the cheapest ways out, and the capability that is missing.
//!
//! Three independent views. The *conflict* is a set of rules that cannot hold together, each of them necessary to the
//! contradiction (`QuickXplain`: Junker, *Preferred explanations and relaxations for over-constrained problems*, 2004). The
//! *relaxations* come from an elastic program with one indicator a rule (Chinneck, *Feasibility and Infeasibility in
//! Optimization*, 2008), solved again with each set found forbidden. The *shortages* are the violators of Hall's condition that
//! a minimum cut shows: needs whose suppliers, all together, have too little.

mod conflict;
mod constraint;
mod elastic;
mod oracle;
mod relaxation;
mod shortage;

use serde::{Deserialize, Serialize};

use crate::answer::{NearMiss, Proposal};
use crate::backend::Backend;
use crate::compile::Compiled;
use crate::control::{Control, Observer, Stage};
use crate::instance::{Fault, Instance};
use crate::model::Options;
use crate::rules::{RuleId, RuleSet};
use oracle::Oracle;

/// Asks why nobody can answer a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct DiagnosisQuery {
    /// How many ways out: those of fewest rules first, then those that give way least. 0 to 10.
    pub relaxations: u32,
}

impl Default for DiagnosisQuery {
    fn default() -> Self {
        Self { relaxations: 3 }
    }
}

/// What is in the way of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Diagnosis {
    /// Whether somebody can answer. Everything else is empty unless the verdict is `not_answerable`.
    pub verdict: Answerability,
    /// Rules that cannot hold together. Empty where not even a call without rules finds a member, or where the limit came first.
    pub conflict: Vec<ConflictRule>,
    /// Sets of rules whose relaxation makes an answer possible: fewest rules first, then the least amount. No part of a set is
    /// enough.
    pub relaxations: Vec<Relaxation>,
    /// Where capability is missing, whatever the rules on the group.
    pub shortages: Vec<Shortage>,
    /// Whether everything asked for was computed, proven and re-verified before the limit.
    pub complete: bool,
    /// One sentence for people.
    pub text: String,
}

/// Whether somebody can answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Answerability {
    /// Some consortium keeps every rule.
    Answerable,
    /// Proven: none does.
    NotAnswerable,
    /// The limit came first.
    Unknown,
}

/// Something that the call, or whoever asks, could give up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Constraint {
    /// A condition of participation.
    Eligibility {
        /// Its id in the call.
        id: String,
    },
    /// A family of rules.
    Rule {
        /// Which.
        rule: RuleId,
    },
    /// The options want an actor as a member.
    LockedIn {
        /// The actor.
        actor: String,
    },
    /// The options want no part of an actor.
    LockedOut {
        /// The actor.
        actor: String,
    },
    /// A need must be covered in full.
    Need {
        /// Its id in the call.
        id: String,
    },
}

/// A rule of a conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ConflictRule {
    /// The rule.
    pub constraint: Constraint,
    /// Proven: without it the other rules of the conflict can hold together.
    pub necessary: bool,
    /// What it asks, in English.
    pub text: String,
}

/// A set of rules whose relaxation makes an answer possible.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Relaxation {
    /// What to give up, and by how much.
    pub changes: Vec<Concession>,
    /// By how much the size, the budget and the needs among them give way, in percent of what each asks, added up.
    pub amount_percent: f64,
    /// The best consortium that gives way no further; re-verified under the rules that are left.
    pub proposal: Box<Proposal>,
}

/// One rule that gives way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Concession {
    /// The rule.
    pub constraint: Constraint,
    /// By how much: members for the size, cents for the budget, units for a need.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount: Option<u64>,
    /// An English sentence.
    pub text: String,
}

/// Needs whose suppliers, all together, have too little.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Shortage {
    /// The needs that share these suppliers, in the order of the call.
    pub needs: Vec<String>,
    /// Their services, sorted.
    pub services: Vec<String>,
    /// Their publics, sorted; empty where everybody.
    pub publics: Vec<String>,
    /// Where, sorted.
    pub territories: Vec<String>,
    /// Units asked there.
    pub asked: u64,
    /// Units that all suppliers together have.
    pub available: u64,
    /// The difference: no consortium covers it.
    pub missing: u64,
    /// The suppliers, by id.
    pub suppliers: Vec<String>,
    /// Actors that come nearest to being one more, each with what it lacks. At most five.
    pub near_misses: Vec<NearMiss>,
    /// An English sentence.
    pub text: String,
}

/// Answers a [`DiagnosisQuery`]. About 2k·log(n/k) linear programs and k small searches for a conflict of k among n rules, four
/// searches for each relaxation, and one maximum flow.
///
/// # Errors
/// Options or a query out of range.
pub(crate) fn diagnose(
    instance: &Instance,
    options: &Options,
    query: &DiagnosisQuery,
    observer: &dyn Observer,
) -> Diagnosis {
    let backend = Backend::new(options, Control::new(options, observer));
    backend.control.enter(Stage::Diagnosis);
    let rules = RuleSet::without(options.disabled_rules.iter().copied());
    let compiled = Compiled::new(instance, options, rules);
    answer(&compiled, &backend, query)
}

/// What is wrong with the settings.
pub(crate) fn faults(query: &DiagnosisQuery) -> Vec<Fault> {
    let fault = || Fault { path: "/relaxations".to_owned(), message: "must be from 0 to 10".to_owned() };
    (query.relaxations > 10).then(fault).into_iter().collect()
}

fn answer(c: &Compiled<'_>, backend: &Backend<'_>, query: &DiagnosisQuery) -> Diagnosis {
    let all = constraint::all(c);
    let mut oracle = Oracle::new(c, backend, all);
    let mut told = Diagnosis {
        verdict: Answerability::Unknown,
        conflict: Vec::new(),
        relaxations: Vec::new(),
        shortages: Vec::new(),
        complete: true,
        text: String::new(),
    };
    told.verdict = match oracle.everything() {
        Some(true) => Answerability::Answerable,
        Some(false) => Answerability::NotAnswerable,
        None => Answerability::Unknown,
    };
    if told.verdict == Answerability::NotAnswerable {
        told.shortages = shortage::shortages(c);
        let possible = oracle.nothing();
        if possible == Some(true) {
            let found = conflict::conflict(&mut oracle);
            told.complete &= found.is_some();
            told.conflict = found.unwrap_or_default();
            told.complete &= told.conflict.iter().all(|rule| rule.necessary);
            let (relaxations, complete) = relaxation::cheapest(c, backend, &oracle, query.relaxations as usize);
            told.relaxations = relaxations;
            told.complete &= complete;
        }
        told.complete &= possible.is_some();
    }
    told.complete &= told.verdict != Answerability::Unknown;
    told.text = text(&told);
    told
}

fn text(told: &Diagnosis) -> String {
    match told.verdict {
        Answerability::Answerable => return "Somebody can answer: there is nothing to diagnose.".to_owned(),
        Answerability::Unknown => return "The limit came before it was known whether anybody can answer.".to_owned(),
        Answerability::NotAnswerable => {}
    }
    let mut parts = vec![match told.conflict.as_slice() {
        [] if told.complete => "Nobody can answer: no actor could be a member, whatever the rules.".to_owned(),
        [] => "Nobody can answer.".to_owned(),
        [one] => format!("Nobody can answer, because of one rule alone: {}", one.text),
        many => format!("Nobody can answer: {} rules cannot hold together.", many.len()),
    }];
    if let Some(first) = told.relaxations.first() {
        let changes: Vec<&str> = first.changes.iter().map(|change| change.text.as_str()).collect();
        parts.push(format!("The cheapest way out: {}", changes.join(" ")));
    }
    parts.join(" ")
}
