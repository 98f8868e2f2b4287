//! Which rules a team breaks, each proven, with the least that would have to change.
//!
//! The members are given, so that every model here is small. A rule is left out and its breach is measured instead, as little of it
//! as possible (an elastic program: Chinneck, *Feasibility and Infeasibility in Optimization*, 2008): first beside all other rules,
//! where no breach at all would contradict that the team is not admissible, so that the rule is what stands in the way; and else
//! beside the rules on delivery only, which tells whether it is broken by itself.

mod given;
mod slack;

use crate::answer::NeedCoverage;
use crate::backend::{End, Outcome};
use crate::compile::Compiled;
use crate::explain::gaps::Gaps;
use crate::formulate::{Formulation, Objective, Question};
use crate::model::{EligibilityRule, Options};
use crate::propose;
use crate::rules::{RuleId, RuleSet};

use super::Desk;
use super::audit::{BrokenRule, Change, RuleName};

/// What keeps a team from being admissible.
pub(super) struct Breaches {
    pub(super) broken: Vec<BrokenRule>,
    pub(super) together: Vec<RuleName>,
    pub(super) unmet_needs: Vec<NeedCoverage>,
}

/// A rule that can be left out by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Case<'a> {
    rule: RuleId,
    eligibility: Option<&'a EligibilityRule>,
}

impl Case<'_> {
    fn name(&self) -> RuleName {
        RuleName { rule: self.rule, eligibility: self.eligibility.map(|condition| condition.id.clone()) }
    }
}

/// Rules on what can be delivered; without them nothing said about a team would mean anything.
const DELIVERY: [RuleId; 3] = [RuleId::Capacity, RuleId::Pool, RuleId::MinimumQuantity];

/// How far a rule is from being kept.
enum Measure {
    /// It can be kept.
    Kept,
    /// With these changes.
    Broken(Vec<Change>),
    /// The rules beside it have no solution even without it.
    Hopeless,
    /// The limit came first.
    Unknown,
}

/// The rules that the team locked in by `alone`, which is not admissible, breaks.
pub(super) fn find(desk: &Desk<'_>, alone: &Options) -> Breaches {
    let audit = Audit { desk, alone, cases: cases(desk) };
    let (least, unmet_needs) = audit.shortage();
    let mut broken = Vec::new();
    for &case in &audit.cases {
        if desk.backend.expired() {
            break;
        }
        let beside = audit.measure(case, &audit.cases, None);
        let by_itself = match beside {
            Measure::Kept => continue,
            _ => audit.measure(case, &audit.delivery(), Some(least)),
        };
        let alone = matches!(by_itself, Measure::Broken(_));
        let (enough, changes) = match (beside, by_itself) {
            (Measure::Broken(changes), _) => (true, changes),
            (_, Measure::Broken(changes)) => (false, changes),
            _ => continue,
        };
        broken.push(BrokenRule { name: case.name(), alone, enough, changes });
    }
    let together = if broken.iter().any(|rule| rule.alone) { Vec::new() } else { audit.conflict() };
    Breaches { broken, together, unmet_needs }
}

/// The rules in force, each condition of participation by itself.
fn cases<'a>(desk: &Desk<'a>) -> Vec<Case<'a>> {
    let on = RuleSet::without(desk.options.disabled_rules.iter().copied());
    let conditions =
        on.eligibility(desk.instance.problem()).map(|c| Case { rule: RuleId::Eligibility, eligibility: Some(c) });
    let families = RuleId::ALL.into_iter().filter(|&rule| rule != RuleId::Eligibility && on.active(rule));
    conditions.chain(families.map(|rule| Case { rule, eligibility: None })).collect()
}

struct Audit<'d, 'a> {
    desk: &'d Desk<'a>,
    alone: &'d Options,
    cases: Vec<Case<'a>>,
}

