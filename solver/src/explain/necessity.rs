//! Whether the call could be answered without a member, and at what price.

use std::collections::{BTreeMap, BTreeSet};

use crate::answer::{Necessity, Reason, ReasonKind};
use crate::backend::{Backend, Outcome};
use crate::compile::Compiled;
use crate::formulate::{Objective, Question};
use crate::model::{Cents, Options};
use crate::propose::{self, Best, Draft};
use crate::search;
use crate::text;
use crate::variants::Aim;
use crate::variants::lexicographic::proof;
use crate::variants::master::{Master, Sought};
use crate::variants::measure::Measure;

/// The best consortium without an actor.
#[derive(Clone, Debug)]
enum Rival {
    /// Proven: there is none.
    None,
    /// Proven best.
    Best { objective: Cents, members: BTreeSet<usize> },
}

/// The best consortia without each actor, as far as they are known. Each costs one search, unless a proposal already is it.
pub(super) struct Rivals<'m, 'a, 'o> {
    known: BTreeMap<usize, Rival>,
    /// The model of a small call, kept for all of them.
    master: Option<Master<'m, 'a, 'o>>,
}

impl<'m, 'a, 'o> Rivals<'m, 'a, 'o> {
    /// What the proposals themselves prove. A proposal is the best one without an actor that all earlier ones have and it has
    /// not: leaving the actor out satisfies every row that kept it from being an earlier one. And where no further proposal
    /// exists, nobody can do without an actor that all of them have.
    pub(super) fn new(c: &'m Compiled<'a>, backend: &'m Backend<'o>, drafts: &[Draft], exhausted: bool) -> Self {
        let known = Self::proven(c, drafts, exhausted);
        let small = !search::serves(c, &Question::minimise(Objective::Euros));
        let master = small.then(|| Master::open(c, backend, &[])).flatten();
        Self { known, master }
    }

    fn proven(c: &Compiled<'_>, drafts: &[Draft], exhausted: bool) -> BTreeMap<usize, Rival> {
        let mut known = BTreeMap::new();
        // Whoever is locked in is in all of them, needed or not.
        let mut common: BTreeSet<usize> = (0..c.candidates.len()).filter(|&i| !c.candidates[i].locked_in).collect();
        for draft in drafts {
            if !draft.proposal.proof.optimal {
                return known;
            }
            if c.options.objective != Aim::Euros {
                common = &common & &draft.members;
                continue; // Best of something else than the euros that necessity is told in.
            }
            for &actor in common.difference(&draft.members) {
                let objective = draft.proposal.costs.objective_cents;
                known.insert(actor, Rival::Best { objective, members: draft.members.clone() });
            }
            common = &common & &draft.members;
        }
        if exhausted {
            known.extend(common.into_iter().map(|actor| (actor, Rival::None)));
        }
        known
    }

    fn without(&mut self, c: &Compiled<'_>, backend: &Backend<'_>, actor: usize) -> Option<Rival> {
        if let Some(rival) = self.known.get(&actor) {
            return Some(rival.clone());
        }
        let found = if c.candidates[actor].locked_in {
            let id = c.id(actor);
            let locked_in = c.options.locked_in.iter().filter(|own| *own != id).cloned().collect();
            let options = Options { locked_in, ..c.options.clone() };
            let free = Compiled::new(c.instance, &options, c.rules.clone());
            let absent = free.candidate_of(c.candidates[actor].actor).into_iter().collect();
            let mut found = best_without(&free, backend, absent);
            if let Best::Found(draft) = &mut found {
                let same = |&i: &usize| c.candidate_of(free.candidates[i].actor);
                draft.members = draft.members.iter().filter_map(same).collect();
            }
            found
        } else if let Some(master) = &mut self.master {
            without_in(master, actor)
        } else {
            best_without(c, backend, BTreeSet::from([actor]))
        };
        let rival = match found {
            Best::Infeasible => Rival::None,
            Best::Found(draft) if draft.proposal.proof.optimal => {
                Rival::Best { objective: draft.proposal.costs.objective_cents, members: draft.members }
            }
            Best::Found(_) | Best::Unknown => return None,
        };
        self.known.insert(actor, rival.clone());
        Some(rival)
    }
}

