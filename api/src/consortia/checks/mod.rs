//! Which rules of the call a consortium keeps, as far as somebody may know.
//!
//! A check rests on what its reader sees: public profiles, the members that it knows, and its own secrets. What depends on more is not
//! judged, and says so. In particular nobody learns from a check that another consortium exists: whether a lead leads elsewhere, or a
//! member belongs to another group, is told to that organisation alone.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

mod conditions;
mod facts;
mod group;
pub(super) mod market;
pub(crate) mod routes;

/// Whether a rule is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConsortiumVerdict)]
pub enum Verdict {
    /// It is.
    Kept,
    /// It is, and there is something to think of.
    Warning,
    /// It is not.
    Broken,
    /// It depends on what the reader may not know, or on what is not settled yet.
    NotJudged,
}

/// A rule, and how a consortium stands to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ConsortiumCheck)]
pub struct Check {
    /// Which rule: `size`, `form`, `coverage`…; `condition:` and its code for a condition of participation.
    pub code: String,
    /// Whether it is kept.
    pub verdict: Verdict,
    /// The lot or the need concerned, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// The members concerned, where some are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub organisations: Vec<Uuid>,
    /// In English.
    pub text_en: String,
    /// In French.
    pub text_fr: String,
}

/// How a consortium stands to the rules of its call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConsortiumChecks {
    /// Which consortium.
    pub consortium: Uuid,
    /// As which organisation the reader sees it.
    pub seen_as: Uuid,
    /// How many were invited and have not answered: the lead's checks count on them, those of other members do not.
    pub pending: i32,
    /// Rule by rule.
    pub checks: Vec<Check>,
}

impl Check {
    fn new(code: &str, verdict: Verdict, text_en: impl Into<String>, text_fr: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            verdict,
            about: None,
            organisations: Vec::new(),
            text_en: text_en.into(),
            text_fr: text_fr.into(),
        }
    }

    fn about(mut self, what: &str) -> Self {
        self.about = Some(what.to_owned());
        self
    }

    fn of(mut self, organisations: impl IntoIterator<Item = Uuid>) -> Self {
        self.organisations.extend(organisations);
        self
    }
}
