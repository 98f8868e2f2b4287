//! Which rules, left out alone, would make an answer possible, and how far each would have to give way.

use std::collections::{BTreeMap, BTreeSet};

use crate::answer::{BlockingRule, Member, Proposal, Role};
use crate::backend::{Backend, Outcome};
use crate::compile::{Compiled, Offer};
use crate::formulate::{Objective, Question};
use crate::model::{Cents, EligibilityRule, Quantity, Scope};
use crate::propose::{self, Draft};
use crate::rules::{RuleId, RuleSet, eligibility};
use crate::text;

/// One rule less.
pub(crate) struct Relaxation<'a> {
    pub(crate) rule: RuleId,
    pub(crate) eligibility: Option<&'a EligibilityRule>,
    pub(crate) rules: RuleSet,
}

/// The rules in force that this call or these actors make use of, each left out alone, in the order of explanation.
pub(crate) fn candidates<'a>(c: &Compiled<'a>) -> Vec<Relaxation<'a>> {
    let conditions = c.rules.eligibility(c.problem()).map(|rule| Relaxation {
        rule: RuleId::Eligibility,
        eligibility: Some(rule),
        rules: c.rules.waiving(&rule.id),
    });
    let others = RuleId::ALL.into_iter().filter(|&rule| rule != RuleId::Eligibility && in_use(c, rule));
    let others = others.map(|rule| Relaxation { rule, eligibility: None, rules: c.rules.and_without(rule) });
    conditions.chain(others).collect()
}

/// Whether a rule is in force and could bind.
pub(crate) fn in_use(c: &Compiled<'_>, rule: RuleId) -> bool {
    let call = &c.problem().call;
    let capabilities = || c.problem().actors.iter().flat_map(|actor| &actor.capabilities);
    c.rules.active(rule)
        && match rule {
            RuleId::Lead => c.candidates.iter().any(|candidate| !candidate.may_lead),
            RuleId::LegalFamilies => call.group.minimum_legal_families.is_some(),
            RuleId::Incompatibility => !c.incompatible.is_empty(),
            RuleId::Preference => !c.preferences.is_empty(),
            RuleId::Connected => call.group.connected,
            RuleId::LotSize => {
                call.lots.iter().any(|lot| lot.minimum_members.is_some() || lot.maximum_members.is_some())
            }
            RuleId::FewHands => c.needs.iter().any(|need| need.need.maximum_suppliers.is_some()),
            RuleId::Budget => call.budget_cents.is_some(),
            RuleId::MaximumShare => call.group.maximum_share_percent.is_some(),
            RuleId::MinimumShare => call.group.minimum_share_percent.is_some(),
            RuleId::Treasury => c.problem().actors.iter().any(|actor| actor.available_cash_cents.is_some()),
            RuleId::MinimumQuantity => capabilities().any(|capability| capability.minimum_quantity > 0),
            RuleId::Pool => capabilities().any(|capability| capability.pool.is_some()),
            RuleId::Demand => c.needs.iter().any(|need| need.need.mandatory),
            RuleId::Eligibility | RuleId::Size | RuleId::Capacity | RuleId::ActiveMember => true,
        }
}

/// The rules each of which blocks alone. One search per rule.
pub(super) fn blocking(c: &Compiled<'_>, backend: &Backend<'_>, closest: Option<&Draft>) -> Vec<BlockingRule> {
    let mut found = Vec::new();
    for Relaxation { rule, eligibility, rules } in candidates(c) {
        let relaxed = Compiled::new(c.instance, c.options, rules);
        let objective = match rule {
            RuleId::Size => Objective::FewMembers,
            RuleId::Demand => Objective::Shortage,
            _ => Objective::Paid,
        };
        let question = Question { whole: true, ..Question::minimise(objective) };
        if let Outcome::Found(solution) = backend.ask(&relaxed, &question) {
            let draft = propose::draft(&relaxed, &question, &solution);
            if !draft.proposal.proof.verified {
                continue; // No advice that rests on what the checker refuses.
            }
            let text = match eligibility {
                Some(condition) => waive(&relaxed, condition, &draft),
                None => give_way(&relaxed, backend, rule, &draft, closest),
            };
            found.push(BlockingRule { rule, eligibility: eligibility.map(|condition| condition.id.clone()), text });
        }
    }
    found
}

/// Waiving a condition, and who would then take part.
pub(crate) fn waive(c: &Compiled<'_>, condition: &EligibilityRule, draft: &Draft) -> String {
    let fails = |i: &&usize| !eligibility::meets(c.instance, c.candidates[**i].actor, &condition.criterion);
    // A condition on the lead asks nothing of the others.
    let lead = lead(&draft.proposal).map(|member| member.actor.as_str());
    let asked = |i: &&usize| condition.scope != Scope::Lead || lead == Some(c.id(**i));
    let names: Vec<&str> = draft
        .members
        .iter()
        .filter(asked)
        .filter(fails)
        .map(|&i| c.instance.actor_name(c.candidates[i].actor))
        .collect();
    match names.as_slice() {
        [] => format!("Relax the condition \"{}\".", condition.id),
        [one] => format!("Relax the condition \"{}\", which {one} does not meet.", condition.id),
        many => format!("Relax the condition \"{}\", which {} do not meet.", condition.id, text::list(many)),
    }
}

