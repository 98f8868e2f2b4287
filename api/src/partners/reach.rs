//! What a team could deliver of a call by what its members declare, whatever it costs.

use std::collections::{BTreeMap, BTreeSet};

use attelage_solver::territory::PlaceSupply;
use attelage_solver::{NeedCoverage, Problem};
use uuid::Uuid;

use super::CoveredPlace;
use super::survey::{self, Survey, by_need, coverage_percent, percent};
use crate::calls::Call;

/// How many missing quantities are told.
const MOST_MISSING: usize = 200;

/// What a team could deliver.
pub struct Reach {
    /// Part of the call in percent; needs weigh what they cost or are worth.
    pub coverage_percent: f64,
    /// The same need by need, in the order of the call.
    pub needs: Vec<NeedCoverage>,
    /// What it cannot deliver.
    pub missing: Missing,
    /// Who of the team meets each condition of participation by itself, by its code.
    pub met_by: BTreeMap<String, Vec<Uuid>>,
}

/// What a team cannot deliver, largest first.
pub struct Missing {
    /// The largest of it.
    pub places: Vec<CoveredPlace>,
    /// How many more there are.
    pub left_out: u32,
}

impl Reach {
    /// Of a team in a problem. One flow. `None` where the solver refuses a part of what it took as a whole.
    #[must_use]
    pub fn of(problem: &Problem, call: &Call, team: &[Uuid]) -> Option<Self> {
        let ids: Vec<String> = team.iter().map(ToString::to_string).collect();
        let actors: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        let survey = Survey::of(problem, &actors)?;
        let supply = survey.supply(&actors);
        let meeting = |condition: &str| {
            let meet = team.iter().zip(&ids).filter(|(_, id)| survey.meets(id, condition));
            meet.map(|(organisation, _)| *organisation).collect()
        };
        let conditions = problem.call.eligibility.iter().map(|rule| (rule.id.clone(), meeting(&rule.id)));
        Some(Self {
            coverage_percent: coverage_percent(problem, &by_need(&supply)),
            needs: deliverable(problem, &supply),
            missing: missing(call, &supply),
            met_by: conditions.collect(),
        })
    }
}

/// What a team can deliver at most, need by need.
pub(super) fn deliverable(problem: &Problem, supply: &[PlaceSupply]) -> Vec<NeedCoverage> {
    let served = by_need(supply);
    let all = problem.call.lots.iter().flat_map(|lot| lot.needs.iter().map(move |need| (lot, need)));
    all.map(|(lot, need)| {
        let covered = served.get(need.id.as_str()).copied().unwrap_or(0);
        NeedCoverage {
            need: need.id.clone(),
            lot: lot.id.clone(),
            quantity: need.quantity,
            covered,
            coverage_percent: percent(covered.into(), need.quantity.into()),
            gaps: Vec::new(),
        }
    })
    .collect()
}

/// What a team cannot deliver, largest first.
pub(super) fn missing(call: &Call, supply: &[PlaceSupply]) -> Missing {
    let needs = survey::needs(call);
    let gaps = supply.iter().filter(|place| place.served < place.needed);
    let mut places: Vec<CoveredPlace> = gaps
        .filter_map(|place| survey::place(&needs, &place.need, &place.territory, place.needed - place.served))
        .collect();
    // Stable: equal quantities stay in the order of the call.
    places.sort_by_key(|place| std::cmp::Reverse(place.quantity));
    let left_out = u32::try_from(places.len().saturating_sub(MOST_MISSING)).unwrap_or(u32::MAX);
    places.truncate(MOST_MISSING);
    Missing { places, left_out }
}
