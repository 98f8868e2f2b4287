//! Territories: a tree of places with INSEE codes, population, position and indicators.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::fold::fold;
use crate::resource::{Coded, Resource};

pub(crate) mod entity;
pub mod routes;
pub(crate) mod store;

/// Level of a territory.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    sea_orm::EnumIter,
    sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum TerritoryKind {
    /// A state.
    Country,
    /// A région.
    Region,
    /// A département.
    Departement,
    /// A métropole.
    Metropole,
    /// Another group of communes.
    Epci,
    /// A commune.
    Commune,
    /// A municipal arrondissement.
    Arrondissement,
    /// Something smaller: a QPV, an IRIS, a neighbourhood.
    District,
}

impl TerritoryKind {
    /// Every kind, widest first.
    pub const ALL: [Self; 8] = [
        Self::Country,
        Self::Region,
        Self::Departement,
        Self::Metropole,
        Self::Epci,
        Self::Commune,
        Self::Arrondissement,
        Self::District,
    ];

    /// The code that stands for this kind in JSON and in files.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Region => "region",
            Self::Departement => "departement",
            Self::Metropole => "metropole",
            Self::Epci => "epci",
            Self::Commune => "commune",
            Self::Arrondissement => "arrondissement",
            Self::District => "district",
        }
    }
}

/// A text that names no kind of territory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a kind of territory; the kinds are country, region, departement, metropole, epci, commune, arrondissement, district"
)]
pub struct UnknownTerritoryKind;

impl FromStr for TerritoryKind {
    type Err = UnknownTerritoryKind;

    /// Case and accents do not matter: `Département` is one.
    fn from_str(text: &str) -> Result<Self, UnknownTerritoryKind> {
        let folded = fold(text);
        Self::ALL.into_iter().find(|kind| kind.code() == folded).ok_or(UnknownTerritoryKind)
    }
}

/// Numbers about a territory, by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema, sea_orm::FromJsonQueryResult)]
#[serde(transparent)]
pub struct Indicators(pub BTreeMap<String, f64>);

/// A territory, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTerritory {
    /// Official name.
    #[schema(min_length = 1, max_length = 200, examples("Villeurbanne"))]
    pub name: String,
    /// Level.
    pub kind: TerritoryKind,
    /// Code of the territory just above; absent at a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 64, examples("200046977"))]
    pub parent: Option<String>,
    /// Inhabitants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 10_000_000_000_u64, examples(163_684))]
    pub population: Option<i64>,
    /// Degrees north of its centre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -90, maximum = 90, examples(45.771))]
    pub latitude: Option<f64>,
    /// Degrees east of its centre.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = -180, maximum = 180, examples(4.889))]
    pub longitude: Option<f64>,
    /// Other numbers by name, such as an index of digital fragility.
    #[serde(default)]
    pub indicators: Indicators,
}

/// A territory, as it is stored.
pub type Territory = Coded<NewTerritory>;

impl Resource for NewTerritory {
    const NAME: &'static str = "Territory";
}