/// The member that leads.
fn lead(proposal: &Proposal) -> Option<&Member> {
    proposal.members.iter().find(|member| matches!(member.role, Role::GroupLead | Role::SoleTenderer))
}

/// How far a rule would have to give way for one solution found without it.
pub(crate) fn give_way(
    c: &Compiled<'_>,
    backend: &Backend<'_>,
    rule: RuleId,
    draft: &Draft,
    closest: Option<&Draft>,
) -> String {
    let call = &c.problem().call;
    let proposal = &draft.proposal;
    match rule {
        RuleId::Budget => {
            let budget = call.budget_cents.unwrap_or(0);
            let needed = proposal.costs.total_cents;
            format!("Raise the budget by {} to {}.", text::euros(needed - budget), text::euros(needed))
        }
        RuleId::Size => size(c, backend, draft.members.len()),
        RuleId::MaximumShare => {
            format!("Raise maximum_share_percent to {}.", shares(proposal).map(f64::ceil).fold(0.0, f64::max))
        }
        RuleId::MinimumShare => {
            format!("Lower minimum_share_percent to {}.", shares(proposal).map(f64::floor).fold(100.0, f64::min))
        }
        RuleId::Treasury => format!("Pay sooner or advance more: {}.", advances(c, proposal)),
        RuleId::LegalFamilies => {
            let families = |id: &String| c.problem().actors[c.instance.actors[id]].legal_family.as_deref();
            let mut found: Vec<&str> = proposal.members.iter().filter_map(|m| families(&m.actor)).collect();
            found.sort_unstable();
            found.dedup();
            format!("Lower minimum_legal_families to {}.", found.len())
        }
        RuleId::Incompatibility => format!("Let {} work together.", together(c, draft)),
        RuleId::Preference => format!("Let {} join without those it asks for.", alone(c, draft)),
        RuleId::Connected => {
            let names: Vec<&str> = proposal.members.iter().map(|member| member.name.as_str()).collect();
            format!("Accept members that relations do not join: {}.", text::list(&names))
        }
        RuleId::LotSize => format!("Accept another number of members: {}.", lot_sizes(c, proposal)),
        RuleId::FewHands => format!("Accept more suppliers: {}.", hands(c, proposal)),
        RuleId::Lead => {
            let lead = lead(proposal).map_or("", |member| member.name.as_str());
            format!("Accept a lead that does not meet the conditions on the lead, {lead} for instance.")
        }
        RuleId::Capacity => format!("Find more capacity: {}.", beyond_capacity(c, draft)),
        RuleId::Pool => {
            "Let the actors of one pool deliver more together than the largest of them could alone.".to_owned()
        }
        RuleId::MinimumQuantity => format!("Accept smaller quantities: {}.", below_minimum(c, draft)),
        RuleId::ActiveMember => format!("Accept members that do nothing: {}.", idle(proposal)),
        RuleId::Demand => demand(c, closest.unwrap_or(draft)),
        RuleId::Eligibility => "Relax the conditions of participation.".to_owned(),
    }
}

fn size(c: &Compiled<'_>, backend: &Backend<'_>, fewest: usize) -> String {
    let group = &c.problem().call.group;
    if group.maximum_members.is_some_and(|most| fewest > most as usize) {
        return format!("Raise maximum_members to {fewest}.");
    }
    let question = Question { whole: true, ..Question::minimise(Objective::ManyMembers) };
    match backend.ask(c, &question) {
        Outcome::Found(found) if found.members.len() < group.minimum_members as usize => {
            format!("Lower minimum_members to {}.", found.members.len())
        }
        _ => format!("Change the number of members, to {fewest} for instance."),
    }
}

/// Each member's part of the cost of services, in percent.
#[allow(clippy::cast_precision_loss)]
fn shares(proposal: &Proposal) -> impl Iterator<Item = f64> {
    let mut own: BTreeMap<&str, Cents> = proposal.members.iter().map(|m| (m.actor.as_str(), 0)).collect();
    for work in &proposal.allocations {
        *own.entry(&work.actor).or_default() += work.amount_cents;
    }
    let all = proposal.costs.services_cents.max(1) as f64;
    own.into_values().map(move |own| own as f64 * 100.0 / all)
}

/// Who would have to advance how much more than it has.
fn advances(c: &Compiled<'_>, proposal: &Proposal) -> String {
    let call = &c.problem().call;
    let held = i128::from(100 - call.payment.advance_percent.min(100)) * i128::from(call.payment.delay_days) * 12;
    let whole = 100 * i128::from(call.duration_months) * 365;
    let lacking: Vec<String> = proposal
        .members
        .iter()
        .filter_map(|member| {
            let cash = c.problem().actors[*c.instance.actors.get(&member.actor)?].available_cash_cents?;
            let needed = Cents::try_from((i128::from(member.amount_cents) * held + whole - 1) / whole).ok()?;
            (needed > cash)
                .then(|| format!("{} would advance {} with {}", member.name, text::euros(needed), text::euros(cash)))
        })
        .collect();
    text::list(&lacking)
}

