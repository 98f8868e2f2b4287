//! The answer as data.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// An answer to a call: who does what, where, when and for how much.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerDocument {
    /// What it answers.
    pub call: AnswerCall,
    /// How those who answer are bound.
    pub group: AnswerGroup,
    /// Who takes part, the lead first.
    pub members: Vec<AnswerMember>,
    /// The lots that it answers, in the order of the call.
    pub lots: Vec<AnswerLot>,
    /// The years of the contract.
    pub years: Vec<AnswerYear>,
    /// What the lead is paid for coordinating.
    #[serde(default)]
    pub coordination_cents: i64,
    /// The price, that included.
    pub amount_cents: i64,
    /// Mean of the coverage of the needs.
    pub coverage_percent: f64,
    /// What else those who answer say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// SHA-256 of what was signed or sealed, in hexadecimal; absent where nothing was yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Who has signed that.
    pub signatures: Vec<AnswerSignature>,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerCall {
    /// Id of the call.
    pub id: String,
    /// Its version.
    pub version: i64,
    /// What it is called.
    pub title: String,
    /// The funder's own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Name of the funder.
    pub funder: String,
    /// `grant` or `contract`.
    pub kind: String,
    /// First day of the contract.
    pub starts_on: NaiveDate,
    /// Its length.
    pub duration_months: u32,
    /// When answers are due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers_due_at: Option<DateTime<Utc>>,
}

/// How those who answer are bound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerGroup {
    /// What the consortium is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// `conjoint`, `conjoint_solidary_lead` or `solidary`; absent for one that answers alone, or where nothing was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
}

/// An organisation that takes part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerMember {
    /// Id of the organisation.
    pub organisation: String,
    /// Its legal name.
    pub name: String,
    /// Its numbers: SIREN, SIRET, RNA, VAT.
    pub identifiers: Vec<AnswerTerm>,
    /// Its role, in ESPD codes.
    pub role: String,
    /// Codes of the lots that it works for.
    pub lots: Vec<String>,
    /// For how much.
    pub amount_cents: i64,
    /// Its part of the price.
    pub share_percent: f64,
}

/// A code with what people call it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerTerm {
    /// The code.
    pub code: String,
    /// Its label, in French.
    pub label: String,
}

/// A lot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerLot {
    /// Its code.
    pub code: String,
    /// What it is called.
    pub title: String,
    /// Its price.
    pub amount_cents: i64,
    /// Mean of the coverage of its needs.
    pub coverage_percent: f64,
    /// Its needs.
    pub needs: Vec<AnswerNeed>,
}

/// A need, and who meets it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerNeed {
    /// Its code.
    pub code: String,
    /// What it is called.
    pub title: String,
    /// The service.
    pub service: AnswerTerm,
    /// The territory.
    pub territory: AnswerTerm,
    /// The public; everybody where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<AnswerTerm>,
    /// What the quantities count.
    pub unit: AnswerTerm,
    /// Whether it must be met in full.
    pub mandatory: bool,
    /// How much is asked over the whole contract.
    pub asked: i64,
    /// How much is delivered.
    pub covered: i64,
    /// The one in percent of the other, rounded to two decimals.
    pub coverage_percent: f64,
    /// Who delivers it.
    pub parts: Vec<AnswerPart>,
}

/// What a member delivers of a need, over the whole contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerPart {
    /// Who.
    pub organisation: String,
    /// How much, in the unit of the need.
    pub quantity: i64,
    /// For how much.
    pub amount_cents: i64,
}

/// A year of the contract. Work is spread over the contract by its months.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerYear {
    /// 1 is the first.
    pub number: u32,
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
    /// What is done, by need.
    pub needs: Vec<AnswerYearNeed>,
    /// What it costs, by member.
    pub parts: Vec<AnswerYearPart>,
    /// What it costs.
    pub amount_cents: i64,
}

/// What is done of a need in a year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerYearNeed {
    /// Code of the need.
    pub need: String,
    /// How much, in its unit.
    pub quantity: i64,
}

/// What a member is paid for in a year.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerYearPart {
    /// Who.
    pub organisation: String,
    /// For how much.
    pub amount_cents: i64,
}

/// That a member has signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AnswerSignature {
    /// Which.
    pub organisation: String,
    /// When.
    pub signed_at: DateTime<Utc>,
    /// What: the digest of the version that it signed.
    pub digest: String,
}

impl AnswerDocument {
    /// What a member is called.
    #[must_use]
    pub fn name<'a>(&'a self, organisation: &'a str) -> &'a str {
        let found = self.members.iter().find(|member| member.organisation == organisation);
        found.map_or(organisation, |member| &member.name)
    }
}
