//! The levels of the tree of territories.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::fold::fold;

macro_rules! territory_kinds {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal,)+) => {
        /// The levels of the tree of territories.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum TerritoryKind {
            $($(#[doc = $doc])+ $name,)+
        }

        impl TerritoryKind {
            /// Every kind, widest first.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The code that stands for this kind in JSON and in files.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }
        }
    };
}

territory_kinds! {
    /// A country.
    Country = "country",
    /// A French région.
    Region = "region",
    /// A French département.
    Departement = "departement",
    /// A métropole.
    Metropole = "metropole",
    /// Another group of communes with its own taxes.
    Epci = "epci",
    /// A commune.
    Commune = "commune",
    /// A municipal arrondissement of Paris, Lyon or Marseille.
    Arrondissement = "arrondissement",
    /// A part of a commune, such as a priority district (QPV) or a statistical one (IRIS).
    District = "district",
}

/// A text that names no kind of territory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of territory; the kinds are {}", kinds())]
pub struct UnknownTerritoryKind;

impl FromStr for TerritoryKind {
    type Err = UnknownTerritoryKind;

    /// Case and accents do not matter: `Département` is one.
    fn from_str(text: &str) -> Result<Self, UnknownTerritoryKind> {
        let folded = fold(text);
        Self::ALL.iter().copied().find(|kind| kind.code() == folded).ok_or(UnknownTerritoryKind)
    }
}

fn kinds() -> String {
    TerritoryKind::ALL.iter().map(|kind| kind.code()).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for TerritoryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}
