//! Hand-made teams: the solver's check, told with every rule of the call, what is missing and what to beware of.

use std::collections::{BTreeMap, BTreeSet};

use attelage_solver::{CheckRequest, Problem, Query, Reply, RuleId, RuleName, Status, TeamCheck};
use uuid::Uuid;

use super::reach::{Missing, deliverable, missing};
use super::survey::{Survey, by_need, coverage_percent};
use super::{RuleVerdict, TeamDraft, TeamReport, TeamRule, words};
use crate::calls::{Call, Grouping, Scope};
use crate::problem::Fault;
use crate::runs::RunOptions;
use crate::runs::prompt::{Answered, Ask};

impl Ask for TeamDraft {
    type Told = TeamReport;

    fn organisation(&self) -> Option<Uuid> {
        self.organisation
    }

    fn run(&self, _: Option<Uuid>) -> RunOptions {
        let team = self.team.iter().map(ToString::to_string).collect();
        RunOptions {
            organisation: self.organisation,
            lots: self.lots.clone(),
            proposals: 1,
            time_limit_seconds: self.time_limit_seconds,
            question: Query::Check(CheckRequest { team }),
            ..RunOptions::default()
        }
    }

    fn faults(&self, problem: &Problem, _: &RunOptions) -> Vec<Fault> {
        list_faults(&able(problem), "team", &self.team, &mut BTreeMap::new())
    }

    fn tell(&self, answered: &Answered) -> Option<TeamReport> {
        let Reply::Check(check) = &answered.reply else { return None };
        let ids: Vec<String> = self.team.iter().map(ToString::to_string).collect();
        let team: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        let (problem, call) = (answered.instance.problem(), &answered.call);
        let supply = Survey::of(problem, &team)?.supply(&team);
        let (coverage_percent, needs) = match &check.proposal {
            Some(proposal) => (proposal.coverage_percent, proposal.needs.clone()),
            None => (coverage_percent(problem, &by_need(&supply)), deliverable(problem, &supply)),
        };
        let Missing { places: missing, left_out: missing_left_out } = missing(call, &supply);
        let joining = check.completion.iter().flat_map(|completion| &completion.joining);
        Some(TeamReport {
            run: answered.run,
            call_version: call.version,
            fingerprint: answered.fingerprint.clone(),
            status: check.status,
            coverage_percent,
            needs,
            rules: rules(call, check),
            unnecessary: check.redundant.clone(),
            missing,
            missing_left_out,
            completed_by: joining.filter_map(|id| id.parse().ok()).collect(),
            objective_cents: check.proposal.as_ref().map(|proposal| proposal.costs.objective_cents),
            best_cents: check.best_cents,
            warnings: words::warnings(self.team.len(), &check.redundant),
        })
    }
}

/// The actors of a problem that can do something.
#[must_use]
pub fn able(problem: &Problem) -> BTreeSet<&str> {
    let able = problem.actors.iter().filter(|actor| !actor.capabilities.is_empty());
    able.map(|actor| actor.id.as_str()).collect()
}

/// The faults of a list of organisations: each can do something, and stands once in all lists.
pub fn list_faults<'m>(
    able: &BTreeSet<&str>,
    member: &'m str,
    list: &[Uuid],
    seen: &mut BTreeMap<Uuid, &'m str>,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (position, id) in list.iter().enumerate() {
        let at = format!("/{member}/{position}");
        if !able.contains(id.to_string().as_str()) {
            faults.push(Fault::at(at, "no organisation with a capability for this call has this id"));
        } else if let Some(before) = seen.insert(*id, member) {
            faults.push(Fault::at(at, format!("this organisation stands in `{before}` already")));
        }
    }
    faults
}

/// The rules that a call sets, and those that any answer keeps where they are broken.
fn rules(call: &Call, check: &TeamCheck) -> Vec<TeamRule> {
    let written = &call.value.written;
    let conditions = written.eligibility.iter().map(|rule| {
        let of_lead = rule.scope == Scope::Lead;
        (if of_lead { RuleId::Lead } else { RuleId::Eligibility }, Some(rule.code.clone()))
    });
    let mut all: Vec<(RuleId, Option<String>)> = conditions.collect();
    let (group, money) = (&written.group_policy, &written.money_policy);
    let needs = || written.lots.iter().flat_map(|lot| &lot.needs);
    let least = group.grouping == Grouping::Required || group.minimum_members.is_some_and(|least| least > 1);
    let by_lot = written.lots.iter().any(|lot| lot.minimum_members.is_some() || lot.maximum_members.is_some());
    let set = [
        (RuleId::Demand, needs().any(|need| need.mandatory)),
        (RuleId::Budget, written.budget_cents.is_some()),
        (RuleId::Size, least || group.maximum_members.is_some()),
        (RuleId::LotSize, by_lot),
        (RuleId::FewHands, needs().any(|need| need.maximum_suppliers.is_some())),
        (RuleId::MaximumShare, group.maximum_share_percent.is_some()),
        (RuleId::MinimumShare, group.minimum_share_percent.is_some()),
        (RuleId::LegalFamilies, group.minimum_legal_families.is_some_and(|least| least > 1)),
        (RuleId::Connected, group.connected),
        (RuleId::Treasury, money.payment_delay_days > 0),
    ];
    all.extend(set.into_iter().filter(|(_, is_set)| *is_set).map(|(rule, _)| (rule, None)));
    let broken = check.broken.iter().map(|broken| &broken.name).chain(&check.together);
    for name in broken.filter(|name| name.eligibility.is_none()) {
        if !all.iter().any(|(rule, _)| *rule == name.rule) {
            all.push((name.rule, None));
        }
    }
    all.into_iter().map(|(rule, condition)| judged(check, rule, condition)).collect()
}

fn judged(check: &TeamCheck, rule: RuleId, condition: Option<String>) -> TeamRule {
    // What is asked of the lead is one rule to the solver, however many conditions it has.
    let is_it = |name: &RuleName| {
        name.rule == rule && (name.eligibility == condition || rule == RuleId::Lead && name.eligibility.is_none())
    };
    let broken = check.broken.iter().find(|broken| is_it(&broken.name));
    let verdict = match check.status {
        Status::Unknown => RuleVerdict::NotJudged,
        Status::Infeasible if broken.is_some() => RuleVerdict::Broken,
        Status::Infeasible if check.together.iter().any(is_it) => RuleVerdict::BrokenTogether,
        Status::Optimal | Status::Feasible | Status::Infeasible => RuleVerdict::Kept,
    };
    let changes = broken.map(|broken| broken.changes.clone()).unwrap_or_default();
    TeamRule { name: words::rule(rule, condition.as_deref()), rule, condition, verdict, changes }
}
