//! What each rule of the call costs its funder: the best consortium with it, and without it.
//!
//! A rule's worth is the objective of the best consortium under all rules, less that of the best one without the rule: what the
//! funder would save by giving it up altogether. For rules with a number, the same for the smallest step that a funder would think
//! of. One search each, exact within the gap.

use serde::{Deserialize, Serialize};

use crate::answer::{Proposal, Status};
use crate::backend::Backend;
use crate::compile::Compiled;
use crate::control::{Control, Observer};
use crate::formulate::{Objective, Question};
use crate::infeasible::relax::{self, Relaxation};
use crate::instance::Instance;
use crate::model::{Call, Cents, Options};
use crate::propose::{self, Best};
use crate::rules::{RuleId, RuleSet};
use crate::text;

/// Asks what each rule of the call costs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RulesQuery {}

/// What each rule costs, dearest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RulesAnswer {
    /// What is known of the best consortium under all rules. The list is empty unless there is one.
    pub status: Status,
    /// That consortium.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best: Option<Box<Proposal>>,
    /// Every rule that this call makes use of, but for the demand itself.
    pub rules: Vec<RuleWorth>,
}

/// What one rule costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RuleWorth {
    /// The family of rules.
    pub rule: RuleId,
    /// The eligibility rule of the call, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub eligibility: Option<String>,
    /// What giving the rule up would save: exactly this where it is proven, at least this where it is not.
    pub worth_cents: i64,
    /// Whether both consortia are proven best.
    pub proven: bool,
    /// Members of the best consortium without the rule who are not in the best one with it.
    pub newcomers: Vec<String>,
    /// The same for a small step, for rules with a number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepWorth>,
    /// An English sentence.
    pub text: String,
}

/// What a small change of a rule would save.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StepWorth {
    /// The change: `maximum_members 5 instead of 4`.
    pub change: String,
    /// What it would save: exactly this where it is proven, at least this where it is not.
    pub worth_cents: i64,
    /// Whether both consortia are proven best.
    pub proven: bool,
}

/// Prices every rule. One search for the best consortium, one for each rule, and one for each step.
pub(crate) fn answer(instance: &Instance, options: &Options, observer: &dyn Observer) -> RulesAnswer {
    let backend = &Backend::new(options, Control::new(options, observer));
    let c = &Compiled::new(instance, options, RuleSet::without(options.disabled_rules.iter().copied()));
    let base = match propose::best(c, backend, &Question::minimise(Objective::Euros)) {
        Best::Found(draft) => draft.proposal,
        Best::Infeasible => return RulesAnswer { status: Status::Infeasible, best: None, rules: Vec::new() },
        Best::Unknown => return RulesAnswer { status: Status::Unknown, best: None, rules: Vec::new() },
    };
    let priced = |relaxation: &Relaxation<'_>| !matches!(relaxation.rule, RuleId::Demand | RuleId::ActiveMember);
    let relaxations = relax::candidates(c).into_iter().filter(priced);
    let mut rules: Vec<RuleWorth> = relaxations.filter_map(|own| worth(c, backend, &base, own)).collect();
    rules.sort_by_key(|rule| std::cmp::Reverse(rule.worth_cents));
    let status = if base.proof.optimal { Status::Optimal } else { Status::Feasible };
    RulesAnswer { status, best: Some(Box::new(base)), rules }
}

/// What one rule costs. `None` where the limit came first.
fn worth(c: &Compiled<'_>, backend: &Backend<'_>, base: &Proposal, own: Relaxation<'_>) -> Option<RuleWorth> {
    let relaxed = Compiled::new(c.instance, c.options, own.rules);
    let (worth_cents, proven, without) = saving(&relaxed, backend, base)?;
    let known = |id: &str| base.members.iter().any(|member| member.actor == id);
    let newcomers = without.members.into_iter().filter(|member| worth_cents > 0 && !known(&member.actor));
    let (newcomers, names): (Vec<_>, Vec<_>) = newcomers.map(|member| (member.actor, member.name)).unzip();
    // Without the rule there is nothing to be had in steps either.
    let steps = if worth_cents > 0 { steps(c, backend, base, own.rule) } else { Vec::new() };
    let told =
        own.eligibility.map_or_else(|| own.rule.title().to_owned(), |rule| format!("The condition \"{}\"", rule.id));
    let least = if proven { "" } else { "at least " };
    let text = match (worth_cents, names.as_slice()) {
        (0, _) if proven => format!("{told} costs nothing."),
        (0, _) => format!("What {} costs is not known: the limit came first.", text::lower(&told)),
        (saved, []) => format!("{told} costs {least}{}.", text::euros(saved)),
        (saved, names) => {
            format!("{told} costs {least}{}: without it, {} would join.", text::euros(saved), text::list(names))
        }
    };
    let eligibility = own.eligibility.map(|rule| rule.id.clone());
    Some(RuleWorth { rule: own.rule, eligibility, worth_cents, proven, newcomers, steps, text })
}