fn together(c: &Compiled<'_>, draft: &Draft) -> String {
    let pairs: Vec<String> = c
        .incompatible
        .iter()
        .filter(|(a, b)| draft.members.contains(a) && draft.members.contains(b))
        .map(|&(a, b)| [a, b].map(|i| c.instance.actor_name(c.candidates[i].actor)).join(" and "))
        .collect();
    pairs.join("; ")
}

/// Members that join only with others who are not there.
fn alone(c: &Compiled<'_>, draft: &Draft) -> String {
    let lonely = c
        .preferences
        .iter()
        .filter(|(actor, others)| draft.members.contains(actor) && draft.members.is_disjoint(others));
    let names: Vec<&str> = lonely.map(|(i, _)| c.instance.actor_name(c.candidates[*i].actor)).collect();
    text::list(&names)
}

/// Lots with another number of members than they ask for.
fn lot_sizes(c: &Compiled<'_>, proposal: &Proposal) -> String {
    let wrong = c.problem().call.lots.iter().filter_map(|lot| {
        let working = proposal.members.iter().filter(|member| member.lots.contains(&lot.id)).count();
        let most = lot.maximum_members.map_or(usize::MAX, |most| most as usize);
        let fits = (lot.minimum_members.unwrap_or(0) as usize..=most).contains(&working);
        (!fits).then(|| format!("{working} for the lot {}", lot.name.as_ref().unwrap_or(&lot.id)))
    });
    text::list(&wrong.collect::<Vec<_>>())
}

/// Needs delivered by more members than they allow.
fn hands(c: &Compiled<'_>, proposal: &Proposal) -> String {
    let wrong = c.needs.iter().enumerate().filter_map(|(n, need)| {
        let most = need.need.maximum_suppliers? as usize;
        let work = proposal.allocations.iter().filter(|work| work.need == need.need.id);
        let hands = work.map(|work| &work.actor).collect::<BTreeSet<_>>().len();
        (hands > most).then(|| format!("{hands} for {}", c.need_name(n)))
    });
    text::list(&wrong.collect::<Vec<_>>())
}

/// Work by offer in a draft, and in words: `A would deliver 12,000 for workshops`.
fn work<'c>(c: &'c Compiled<'_>, draft: &'c Draft) -> impl Iterator<Item = (&'c Offer<'c>, Quantity, String)> {
    c.offers.iter().map(|offer| {
        let done: Vec<usize> = offer.edges.clone().filter(|e| draft.quantity[*e] > 0).collect();
        let work: Quantity = done.iter().map(|e| draft.quantity[*e]).sum();
        let needs: BTreeSet<usize> = done.iter().map(|e| c.cells[c.edges[*e].cell].need).collect();
        let needs: Vec<&str> = needs.into_iter().map(|need| c.need_name(need)).collect();
        let name = c.instance.actor_name(c.candidates[offer.candidate].actor);
        (offer, work, format!("{name} would deliver {} for {}", text::number(work.into()), text::list(&needs)))
    })
}

fn beyond_capacity(c: &Compiled<'_>, draft: &Draft) -> String {
    let found: Vec<String> = work(c, draft)
        .filter_map(|(offer, work, told)| {
            let capacity = offer.edges.clone().map(|e| c.edges[e].terms.capacity).min()?;
            (work > capacity).then(|| format!("{told}, with a capacity of {}", text::number(capacity.into())))
        })
        .collect();
    text::list(&found)
}

fn below_minimum(c: &Compiled<'_>, draft: &Draft) -> String {
    let found: Vec<String> = work(c, draft)
        .filter(|(offer, work, _)| *work > 0 && *work < offer.capability.minimum_quantity)
        .map(|(offer, _, told)| format!("{told}, less than {}", text::number(offer.capability.minimum_quantity.into())))
        .collect();
    text::list(&found)
}

fn idle(proposal: &Proposal) -> String {
    let names: Vec<&str> = proposal.members.iter().filter(|m| m.lots.is_empty()).map(|m| m.name.as_str()).collect();
    text::list(&names)
}

/// What the mandatory needs could be lowered to.
fn demand(c: &Compiled<'_>, draft: &Draft) -> String {
    let lower: Vec<String> = c
        .needs
        .iter()
        .enumerate()
        .zip(&draft.proposal.needs)
        .filter(|((_, need), told)| need.need.mandatory && told.covered < told.quantity)
        .map(|((n, need), told)| {
            let (from, to) = (text::number(told.quantity.into()), text::amount(told.covered, &need.need.unit));
            format!("{} from {from} to {to}", c.need_name(n))
        })
        .collect();
    format!("Lower {}, or make it optional.", text::list(&lower))
}
