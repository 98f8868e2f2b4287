//! Services, publics and modalities: trees of terms held as data, with crosswalks to official lists.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::resource::{Coded, Resource};

pub(crate) mod entity;
pub mod routes;
pub mod shipped;
pub(crate) mod store;

/// A vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Vocabulary {
    /// What is delivered.
    Services,
    /// To whom.
    Publics,
    /// In what form.
    Modalities,
}

impl Vocabulary {
    /// Its name in paths and keys.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Services => "services",
            Self::Publics => "publics",
            Self::Modalities => "modalities",
        }
    }

    /// The key of one of its terms in the database.
    #[must_use]
    pub fn key(self, code: &str) -> String {
        format!("{}/{code}", self.name())
    }
}

/// A term, as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTerm {
    /// Code of the broader term; absent at a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_length = 1, max_length = 64, examples("training"))]
    pub parent: Option<String>,
    /// English label.
    #[schema(min_length = 1, max_length = 200, examples("Everyday digital tools"))]
    pub label_en: String,
    /// French label.
    #[schema(min_length = 1, max_length = 200, examples("Outils numériques du quotidien"))]
    pub label_fr: String,
    /// The same thing in official lists.
    #[serde(default)]
    pub crosswalks: Crosswalks,
}

/// The same thing in official lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::FromJsonQueryResult)]
#[serde(deny_unknown_fields, default)]
pub struct Crosswalks {
    /// Values of the national standard of digital-mediation places.
    #[schema(max_items = 20)]
    pub mediation_numerique: Vec<String>,
    /// Codes of data·inclusion.
    #[schema(max_items = 20)]
    pub data_inclusion: Vec<String>,
    /// Codes of the Common Procurement Vocabulary.
    #[schema(max_items = 20)]
    pub cpv: Vec<String>,
}

/// A term, as it is stored.
pub type Term = Coded<NewTerm>;

impl Resource for NewTerm {
    const NAME: &'static str = "Term";
}
