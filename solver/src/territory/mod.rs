//! Supply against need, place by place: white zones, redundancies, who holds the network together, and where one more capability
//! would help most.
//!
//! **Priority flow.** What can be served in each place is a flow from capabilities to places, in which the place with the largest
//! weight is served first. The quantities that places can receive together form a polymatroid: the largest flow into a set S of
//! places is the capacity of a cut, and cuts make it a submodular function f of S. Over a polymatroid, filling the elements in
//! decreasing weight maximises the weighted sum (Edmonds, *Submodular functions, matroids, and certain polyhedra*, 1970), and
//! gives the j-th place `f(S_j) − f(S_{j−1})`. Augmenting paths never take anything back from an edge into the sink, so that opening
//! these edges group by group and augmenting after each does exactly that; and the last flow is a maximum flow as well.
//!
//! **One more capability.** Its node stands in the network from the start, closed. Opening it and augmenting in the same order
//! gives the new priority flow: the gain `f'(S) − f(S)` grows with S (paths that leave S could have been used before), so that no
//! place receives less than before. Then everything is put back.

mod gain;
mod network;
pub(crate) mod request;

use serde::{Deserialize, Serialize};

use crate::answer::NearMiss;
use crate::backend::Backend;
use crate::compile::Compiled;
use crate::control::{Control, Observer, Stage};
use crate::explain::gaps::near_misses;
use crate::formulate::units;
use crate::instance::Instance;
use crate::model::Options;
use crate::rules::RuleSet;
use gain::Served;
pub use request::{Hypothetical, Pair, TerritoryQuery, Weight};

/// Supply against need, for a call. Quantities are over the whole contract; no price and no rule on the group counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TerritoryMap {
    /// Every need in every place where it is asked, by need in the order of the call, then by territory.
    pub places: Vec<PlaceSupply>,
    /// Totals by unit, sorted.
    pub totals: Vec<UnitTotal>,
    /// Places where something stays unserved however the work is divided, heaviest first.
    pub white_zones: Vec<WhiteZone>,
    /// The network of relations among the actors that can serve something.
    pub relations: RelationNetwork,
    /// What each hypothetical capability of the query would change, in its order.
    pub hypotheses: Vec<Improvement>,
    /// Where one more capability would serve most, best first: by weight, then by quantity.
    pub best_places: Vec<Improvement>,
    /// Whether everything asked for was computed before the limit.
    pub complete: bool,
    /// Whether the flows are exact; otherwise they are upper bounds (a pooled capability of undeclared unit works in two units).
    pub exact: bool,
}

/// A need in a place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlaceSupply {
    /// The need.
    pub need: String,
    /// Its service.
    pub service: String,
    /// Its public; everybody where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<String>,
    /// Its unit.
    pub unit: String,
    /// Where.
    pub territory: String,
    /// What a unit weighs here.
    pub weight: f64,
    /// Units asked.
    pub needed: u64,
    /// Units served by the priority flow.
    pub served: u64,
    /// Units that the suppliers of this place could deliver if they served nothing else.
    pub supply: u64,
    /// `supply − needed` where positive: redundancy.
    pub redundant: u64,
    /// Actors that can serve it, by id.
    pub suppliers: Vec<String>,
}

/// Supply against need in one unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct UnitTotal {
    /// The unit.
    pub unit: String,
    /// Units asked.
    pub needed: u64,
    /// Units served by the priority flow: no division of the work serves more.
    pub served: u64,
    /// Served part in percent, each unit weighing what its place weighs: no division of the work serves more weight.
    pub weighted_percent: f64,
}

/// Something that stays unserved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WhiteZone {
    /// The need.
    pub need: String,
    /// Its service.
    pub service: String,
    /// Its public; everybody where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<String>,
    /// Where.
    pub territory: String,
    /// What a unit weighs here.
    pub weight: f64,
    /// Units unserved.
    pub missing: u64,
    /// Whether nobody at all offers it there.
    pub no_supplier: bool,
    /// Actors that come nearest, each with what it lacks. At most five.
    pub near_misses: Vec<NearMiss>,
}

