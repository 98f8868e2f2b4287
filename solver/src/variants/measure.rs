//! What consortia are compared by: each measure is a linear expression of the model and an exact whole number of a draft.
//!
//! All measures are minimised, none is negative, and their unit is chosen so that whole allocations give whole numbers: two
//! drafts are compared without rounding.

use std::collections::{BTreeMap, BTreeSet};

use good_lp::{Expression, Variable, variable};
use serde::{Deserialize, Serialize};

use crate::compile::Compiled;
use crate::formulate::{Formulation, keur, most_members, units};
use crate::model::{Cents, Quantity};
use crate::propose::Draft;

/// Something of a consortium that is minimised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// What is paid plus what the uncovered units are worth, in cents.
    Euros,
    /// What is paid, in cents.
    Paid,
    /// The uncovered units, each at its weight in cents: the larger of the need's reference cost and of what an uncovered unit
    /// is worth; without a reference cost the lowest price offered stands for it. Where no need weighs anything, all weigh the
    /// same.
    Uncovered,
    /// The mandatory units, each at its weight in cents, that the loss of one member may leave without capacity, place by
    /// place: what the members can deliver there, without the one that can deliver most, against what is asked.
    Fragility,
    /// Pairs of members that never worked together.
    NewPairs,
}

/// What a need weighs where no need weighs anything.
const EVEN_WEIGHT: Quantity = 1_000_000_000;

/// The data of the measures for one call.
pub(crate) struct Weights {
    /// Weight of a unit, by need.
    weight: Vec<Cents>,
    /// Cells of mandatory needs with who can deliver how much there.
    mandatory: Vec<(usize, BTreeMap<usize, Quantity>)>,
    /// Weight of everything asked.
    pub(crate) asked: Cents,
    /// Weight of everything mandatory.
    pub(crate) mandatory_asked: Cents,
}

/// Variables that only some measures need.
#[derive(Default)]
pub(crate) struct Handles {
    /// By mandatory cell: units that survive the loss of any one member.
    pub(crate) safe: Vec<Variable>,
    pairs: Option<Variable>,
    known: Vec<Variable>,
}

impl Weights {
    /// O(edges).
    pub(crate) fn new(c: &Compiled<'_>) -> Self {
        let mut cheapest: BTreeMap<usize, Cents> = BTreeMap::new();
        for edge in &c.edges {
            let own = cheapest.entry(c.cells[edge.cell].need).or_insert(edge.terms.unit_cost);
            *own = edge.terms.unit_cost.min(*own);
        }
        let mut weight: Vec<Cents> = c
            .needs
            .iter()
            .enumerate()
            .map(|(n, need)| {
                let offered = cheapest.get(&n).copied().unwrap_or(0);
                need.need.reference_unit_cost_cents.unwrap_or(offered).max(need.need.unmet_cost_cents)
            })
            .collect();
        if weight.iter().all(|&weight| weight == 0) {
            let even = |quantity: Quantity| Cents::try_from(EVEN_WEIGHT / quantity.max(1)).unwrap_or(1).max(1);
            weight = c.needs.iter().map(|need| even(need.need.quantity)).collect();
        }
        let mandatory: Vec<_> = (0..c.cells.len())
            .filter(|&j| c.mandatory(&c.cells[j]))
            .map(|j| {
                let mut able: BTreeMap<usize, Quantity> = BTreeMap::new();
                for &e in &c.cells[j].edges {
                    let own = able.entry(c.offers[c.edges[e].offer].candidate).or_default();
                    *own = own.saturating_add(c.most(&c.edges[e])).min(c.cells[j].demand);
                }
                (j, able)
            })
            .collect();
        let worth = |j: usize| c.cells[j].demand.cast_signed().saturating_mul(weight[c.cells[j].need]);
        Self {
            asked: (0..c.cells.len()).map(worth).fold(0, Cents::saturating_add),
            mandatory_asked: mandatory.iter().map(|&(j, _)| worth(j)).fold(0, Cents::saturating_add),
            weight,
            mandatory,
        }
    }

    /// Every value of a measure is a multiple of this.
    pub(crate) fn grain(&self, c: &Compiled<'_>, measure: Measure) -> Cents {
        let common = |weights: &mut dyn Iterator<Item = Cents>| weights.fold(0, gcd).max(1);
        match measure {
            Measure::Uncovered => common(&mut self.weight.iter().copied()),
            Measure::Fragility => common(&mut self.mandatory.iter().map(|&(j, _)| self.weight[c.cells[j].need])),
            Measure::Euros | Measure::Paid | Measure::NewPairs => 1,
        }
    }

