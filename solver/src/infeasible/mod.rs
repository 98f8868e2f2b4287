//! Why nobody can answer: what would stay uncovered, which rules stand in the way, and who comes closest.

pub(crate) mod relax;

use std::collections::BTreeSet;

use crate::answer::{Infeasibility, NeedCoverage};
use crate::backend::{Backend, Outcome};
use crate::compile::Compiled;
use crate::explain::gaps::Gaps;
use crate::formulate::{Objective, Question};
use crate::model::Options;
use crate::propose::{self, Best, Draft};
use crate::rules::{RuleId, RuleSet};
use crate::text;

/// Explains an infeasible call. Two searches for the closest consortium, then one for each rule in force; stops when time is
/// out, so that the list of blocking rules may be cut short.
pub(crate) fn explain(c: &Compiled<'_>, backend: &Backend<'_>) -> Infeasibility {
    let closest = closest(c, backend);
    let mut unmet_needs: Vec<NeedCoverage> = closest.iter().flat_map(|draft| draft.proposal.needs.clone()).collect();
    if closest.is_none() {
        unmet_needs = untouched(c, backend);
    }
    let mandatory: BTreeSet<&str> =
        c.needs.iter().map(|need| need.need).filter(|need| need.mandatory).map(|need| need.id.as_str()).collect();
    unmet_needs.retain(|told| told.covered < told.quantity && mandatory.contains(told.need.as_str()));
    let blocking_rules = relax::blocking(c, backend, closest.as_ref());
    let locks = !c.options.locked_in.is_empty() || !c.options.locked_out.is_empty();
    let freed = locks && answerable_without_locks(c, backend);
    let advice: Vec<&str> = blocking_rules.iter().map(|rule| rule.text.as_str()).collect();
    Infeasibility {
        summary: summary(c, &unmet_needs, &advice, freed),
        unmet_needs,
        blocking_rules,
        closest: closest.map(|draft| Box::new(draft.proposal)),
    }
}

/// The consortium that misses least of the mandatory needs, then costs least; where the other rules leave none at all, under
/// the first rule whose absence does, and at last under none of the rules on the group.
fn closest(c: &Compiled<'_>, backend: &Backend<'_>) -> Option<Draft> {
    nearest(c, backend).or_else(|| {
        let single = relax::candidates(c).into_iter().map(|relaxation| relaxation.rules);
        let delivery = [RuleId::Capacity, RuleId::Pool, RuleId::MinimumQuantity, RuleId::ActiveMember];
        let last = RuleSet::without(RuleId::ALL.into_iter().filter(|rule| !delivery.contains(rule)));
        single.chain([last]).find_map(|rules| nearest(&Compiled::new(c.instance, c.options, rules), backend))
    })
}

/// The same under one set of rules.
fn nearest(c: &Compiled<'_>, backend: &Backend<'_>) -> Option<Draft> {
    let elastic = Question { elastic: true, whole: true, ..Question::minimise(Objective::Shortage) };
    let Outcome::Found(found) = backend.ask(c, &elastic) else { return None };
    let least = Question { shortage: Some(found.objective + 1e-6), ..Question::minimise(Objective::Euros) };
    let question = Question { elastic: true, ..least };
    let mut draft = match propose::best(c, backend, &question) {
        Best::Found(draft) => *draft,
        Best::Infeasible | Best::Unknown => propose::draft(c, &elastic, &found),
    };
    Gaps::default().fill(c, backend, &mut draft);
    Some(draft)
}

/// Every need with nothing covered.
fn untouched(c: &Compiled<'_>, backend: &Backend<'_>) -> Vec<NeedCoverage> {
    let nothing = vec![0; c.edges.len()];
    let members = BTreeSet::new();
    let proposal = crate::assemble::proposal(c, &members, &nothing);
    let mut draft = Draft { members, quantity: nothing, proposal };
    Gaps::default().fill(c, backend, &mut draft);
    draft.proposal.needs
}

/// Whether the options alone prevent an answer.
fn answerable_without_locks(c: &Compiled<'_>, backend: &Backend<'_>) -> bool {
    let options = Options { locked_in: Vec::new(), locked_out: Vec::new(), ..c.options.clone() };
    let free = Compiled::new(c.instance, &options, c.rules.clone());
    let question = Question { whole: true, ..Question::minimise(Objective::Any) };
    matches!(backend.ask(&free, &question), Outcome::Found(_))
}

fn summary(c: &Compiled<'_>, unmet: &[NeedCoverage], advice: &[&str], freed: bool) -> String {
    let actors = c.problem().actors.len();
    if actors == 0 {
        return "Nobody can answer: there is no actor.".to_owned();
    }
    if c.edges.is_empty() {
        return match actors {
            1 => "Nobody can answer: the only actor offers nothing that the call asks for.".to_owned(),
            _ => format!("Nobody can answer: none of the {actors} actors offers what the call asks for."),
        };
    }
    let missing: Vec<String> = unmet
        .iter()
        .filter_map(|told| {
            let need = c.needs.iter().position(|need| need.need.id == told.need)?;
            let quantity = text::amount(told.quantity - told.covered, &c.needs[need].need.unit);
            Some(format!("{quantity} of {}", c.need_name(need)))
        })
        .collect();
    let mut parts = vec![if missing.is_empty() {
        "Nobody can answer under these rules.".to_owned()
    } else {
        format!("Nobody can answer: the closest consortium misses {}.", text::list(&missing))
    }];
    match advice {
        [] => parts.push("No single rule, left out alone, would make an answer possible.".to_owned()),
        advice => parts.push(format!("One of these would be enough: {}", advice.join(" "))),
    }
    if freed {
        parts.push("Without the locks of the options an answer exists.".to_owned());
    }
    parts.join(" ")
}
