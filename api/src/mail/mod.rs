//! Mail: the events that concern a person's organisations, gathered, through an SMTP server that the installation names.
//!
//! 1. `routes` is what a person wants: a language, which types of events, or no mail at all; one click ends it, without signing in.
//! 2. `worker` looks whose oldest untold event has waited for the quiet period, gathers all that has happened since the last mail, and
//!    sends it. So nobody gets more than one mail in that period.
//! 3. `text` writes it, in French or in English: what happened, with the names of organisations and of published calls, which everybody
//!    may read. Nothing else goes into a mail.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::events::EventType;

pub(crate) mod entity;
mod links;
pub(crate) mod routes;
mod settings;
pub(crate) mod store;
mod text;
pub(crate) mod worker;

pub use links::Links;
pub use settings::{Settings, SettingsError, Tls};

/// A language of mails.
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
#[schema(as = MailLanguage)]
pub enum Language {
    /// French.
    #[default]
    Fr,
    /// English.
    En,
}

/// What mail somebody wants.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMailPreferences {
    /// In which language.
    #[serde(default)]
    pub language: Language,
    /// Whether they want mail at all.
    pub enabled: bool,
    /// The types of events that they do not want to read of.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub muted: Vec<EventType>,
}

/// What mail somebody gets.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MailPreferences {
    /// Grows by one at each change; the `ETag` repeats it.
    pub version: i64,
    /// In which language.
    pub language: Language,
    /// Whether they get mail at all.
    pub enabled: bool,
    /// The types of events that they do not read of.
    pub muted: Vec<EventType>,
}

impl Default for MailPreferences {
    /// Whoever has said nothing: everything, in French.
    fn default() -> Self {
        Self { version: 1, language: Language::default(), enabled: true, muted: Vec::new() }
    }
}