    /// The cells whose survival the measure of fragility looks at, in the order of [`Handles::safe`].
    pub(crate) fn mandatory(&self) -> impl Iterator<Item = usize> + '_ {
        self.mandatory.iter().map(|&(j, _)| j)
    }

    /// Adds the variables of the measures named to a formulation. O(edges + relations + members).
    pub(crate) fn prepare(&self, c: &Compiled<'_>, f: &mut Formulation, wanted: &[Measure]) -> Handles {
        let mut handles = Handles::default();
        if wanted.contains(&Measure::Fragility) {
            handles.safe = self.mandatory.iter().map(|(j, able)| safe(f, c.cells[*j].demand, able)).collect();
        }
        if wanted.contains(&Measure::NewPairs) {
            let pairs = f.variables.add(variable().min(0));
            for t in (1..most_members(c)).map(f64::from) {
                f.add((pairs - t * f.size).geq(-t * (t + 1.0) / 2.0));
            }
            handles.pairs = Some(pairs);
            let mut new = Expression::from(pairs);
            for &(a, b) in c.relations.keys() {
                let known = f.variables.add(variable().clamp(0, 1));
                f.add((known - f.member[a]).leq(0));
                f.add((known - f.member[b]).leq(0));
                handles.known.push(known);
                new -= known;
            }
            f.add(new.geq(0));
        }
        handles
    }

    /// The measure in the units of the model: see [`unit`].
    pub(crate) fn expression(
        &self,
        c: &Compiled<'_>,
        f: &Formulation,
        handles: &Handles,
        measure: Measure,
    ) -> Expression {
        let mut all = Expression::default();
        match measure {
            Measure::Paid => all = f.spend.clone(),
            Measure::Euros => {
                all = f.spend.clone();
                for (j, cell) in c.cells.iter().enumerate() {
                    all.add_mul(keur(c.needs[cell.need].need.unmet_cost_cents), f.unmet[j]);
                }
            }
            Measure::Uncovered => {
                for (j, cell) in c.cells.iter().enumerate() {
                    all.add_mul(keur(self.weight[cell.need]), f.unmet[j]);
                }
            }
            Measure::Fragility => {
                for (&(j, _), &safe) in self.mandatory.iter().zip(&handles.safe) {
                    let weight = keur(self.weight[c.cells[j].need]);
                    all += weight * units(c.cells[j].demand);
                    all.add_mul(-weight, safe);
                }
            }
            Measure::NewPairs => {
                all += handles.pairs.map(Expression::from).unwrap_or_default();
                for &known in &handles.known {
                    all -= known;
                }
            }
        }
        all
    }

    /// The exact value of a draft.
    pub(crate) fn value(&self, c: &Compiled<'_>, measure: Measure, draft: &Draft) -> Cents {
        let proposal = &draft.proposal;
        match measure {
            Measure::Paid => proposal.costs.total_cents,
            Measure::Euros => proposal.costs.objective_cents,
            Measure::Uncovered => {
                let missing = proposal.needs.iter().map(|need| need.quantity.saturating_sub(need.covered));
                missing.zip(&self.weight).map(|(units, weight)| units.cast_signed() * weight).sum()
            }
            Measure::Fragility => self.fragility(c, &draft.members),
            Measure::NewPairs => Cents::from(proposal.cohesion.pairs - proposal.cohesion.known_pairs),
        }
    }

    /// The exact fragility of some members.
    pub(crate) fn fragility(&self, c: &Compiled<'_>, members: &BTreeSet<usize>) -> Cents {
        let of_cell = |(j, able): &(usize, BTreeMap<usize, Quantity>)| {
            let present = able.iter().filter(|(i, _)| members.contains(i)).map(|(_, &most)| u128::from(most));
            let (sum, largest) = present.fold((0, 0), |(sum, largest), most| (sum + most, most.max(largest)));
            let safe = Quantity::try_from(sum - largest).unwrap_or(Quantity::MAX);
            let lost = c.cells[*j].demand.saturating_sub(safe);
            lost.cast_signed().saturating_mul(self.weight[c.cells[*j].need])
        };
        self.mandatory.iter().map(of_cell).sum()
    }
}

/// `safe ≤ d`, `safe ≤ Σ cap_i y_i − cap_i y_i` for each i: through the largest one, which takes a row for each of those who can
/// serve the cell instead of a row as long as their list.
fn safe(f: &mut Formulation, demand: Quantity, able: &BTreeMap<usize, Quantity>) -> Variable {
    let safe = f.variables.add(variable().clamp(0.0, units(demand)));
    let largest = f.variables.add(variable().clamp(0.0, units(demand)));
    let mut together = Expression::default();
    for (&i, &most) in able {
        f.add((largest - units(most) * f.member[i]).geq(0));
        together.add_mul(units(most), f.member[i]);
    }
    f.add((together - safe - largest).geq(0));
    safe
}

/// What one unit of a measure is in the model: a cent is a hundred-thousandth of a thousand euros.
pub(crate) fn unit(measure: Measure) -> f64 {
    match measure {
        Measure::NewPairs => 1.0,
        Measure::Euros | Measure::Paid | Measure::Uncovered | Measure::Fragility => 1e-5,
    }
}

/// The least multiple of the grain that a bound of the model allows, with its rounding errors forgiven.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn whole_bound(bound: f64, unit: f64, grain: Cents) -> Cents {
    let value = bound / unit;
    let least = if value.is_finite() { (value - 0.1 - value.abs() * 1e-9).ceil().max(0.0) as Cents } else { 0 };
    let over = least % grain;
    if over == 0 { least } else { least.saturating_add(grain - over) }
}

/// Euclid's.
fn gcd(a: Cents, b: Cents) -> Cents {
    if b == 0 { a } else { gcd(b, a % b) }
}
