//! The settings of a survey, and their mistakes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::instance::{Fault, Instance};
use crate::model::Quantity;
use crate::validate::MOST_UNITS;

/// Asks for supply against need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct TerritoryQuery {
    /// What a unit weighs, by place.
    pub weight: Weight,
    /// Capabilities that do not exist, each tried alone.
    pub hypotheses: Vec<Hypothetical>,
    /// How many of the best places for one more capability. 0 to 100.
    pub best_places: u32,
    /// Capacity a year of that one more capability; no limit where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_per_year: Option<Quantity>,
    /// Pairs of actors between whom the shortest way is wanted.
    pub paths: Vec<Pair>,
}

impl Default for TerritoryQuery {
    fn default() -> Self {
        Self {
            weight: Weight::default(),
            hypotheses: Vec::new(),
            best_places: 5,
            capacity_per_year: None,
            paths: Vec::new(),
        }
    }
}

/// What a unit weighs in a place.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Weight {
    /// The inhabitants of the place, with those of the territories below it.
    #[default]
    Population,
    /// An indicator of fragility, for instance. A territory that has none takes that of the nearest one above it, else 0.
    Indicator {
        /// Finite, not negative, by territory.
        by_territory: BTreeMap<String, f64>,
    },
}

/// A capability that does not exist, of an actor that may take part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Hypothetical {
    /// What it offers.
    pub service: String,
    /// Where.
    pub territory: String,
    /// For whom; everybody where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<String>,
    /// In which unit; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Units a year; no limit where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity_per_year: Option<Quantity>,
}

/// Two actors.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// One.
    pub a: String,
    /// The other.
    pub b: String,
}

/// Every mistake of a query, in the order of the document.
pub(crate) fn faults(instance: &Instance, query: &TerritoryQuery) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut check = |fine: bool, path: String, message: String| {
        if !fine {
            faults.push(Fault { path, message });
        }
    };
    if let Weight::Indicator { by_territory } = &query.weight {
        for (territory, weight) in by_territory {
            let path = format!("/weight/by_territory/{}", territory.replace('~', "~0").replace('/', "~1"));
            let known = instance.territories.get(territory).is_some();
            check(known, path.clone(), format!("unknown territory {territory:?}"));
            check(weight.is_finite() && *weight >= 0.0, path, "must be finite and not negative".to_owned());
        }
    }
    let most = format!("must be at most {MOST_UNITS}");
    for (i, one) in query.hypotheses.iter().enumerate() {
        let path = |field: &str| format!("/hypotheses/{i}/{field}");
        let known = instance.services.get(&one.service).is_some();
        check(known, path("service"), format!("unknown service {:?}", one.service));
        let known = instance.territories.get(&one.territory).is_some();
        check(known, path("territory"), format!("unknown territory {:?}", one.territory));
        if let Some(public) = &one.public {
            check(instance.publics.get(public).is_some(), path("public"), format!("unknown public {public:?}"));
        }
        check(one.capacity_per_year.is_none_or(|q| q <= MOST_UNITS), path("capacity_per_year"), most.clone());
    }
    check(query.hypotheses.len() <= 1000, "/hypotheses".to_owned(), "must be at most 1000".to_owned());
    check(query.best_places <= 100, "/best_places".to_owned(), "must be from 0 to 100".to_owned());
    check(query.capacity_per_year.is_none_or(|q| q <= MOST_UNITS), "/capacity_per_year".to_owned(), most);
    for (i, pair) in query.paths.iter().enumerate() {
        for (field, id) in [("a", &pair.a), ("b", &pair.b)] {
            let known = instance.actors.contains_key(id);
            check(known, format!("/paths/{i}/{field}"), format!("unknown actor {id:?}"));
        }
    }
    faults
}
