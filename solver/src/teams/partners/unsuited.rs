//! Why somebody cannot help a team.

use std::collections::{BTreeMap, BTreeSet};

use crate::compile::Compiled;
use crate::matching::nearness;
use crate::rules::RuleId;

use super::{Unsuited, WhyUnsuited};

/// Candidates that will not work with members, with those members.
pub(super) fn vetoed(c: &Compiled<'_>, members: &BTreeSet<usize>) -> BTreeMap<usize, Vec<usize>> {
    let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    if c.rules.active(RuleId::Incompatibility) {
        for &(a, b) in &c.incompatible {
            for (one, other) in [(a, b), (b, a)] {
                if members.contains(&one) && !members.contains(&other) {
                    found.entry(other).or_default().push(one);
                }
            }
        }
    }
    found
}

/// Actors that can serve no need, each with the obstacle of the need to which it comes nearest; the nearest first. O(actors ×
/// capabilities × needs × places).
pub(super) fn refused(c: &Compiled<'_>) -> Vec<Unsuited> {
    let mut places: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for cell in &c.cells {
        places.entry(cell.need).or_default().extend(cell.places.iter().map(|&(place, _)| place));
    }
    let mut found = Vec::new();
    for (a, actor) in c.problem().actors.iter().enumerate().filter(|&(a, _)| c.candidate_of(a).is_none()) {
        let needs = places.iter().flat_map(|(&n, places)| places.iter().map(move |&place| (n, place)));
        let refusals = needs.filter_map(|(n, place)| Some((c.matcher.refusal(a, &c.needs[n], place)?, n)));
        // Of equally near ones the first need of the call.
        let nearest = refusals.max_by(|(x, n), (y, m)| nearness(x).cmp(&nearness(y)).then(m.cmp(n)));
        if let Some((lacks, n)) = nearest {
            let reason = WhyUnsuited::Refused { need: c.needs[n].need.id.clone(), lacks: lacks.clone() };
            let name = c.instance.actor_name(a).to_owned();
            found.push((nearness(&lacks), Unsuited { actor: actor.id.clone(), name, reason }));
        }
    }
    found.sort_by(|(x, a), (y, b)| y.cmp(x).then_with(|| a.actor.cmp(&b.actor)));
    found.into_iter().map(|(_, unsuited)| unsuited).collect()
}