/// Who knows whom, among the actors that can serve something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RelationNetwork {
    /// Groups of actors joined by relations, largest first, each by id.
    pub components: Vec<Vec<String>>,
    /// Actors without whom their group would fall apart, by id.
    pub brokers: Vec<String>,
    /// The shortest ways between the pairs of the query, in its order, ends included; empty where there is none.
    pub paths: Vec<Vec<String>>,
}

/// What one more capability would change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Improvement {
    /// The capability.
    pub capability: Hypothetical,
    /// Units served beyond those of today, by whoever then has room.
    pub gain: u64,
    /// The same, each unit weighing what its place weighs.
    pub weighted_gain: f64,
    /// Where they are served.
    pub places: Vec<PlaceGain>,
}

/// More of a need in a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlaceGain {
    /// The need.
    pub need: String,
    /// Where.
    pub territory: String,
    /// Units.
    pub quantity: u64,
}

/// Answers a [`TerritoryQuery`]: one flow by priority, then one augmentation for each hypothesis and each candidate place.
///
/// # Errors
/// Options or a query out of range, or that name unknown actors, services, territories or publics; all of them.
pub(crate) fn survey(
    instance: &Instance,
    options: &Options,
    query: &TerritoryQuery,
    observer: &dyn Observer,
) -> TerritoryMap {
    let backend = Backend::new(options, Control::new(options, observer));
    backend.control.enter(Stage::Explanation);
    let rules = RuleSet::without(options.disabled_rules.iter().copied());
    let c = Compiled::new(instance, options, rules);
    map(&c, &backend, query)
}

fn map(c: &Compiled<'_>, backend: &Backend<'_>, query: &TerritoryQuery) -> TerritoryMap {
    let mut served = Served::new(c, query);
    let places = served.places(c);
    let white_zones = white_zones(c, &served);
    let totals = totals(&places);
    let (hypotheses, all) = served.hypotheses(c, backend, query);
    let (best_places, every) = served.best_places(c, backend, query);
    TerritoryMap {
        relations: network::relations(c, &query.paths),
        places,
        totals,
        white_zones,
        hypotheses,
        best_places,
        complete: all && every,
        exact: served.exact(),
    }
}

fn totals(places: &[PlaceSupply]) -> Vec<UnitTotal> {
    let mut names: Vec<&str> = places.iter().map(|place| place.unit.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let total = |unit: &str| {
        let own = || places.iter().filter(|place| place.unit == unit);
        let weigh = |of: fn(&PlaceSupply) -> u64| own().map(|p| p.weight * units(of(p))).sum::<f64>();
        let (part, all) = (weigh(|place| place.served), weigh(|place| place.needed));
        UnitTotal {
            unit: unit.to_owned(),
            needed: own().map(|place| place.needed).sum(),
            served: own().map(|place| place.served).sum(),
            weighted_percent: if all > 0.0 { (part / all * 10_000.0).round() / 100.0 } else { 100.0 },
        }
    };
    names.into_iter().map(total).collect()
}

fn white_zones(c: &Compiled<'_>, served: &Served) -> Vec<WhiteZone> {
    let mut found: Vec<WhiteZone> = served
        .unserved()
        .map(|(place, weight, missing)| {
            let cell = &c.cells[place.cell];
            let need = c.needs[cell.need].need;
            WhiteZone {
                need: need.id.clone(),
                service: need.service.clone(),
                public: need.public.clone(),
                territory: c.problem().territories[place.territory].id.clone(),
                weight,
                missing,
                no_supplier: cell.edges.is_empty(),
                near_misses: near_misses(c, cell, place.territory),
            }
        })
        .collect();
    let weigh = |zone: &WhiteZone| zone.weight * units(zone.missing);
    found.sort_by(|a, b| {
        weigh(b).total_cmp(&weigh(a)).then_with(|| (&a.need, &a.territory).cmp(&(&b.need, &b.territory)))
    });
    found
}
