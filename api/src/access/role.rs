//! What somebody may be in an organisation, and what a key may be used for.

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody may do in the name of an organisation. Each role has all rights of those before it.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    ToSchema,
    sea_orm::EnumIter,
    sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[schema(as = OrganisationRole)]
pub enum Role {
    /// Reads everything of the organisation.
    Viewer,
    /// Changes what it says and asks; answers calls.
    Editor,
    /// Decides who belongs to it, and gives out keys.
    Owner,
}

impl Role {
    /// Its name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Owner => "owner",
        }
    }
}

/// What a key may be used for. People have all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = KeyScope)]
pub enum Scope {
    /// Read what its organisation may read.
    Read,
    /// Change the organisation, its capabilities, relations and reservations.
    Market,
    /// Draft, publish and close calls.
    Calls,
    /// Start computations.
    Solve,
    /// Hand in and open bids.
    Bids,
    /// Decide on members and keys; territories, vocabularies and imports for keys of the platform.
    Manage,
}

impl Scope {
    /// Its name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Market => "market",
            Self::Calls => "calls",
            Self::Solve => "solve",
            Self::Bids => "bids",
            Self::Manage => "manage",
        }
    }
}

/// The scopes of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, FromJsonQueryResult)]
#[serde(transparent)]
pub struct Scopes(pub Vec<Scope>);

impl Scopes {
    /// Every scope: what people have.
    #[must_use]
    pub fn all() -> Self {
        Self(vec![Scope::Read, Scope::Market, Scope::Calls, Scope::Solve, Scope::Bids, Scope::Manage])
    }

    /// Whether a scope is among them.
    #[must_use]
    pub fn hold(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }
}
