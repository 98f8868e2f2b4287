//! The independent checker: re-verifies a proposal against the problem as it was written, in integers.
//!
//! It shares no code with the model: it walks the trees itself, matches capabilities itself and adds up costs itself. Only the
//! division of a need among places, which *defines* what is asked where, is common.

mod facts;
mod rules;
mod sums;

use serde::{Deserialize, Serialize};

use crate::answer::Proposal;
use crate::model::{Options, Problem};
use crate::rules::{RuleId, RuleSet};
use facts::Facts;

/// Something in a proposal that contradicts the problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Violation {
    /// The rule that is broken; none where the proposal contradicts itself or names what does not exist.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<RuleId>,
    /// What is wrong, in English.
    pub message: String,
}

/// Re-verifies a proposal of a valid problem under all rules: existence, matching, quantities, sums, costs, roles and every
/// rule of the call. Empty means correct. O(allocations × depth of the trees + members²).
#[must_use]
pub fn check(problem: &Problem, proposal: &Proposal) -> Vec<Violation> {
    violations(problem, &Options::default(), &RuleSet::default(), proposal)
}

/// The same as [`check`] for a proposal made under these options: disabled rules may be broken, locks must be kept.
#[must_use]
pub fn check_with(problem: &Problem, options: &Options, proposal: &Proposal) -> Vec<Violation> {
    violations(problem, options, &RuleSet::without(options.disabled_rules.iter().copied()), proposal)
}

pub(crate) fn violations(problem: &Problem, options: &Options, on: &RuleSet, proposal: &Proposal) -> Vec<Violation> {
    let mut report = Report { on, violations: Vec::new() };
    let facts = Facts::new(problem, proposal);
    let known = sums::existence(&facts, proposal, &mut report);
    if !known {
        return report.violations; // What follows would talk about things that do not exist.
    }
    sums::allocations(&facts, on, proposal, &mut report);
    sums::coverage(&facts, proposal, &mut report);
    sums::costs(&facts, proposal, &mut report);
    sums::members(&facts, proposal, &mut report);
    rules::locks(&facts, options, &mut report);
    rules::amounts(&facts, &mut report);
    rules::money(&facts, proposal, &mut report);
    rules::group(&facts, &mut report);
    rules::shape(&facts, &mut report);
    rules::eligibility(&facts, proposal, &mut report);
    report.violations
}

/// Collects violations of the rules in force.
struct Report<'a> {
    on: &'a RuleSet,
    violations: Vec<Violation>,
}

impl Report<'_> {
    fn wrong(&mut self, message: impl Into<String>) {
        self.violations.push(Violation { rule: None, message: message.into() });
    }

    fn broken(&mut self, rule: RuleId, message: impl Into<String>) {
        if self.on.active(rule) {
            self.violations.push(Violation { rule: Some(rule), message: message.into() });
        }
    }

    /// Reports a contradiction unless the two are equal.
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, told: &T, counted: &T) {
        if told != counted {
            self.wrong(format!("{what}: {told:?} told, {counted:?} counted"));
        }
    }
}