/// The same in a model that is kept.
fn without_in(master: &mut Master<'_, '_, '_>, actor: usize) -> Best {
    master.absent(actor, true);
    let sought = master.best(Measure::Euros);
    master.absent(actor, false);
    match sought {
        Sought::Found(mut best) => {
            best.draft.proposal.proof = proof(&best.draft, best.optimal, best.value, best.bound);
            Best::Found(Box::new(best.draft))
        }
        Sought::Infeasible => Best::Infeasible,
        Sought::Unknown => Best::Unknown,
    }
}

fn best_without(c: &Compiled<'_>, backend: &Backend<'_>, absent: BTreeSet<usize>) -> Best {
    propose::best(c, backend, &Question { absent, ..Question::minimise(Objective::Euros) })
}

/// Sets the necessity of each member, with its sentence.
pub(super) fn fill(c: &Compiled<'_>, backend: &Backend<'_>, rivals: &mut Rivals<'_, '_, '_>, draft: &mut Draft) {
    // What the best consortium without somebody costs more is known of a proven one only.
    if search::is_large_call(c) && !draft.proposal.proof.optimal {
        return;
    }
    let members = draft.members.clone();
    for &actor in &members {
        let necessity = necessity(c, backend, rivals, draft, actor);
        let reason = reason(c, actor, &necessity);
        if let Some(member) = draft.proposal.members.iter_mut().find(|member| member.actor == c.id(actor)) {
            member.necessity = necessity;
            member.reasons.extend(reason);
        }
    }
}

fn necessity(
    c: &Compiled<'_>,
    backend: &Backend<'_>,
    rivals: &mut Rivals<'_, '_, '_>,
    draft: &Draft,
    actor: usize,
) -> Necessity {
    match rivals.without(c, backend, actor) {
        None => Necessity::Unknown,
        Some(Rival::None) => Necessity::Indispensable,
        Some(Rival::Best { objective, members }) => {
            let mut others = draft.members.clone();
            others.remove(&actor);
            let Some(superfluous) = suffices(c, backend, &others, &members) else { return Necessity::Unknown };
            let by: Vec<String> = members.difference(&draft.members).map(|&i| c.id(i).to_owned()).collect();
            let regret_cents = (objective - draft.proposal.costs.objective_cents).max(0);
            Necessity::Replaceable { regret_cents, by, superfluous }
        }
    }
}

/// Whether these members, or some of them, can answer the call alone; unknown if time is out.
fn suffices(
    c: &Compiled<'_>,
    backend: &Backend<'_>,
    members: &BTreeSet<usize>,
    rival: &BTreeSet<usize>,
) -> Option<bool> {
    if rival.is_subset(members) {
        return Some(true);
    }
    let absent = (0..c.candidates.len()).filter(|i| !members.contains(i)).collect();
    let question = Question { absent, whole: true, ..Question::minimise(Objective::Any) };
    match backend.ask(c, &question) {
        Outcome::Found(_) => Some(true),
        Outcome::Infeasible => Some(false),
        Outcome::Unknown => None,
    }
}

fn reason(c: &Compiled<'_>, actor: usize, necessity: &Necessity) -> Option<Reason> {
    let name = c.instance.actor_name(c.candidates[actor].actor);
    let (kind, actors, text) = match necessity {
        Necessity::Unknown => return None,
        Necessity::Indispensable => {
            (ReasonKind::Indispensable, Vec::new(), format!("No consortium can answer the call without {name}."))
        }
        Necessity::Replaceable { regret_cents, by, superfluous } => {
            let names: Vec<&str> = by
                .iter()
                .filter_map(|id| c.instance.actors.get(id))
                .map(|&actor| c.instance.actor_name(actor))
                .collect();
            let price = match regret_cents {
                0 => "at the same cost".to_owned(),
                regret => format!("for {} more", text::euros(*regret)),
            };
            let text = match (by.is_empty(), superfluous) {
                (true, _) => format!("The other members could do without {name}, {price}."),
                (false, true) => format!(
                    "{name} could be replaced by {}, {price}; the other members alone could answer the call too.",
                    text::list(&names)
                ),
                (false, false) => format!("{name} could be replaced by {}, {price}.", text::list(&names)),
            };
            (ReasonKind::ReplaceableBy, by.clone(), text)
        }
    };
    Some(Reason { kind, need: None, quantity: None, unit: None, actors, text })
}
