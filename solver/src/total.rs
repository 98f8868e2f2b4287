//! Whether every sum that a solution may reach can be counted.

use std::collections::{BTreeMap, BTreeSet};

use crate::instance::Fault;
use crate::model::{Between, Capability, Cents, Problem};
use crate::tree::Tree;

/// Largest sum of all amounts that a solution may reach: fits 64 bits with room for sums of sums.
pub const MOST_TOTAL_CENTS: Cents = 100_000_000_000_000_000;

/// Faults of a problem without other faults whose solutions may cost more than 64 bits can add up. Only capabilities that name
/// the service of a need, or one below it, count: what an actor asks for anything else cannot enter the sum. Messages never tell
/// what an actor asks. O(capabilities + needs × services).
pub(crate) fn faults(problem: &Problem, services: &Tree) -> Vec<Fault> {
    [services_cost(problem, services), other_costs(problem, services)].into_iter().flatten().collect()
}

/// A unit price with where it stands.
type Price = (Cents, String);

/// Each need in full at the highest price that may be paid or counted for it.
fn services_cost(problem: &Problem, services: &Tree) -> Option<Fault> {
    let dearest = dearest_by_service(problem, services);
    let mut sum = 0;
    let mut heaviest = (0, String::new());
    for (l, lot) in problem.call.lots.iter().enumerate() {
        for (n, need) in lot.needs.iter().enumerate() {
            let path = format!("/call/lots/{l}/needs/{n}");
            let asked = services.get(&need.service);
            let offered = dearest.iter().filter(|(own, _)| asked.is_some_and(|top| services.within(**own, top)));
            let own = [
                (1, format!("{path}/quantity")),
                (need.unmet_cost_cents, format!("{path}/unmet_cost_cents")),
                (need.reference_unit_cost_cents.unwrap_or(0), format!("{path}/reference_unit_cost_cents")),
            ];
            let price = offered.map(|(_, price)| price).chain(&own).max_by_key(|(cents, _)| *cents);
            let Some((cents, path)) = price else { continue };
            let amount = i128::from(need.quantity) * i128::from(*cents);
            sum += amount;
            if amount > heaviest.0 {
                heaviest = (amount, path.clone());
            }
        }
    }
    let message = || {
        format!(
            "quantities at their highest prices exceed {MOST_TOTAL_CENTS} cents, the most that is counted; this weighs most"
        )
    };
    (sum > i128::from(MOST_TOTAL_CENTS)).then(|| Fault { path: heaviest.1, message: message() })
}

/// The highest unit cost declared for each service, by node.
fn dearest_by_service(problem: &Problem, services: &Tree) -> BTreeMap<usize, Price> {
    let mut dearest: BTreeMap<usize, Price> = BTreeMap::new();
    for (a, actor) in problem.actors.iter().enumerate() {
        for (c, capability) in actor.capabilities.iter().enumerate() {
            let Some(cents) = capability.unit_cost_cents else { continue };
            for service in nodes(capability, services) {
                if dearest.get(&service).is_none_or(|(most, _)| cents > *most) {
                    dearest.insert(service, (cents, format!("/actors/{a}/capabilities/{c}/unit_cost_cents")));
                }
            }
        }
    }
    dearest
}

/// Every capability in use, and everybody a member.
fn other_costs(problem: &Problem, services: &Tree) -> Option<Fault> {
    let needs = problem.call.lots.iter().flat_map(|lot| &lot.needs);
    let asked: BTreeSet<usize> = needs.filter_map(|need| services.get(&need.service)).collect();
    let serves = |capability: &&Capability| {
        nodes(capability, services).any(|own| asked.iter().any(|&top| services.within(own, top)))
    };
    let capabilities = problem.actors.iter().flat_map(|actor| &actor.capabilities).filter(serves);
    let fixed: i128 = capabilities.map(|capability| i128::from(capability.fixed_cost_cents)).sum();
    let actors = problem.actors.len() as i128;
    let rates = &problem.call.coordination;
    let times = if rates.between == Between::Lot { problem.call.lots.len() as i128 } else { 1 };
    let pairs = actors * actors * times * i128::from(rates.per_new_pair_cents);
    let together = actors * i128::from(rates.per_member_cents) + pairs;
    (fixed + together > i128::from(MOST_TOTAL_CENTS)).then(|| Fault {
        path: "/call/coordination".to_owned(),
        message: format!("fixed and coordination costs of all actors exceed {MOST_TOTAL_CENTS} cents"),
    })
}

fn nodes<'a>(capability: &'a Capability, services: &'a Tree) -> impl Iterator<Item = usize> + 'a {
    capability.services.iter().filter_map(|code| services.get(code))
}
