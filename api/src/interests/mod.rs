//! Interest in calls: that an organisation would like to answer, what it would bring, and who may know.
//!
//! Nobody else learns that there is an interest than those whom it is shown to: to all others it is not there, in no list and under no id.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::resource::{Resource, Stored};

pub(crate) mod entity;
mod news;
pub mod routes;
pub(crate) mod store;

/// Who learns of an interest, beside the organisation itself.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    sea_orm::EnumIter,
    sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[schema(as = InterestAudience)]
pub enum Audience {
    /// Nobody else.
    #[default]
    Nobody,
    /// The funder of the call.
    Funder,
    /// The organisations that it names, the funder only where it is one of them.
    Chosen,
    /// Every organisation on the platform.
    Registered,
}

/// An interest, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewInterest {
    /// In which call; never changes.
    pub call: Uuid,
    /// Whose; never changes.
    pub organisation: Uuid,
    /// Codes of the lots that it is about; all where empty.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub lots: Vec<String>,
    /// What the organisation would like to bring, or looks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 2000, examples("We refurbish computers and look for trainers."))]
    pub message: Option<String>,
    /// Who learns of it.
    #[serde(default)]
    pub audience: Audience,
    /// The organisations that learn of it; only where the audience is `chosen`.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub chosen: Vec<Uuid>,
}

/// An interest, as it is stored.
pub type Interest = Stored<NewInterest>;

impl Resource for NewInterest {
    const NAME: &'static str = "Interest";
}
