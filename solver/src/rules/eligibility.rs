//! Conditions of participation. What each member or performer must meet is settled before the model, by taking edges away;
//! here stand the conditions that the members meet together.

use good_lp::{Expression, variable};

use crate::compile::Compiled;
use crate::formulate::{Formulation, keur};
use crate::instance::Instance;
use crate::model::{Criterion, EligibilityRule, Scope};
use crate::rules::RuleSet;

/// Whether an actor alone meets a criterion.
pub(crate) fn meets(instance: &Instance, actor: usize, criterion: &Criterion) -> bool {
    let declared = &instance.problem().actors[actor];
    match criterion {
        Criterion::Credential { code, accept_linked } => {
            let guarantors = instance.guarantors[actor].iter().filter(|_| *accept_linked);
            std::iter::once(&actor).chain(guarantors).any(|&holder| holds(instance, holder, code))
        }
        Criterion::LegalFamily { any_of } => declared.legal_family.as_ref().is_some_and(|f| any_of.contains(f)),
        Criterion::HomeTerritory { territory } => {
            let tree = &instance.territories;
            let asked = tree.get(territory);
            let mut homes = declared.home_territories.iter().filter_map(|home| tree.get(home));
            homes.any(|home| asked.is_some_and(|asked| tree.related(home, asked)))
        }
        Criterion::Turnover { minimum_cents } => declared.turnover_cents.is_some_and(|own| own >= *minimum_cents),
    }
}

/// Whether an actor holds a certificate that is valid on the first day of the contract.
fn holds(instance: &Instance, actor: usize, code: &str) -> bool {
    let start = instance.problem().call.start.as_deref();
    instance.problem().actors[actor].credentials.iter().filter(|held| held.code == code).any(|held| {
        start.is_none_or(|day| {
            held.valid_from.as_deref().is_none_or(|from| from <= day)
                && held.valid_to.as_deref().is_none_or(|to| day <= to)
        })
    })
}

/// Whether an actor meets every condition on the lead.
pub(crate) fn may_lead(instance: &Instance, rules: &RuleSet, actor: usize) -> bool {
    let mut asked = rules.eligibility(instance.problem()).filter(|rule| rule.scope == Scope::Lead);
    asked.all(|rule| meets(instance, actor, &rule.criterion))
}

/// For each condition on the members together: those who meet it are at least one, or their turnovers add up. Where it names
/// lots, only members that work for them count.
pub(crate) fn emit(f: &mut Formulation, c: &Compiled<'_>) {
    for rule in c.rules.eligibility(c.problem()) {
        match (rule.scope, &rule.criterion) {
            (Scope::SumOverMembers, Criterion::Turnover { minimum_cents }) => {
                let mut together = Expression::default();
                for i in 0..c.candidates.len() {
                    let turnover = c.problem().actors[c.candidates[i].actor].turnover_cents.unwrap_or(0);
                    if turnover > 0 {
                        let counted = counts(f, c, rule, i);
                        together.add_mul(keur(turnover.min(*minimum_cents)), counted);
                    }
                }
                f.add(together.geq(keur(*minimum_cents)));
            }
            (Scope::AnyMember | Scope::SumOverMembers, criterion) => {
                let mut those = Expression::default();
                for i in 0..c.candidates.len() {
                    if meets(c.instance, c.candidates[i].actor, criterion) {
                        those += counts(f, c, rule, i);
                    }
                }
                f.add(those.geq(1));
            }
            // A member that delivers nothing must meet it too.
            (Scope::EachMember, criterion) if rule.lots.is_empty() => {
                for i in 0..c.candidates.len() {
                    if !meets(c.instance, c.candidates[i].actor, criterion) {
                        f.add((f.member[i] * 1.0).leq(0));
                    }
                }
            }
            (Scope::EachMember | Scope::Performer | Scope::Lead, _) => {}
        }
    }
}

/// 1 only if the candidate is a member and works for a lot that the rule names, if it names any.
fn counts(f: &mut Formulation, c: &Compiled<'_>, rule: &EligibilityRule, candidate: usize) -> good_lp::Variable {
    if rule.lots.is_empty() {
        return f.member[candidate];
    }
    let works = f.variables.add(variable().binary());
    f.integers.push(works);
    let mut work = Expression::default();
    for e in c.candidates[candidate].offers.clone().flat_map(|o| c.offers[o].edges.clone()) {
        let lot = c.needs[c.cells[c.edges[e].cell].need].lot;
        if rule.lots.contains(&c.problem().call.lots[lot].id) {
            work += f.quantity[e];
        }
    }
    f.add((work - works).geq(0));
    f.add((works - f.member[candidate]).leq(0));
    works
}