impl<'a> Audit<'_, 'a> {
    fn delivery(&self) -> Vec<Case<'a>> {
        self.cases.iter().copied().filter(|case| DELIVERY.contains(&case.rule)).collect()
    }

    /// The call under these rules and no others.
    fn compile(&self, kept: &[Case<'a>]) -> Compiled<'_> {
        let on = |rule: RuleId| kept.iter().any(|case| case.rule == rule);
        let mut rules = RuleSet::without(RuleId::ALL.into_iter().filter(|&rule| !on(rule)));
        for condition in &self.desk.instance.problem().call.eligibility {
            if !kept.iter().any(|case| case.eligibility == Some(condition)) {
                rules = rules.waiving(&condition.id);
            }
        }
        Compiled::new(self.desk.instance, self.alone, rules)
    }

    /// The least shortage of mandatory needs under the rules on delivery, in the unit of the model, and what is then missing.
    fn shortage(&self) -> (f64, Vec<NeedCoverage>) {
        let c = self.compile(&self.delivery());
        let question = Question { elastic: true, whole: true, ..Question::minimise(Objective::Shortage) };
        let Outcome::Found(found) = self.desk.backend.ask(&c, &question) else { return (f64::INFINITY, Vec::new()) };
        let mut draft = propose::draft(&c, &question, &found);
        let asked: Vec<bool> = c.needs.iter().map(|need| need.need.mandatory).collect();
        Gaps::default().fill(&c, &self.desk.backend, &mut draft);
        let told = draft.proposal.needs.into_iter().zip(asked);
        let missed = told.filter(|(told, mandatory)| *mandatory && told.covered < told.quantity);
        (found.objective, missed.map(|(told, _)| told).collect())
    }

    /// The least breach of a rule beside others; with mandatory needs missed by no more than `short`, where that is given.
    fn measure(&self, case: Case<'a>, beside: &[Case<'a>], short: Option<f64>) -> Measure {
        let others: Vec<Case<'a>> = beside.iter().copied().filter(|other| *other != case).collect();
        let c = self.compile(&others);
        let elastic = case.rule == RuleId::Demand || short.is_some();
        let shortage = short.filter(|_| case.rule != RuleId::Demand).map(|short| short + 1e-6);
        let question = Question { elastic, shortage, whole: true, ..Question::minimise(Objective::Any) };
        if let Some(changes) = given::changes(self.desk, self.alone, case) {
            if changes.is_empty() {
                return Measure::Kept;
            }
            return match self.desk.backend.ask(&c, &question) {
                Outcome::Found(_) => Measure::Broken(changes),
                Outcome::Infeasible => Measure::Hopeless,
                Outcome::Unknown => Measure::Unknown,
            };
        }
        let with: Vec<Case<'a>> = others.iter().copied().chain([case]).collect();
        let kept = self.compile(&with);
        let mut f = Formulation::new(&c, &question);
        match slack::add(&mut f, &c, &kept, case.rule, case.eligibility) {
            Some(slacks) => self.least(&c, &mut f, &slacks, case),
            None => self.either(&c, &kept, &question),
        }
    }

    /// Solves a model with slacks for as little of them as possible.
    fn least(&self, c: &Compiled<'_>, f: &mut Formulation, slacks: &[slack::Slack], case: Case<'_>) -> Measure {
        if c.candidates.is_empty() {
            return Measure::Hopeless;
        }
        f.objective = slacks.iter().map(|slack| slack.weight * slack.variable).sum();
        let Some(mut session) = self.desk.backend.open(f, Objective::Any) else { return Measure::Unknown };
        let Some(solved) = session.solve(&self.desk.backend.control) else { return Measure::Unknown };
        match solved.end {
            End::Infeasible => Measure::Hopeless,
            End::Stopped => Measure::Unknown,
            End::Optimal => {
                let value = |slack: &slack::Slack| session.value(&solved, slack.variable);
                let broken = slacks.iter().filter(|slack| value(slack) > slack.least);
                let changes: Vec<Change> =
                    broken.map(|s| slack::change(self.desk, c, case.eligibility, s, value(s))).collect();
                if changes.is_empty() { Measure::Kept } else { Measure::Broken(changes) }
            }
        }
    }

    /// Whether a rule without a measure of its own is what stands in the way.
    fn either(&self, without: &Compiled<'_>, with: &Compiled<'_>, question: &Question) -> Measure {
        match (self.desk.backend.ask(with, question), self.desk.backend.ask(without, question)) {
            (Outcome::Found(_), _) => Measure::Kept,
            (Outcome::Infeasible, Outcome::Found(_)) => Measure::Broken(Vec::new()),
            (Outcome::Infeasible, Outcome::Infeasible) => Measure::Hopeless,
            _ => Measure::Unknown,
        }
    }

    /// A smallest set of rules that the team cannot keep together, by leaving out one after the other for good where the rest still
    /// contradicts itself (a deletion filter: Chinneck and Dravnieks, *Locating minimal infeasible constraint sets in linear
    /// programs*, 1991). Empty where the limit comes first.
    fn conflict(&self) -> Vec<RuleName> {
        let question = Question { whole: true, ..Question::minimise(Objective::Any) };
        let mut kept = self.cases.clone();
        for case in &self.cases {
            let rest: Vec<Case<'a>> = kept.iter().copied().filter(|other| other != case).collect();
            match self.desk.backend.ask(&self.compile(&rest), &question) {
                Outcome::Infeasible => kept = rest,
                Outcome::Found(_) => {}
                Outcome::Unknown => return Vec::new(),
            }
        }
        kept.iter().map(Case::name).collect()
    }
}
