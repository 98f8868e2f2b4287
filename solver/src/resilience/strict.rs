//! The best consortium that survives any one loss.

use std::collections::{BTreeMap, BTreeSet};

use super::delivery::{After, Delivery};
use super::{Softest, Strict, resilience_percent};
use crate::answer::Status;
use crate::backend::Backend;
use crate::compile::Compiled;
use crate::explain;
use crate::propose::Draft;
use crate::variants::lexicographic::{in_stages, proof};
use crate::variants::master::{Master, Sought};
use crate::variants::measure::Measure;

/// Searches with the rows of single places first, which do not know that places share capacity; each consortium found that a
/// loss would break gives rows from the minimum cuts of those losses, until one survives all (Benders, *Partitioning procedures
/// for solving mixed-variables programming problems*, 1962). Exact: rows only take away what does not survive, and each round
/// takes at least one consortium away.
pub(super) fn search(c: &Compiled<'_>, backend: &Backend<'_>, best: &Draft, hopeless: bool) -> Strict {
    let mut strict = Strict {
        status: Status::Unknown,
        proposal: None,
        price_cents: None,
        price_at_least_cents: None,
        rounds: 0,
        cuts: 0,
        softest: None,
    };
    // An actor that nobody can make up for is reason enough.
    let found = if hopeless { Sought::Infeasible } else { rounds(c, backend, &mut strict) };
    match found {
        Sought::Found(found) => {
            let objective = best.proposal.costs.objective_cents;
            strict.status = if found.optimal { Status::Optimal } else { Status::Feasible };
            strict.price_cents = Some(found.value - objective);
            strict.price_at_least_cents = Some((found.bound - objective).max(0));
            let mut draft = found.draft;
            draft.proposal.proof = proof(&draft, found.optimal, found.value, found.bound);
            draft.proposal.regret_cents = found.value - objective;
            explain::reasons(c, backend, std::slice::from_mut(&mut draft));
            strict.proposal = Some(draft.proposal);
        }
        Sought::Infeasible => {
            strict.status = Status::Infeasible;
            strict.softest = softest(c, backend, best);
        }
        Sought::Unknown => {}
    }
    strict
}

/// The best that survives.
fn rounds(c: &Compiled<'_>, backend: &Backend<'_>, strict: &mut Strict) -> Sought {
    let Some(mut master) = Master::open(c, backend, &[Measure::Fragility]) else { return Sought::Unknown };
    master.demand_spare_capacity();
    let mut rejected: BTreeSet<BTreeSet<usize>> = BTreeSet::new();
    loop {
        strict.rounds += 1;
        let best = match master.best(Measure::Euros) {
            Sought::Found(best) => best,
            other => return other,
        };
        let members = &best.draft.members;
        let Some(mut rows) = broken(c, backend, members) else { return Sought::Unknown };
        let Rows::Broken(rows) = &mut rows else { return Sought::Found(best) };
        if rows.is_empty() || !rejected.insert(members.clone()) {
            // What these members cannot do after a loss, fewer of them cannot either: somebody else must come in.
            let others = (0..c.candidates.len()).filter(|i| !members.contains(i)).map(|i| (i, 1.0)).collect();
            rows.push((others, 1.0));
        }
        for (terms, least) in rows {
            if master.members_row(terms, *least, f64::INFINITY).is_none() {
                return Sought::Unknown;
            }
            strict.cuts += 1;
        }
    }
}

/// What the losses of some members come to.
enum Rows {
    Survived,
    /// Rows that these members break, as far as the minimum cuts show.
    Broken(Vec<(BTreeMap<usize, f64>, f64)>),
}

/// Looks at the loss of each member. `None` where a limit came first.
fn broken(c: &Compiled<'_>, backend: &Backend<'_>, members: &BTreeSet<usize>) -> Option<Rows> {
    let mut delivery = Delivery::open(c, backend, members)?;
    let mut answer = Rows::Survived;
    for &i in members {
        if let After::Short(cuts) = delivery.without(Some(i))? {
            let mut rows = if let Rows::Broken(rows) = answer { rows } else { Vec::new() };
            rows.extend(cuts.iter().flat_map(|cut| cut.rows(c, members)));
            answer = Rows::Broken(rows);
        }
    }
    Some(answer)
}

/// The consortium of which any one loss leaves most.
fn softest(c: &Compiled<'_>, backend: &Backend<'_>, best: &Draft) -> Option<Softest> {
    let mut master = Master::open(c, backend, &[Measure::Fragility])?;
    let Sought::Found(found) = in_stages(&mut master, &[Measure::Fragility, Measure::Euros], 0) else { return None };
    let fragility = master.weights.fragility(c, &found.draft.members);
    let mut draft = found.draft;
    let price_cents = draft.proposal.costs.objective_cents - best.proposal.costs.objective_cents;
    draft.proposal.regret_cents = price_cents;
    explain::reasons(c, backend, std::slice::from_mut(&mut draft));
    Some(Softest {
        resilience_percent: resilience_percent(&master.weights, fragility),
        fragility,
        price_cents,
        proposal: draft.proposal,
    })
}