/// How much less the best consortium of a relaxed problem costs, whether that is proven, and who it is.
fn saving(relaxed: &Compiled<'_>, backend: &Backend<'_>, base: &Proposal) -> Option<(Cents, bool, Proposal)> {
    // What keeps fewer rules is nobody's proposal.
    match backend.quietly(|backend| propose::best(relaxed, backend, &Question::minimise(Objective::Euros))) {
        Best::Found(draft) if draft.proposal.proof.verified => {
            let without = draft.proposal;
            let proven = base.proof.optimal && without.proof.optimal;
            let least = if proven { base.costs.objective_cents } else { base.proof.bound_cents };
            Some(((least - without.costs.objective_cents).max(0), proven, without))
        }
        // What breaks a rule that is in force saves nothing.
        Best::Found(_) | Best::Infeasible | Best::Unknown => None,
    }
}

/// The smallest steps of a rule with a number, each alone.
fn steps(c: &Compiled<'_>, backend: &Backend<'_>, base: &Proposal, rule: RuleId) -> Vec<StepWorth> {
    let mut found = Vec::new();
    for (change, call) in stepped(&c.problem().call, rule) {
        let mut problem = c.problem().clone();
        problem.call = call;
        // A step may leave the range of its field: then it is none.
        let Ok(instance) = Instance::new(problem) else { continue };
        let relaxed = Compiled::new(&instance, c.options, c.rules.clone());
        if let Some((worth_cents, proven, _)) = saving(&relaxed, backend, base) {
            found.push(StepWorth { change, worth_cents, proven });
        }
    }
    found
}

/// The call with one number of the rule a step further, for each such number.
fn stepped(call: &Call, rule: RuleId) -> Vec<(String, Call)> {
    let mut found = Vec::new();
    let mut step = |what: String, from: i64, to: i64, set: &dyn Fn(&mut Call)| {
        let mut changed = call.clone();
        set(&mut changed);
        found.push((format!("{what} {to} instead of {from}"), changed));
    };
    let group = &call.group;
    match rule {
        RuleId::Size => {
            if let Some(most) = group.maximum_members {
                let more = most.saturating_add(1);
                step("maximum_members".into(), most.into(), more.into(), &|c| c.group.maximum_members = Some(more));
            }
            if group.minimum_members > 1 {
                let (least, fewer) = (group.minimum_members, group.minimum_members - 1);
                step("minimum_members".into(), least.into(), fewer.into(), &|c| c.group.minimum_members = fewer);
            }
        }
        RuleId::Budget => {
            if let Some(budget) = call.budget_cents {
                let more = budget.saturating_add(budget / 100);
                step("budget_cents".into(), budget, more, &|c| c.budget_cents = Some(more));
            }
        }
        RuleId::MaximumShare => {
            if let Some(most) = group.maximum_share_percent {
                let more = (most + 5).min(100);
                let set = |c: &mut Call| c.group.maximum_share_percent = Some(more);
                step("maximum_share_percent".into(), most.into(), more.into(), &set);
            }
        }
        RuleId::MinimumShare => {
            if let Some(least) = group.minimum_share_percent {
                let fewer = least.saturating_sub(1);
                let set = |c: &mut Call| c.group.minimum_share_percent = Some(fewer);
                step("minimum_share_percent".into(), least.into(), fewer.into(), &set);
            }
        }
        RuleId::LegalFamilies => {
            if let Some(least) = group.minimum_legal_families.filter(|&least| least > 0) {
                let set = |c: &mut Call| c.group.minimum_legal_families = Some(least - 1).filter(|&fewer| fewer > 0);
                step("minimum_legal_families".into(), least.into(), i64::from(least) - 1, &set);
            }
        }
        RuleId::LotSize => {
            for (l, lot) in call.lots.iter().enumerate() {
                if let Some(most) = lot.maximum_members {
                    let more = most.saturating_add(1);
                    let set = |c: &mut Call| c.lots[l].maximum_members = Some(more);
                    step(format!("maximum_members of {}", lot.id), most.into(), more.into(), &set);
                }
                if let Some(least) = lot.minimum_members.filter(|&least| least > 0) {
                    let set = |c: &mut Call| c.lots[l].minimum_members = Some(least - 1).filter(|&fewer| fewer > 0);
                    step(format!("minimum_members of {}", lot.id), least.into(), i64::from(least) - 1, &set);
                }
            }
        }
        RuleId::FewHands => {
            for (l, n, need) in call
                .lots
                .iter()
                .enumerate()
                .flat_map(|(l, lot)| lot.needs.iter().enumerate().map(move |(n, need)| (l, n, need)))
            {
                if let Some(most) = need.maximum_suppliers {
                    let more = most.saturating_add(1);
                    let set = |c: &mut Call| c.lots[l].needs[n].maximum_suppliers = Some(more);
                    step(format!("maximum_suppliers of {}", need.id), most.into(), more.into(), &set);
                }
            }
        }
        _ => {}
    }
    found
}
