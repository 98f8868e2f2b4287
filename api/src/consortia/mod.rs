//! Consortia: organisations that answer a call together, from the first invitation to the end of the contract.
//!
//! 1. [`machine`] says what may happen, and what follows: no database, no clock of its own.
//! 2. [`whole`] is a consortium as it is kept: the machine's state, and what each member does for how much.
//! 3. [`statement`] is what members sign: one digest for all, in which the amounts of each are a commitment that only those who may know
//!    them can open.
//! 4. `sight` is what somebody sees of it: nothing, an invitation, or the group that they belong to.
//! 5. `checks` says which rules of the call it keeps, as far as the reader may know.
//! 6. `founding` is how it begins; `routes`, `invitations`, `memberships` and `signing` take requests; `requests` is what these
//!    are told, `acting` how each of them begins and ends.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Routes;
use machine::{Ending, Phase, Standing};
use statement::Statement;

pub mod acting;
pub(crate) mod checks;
pub mod entity;
pub(crate) mod founding;
pub(crate) mod invitations;
pub mod machine;
pub(crate) mod memberships;
mod news;
pub(crate) mod repairs;
mod requests;
pub(crate) mod routes;
pub(crate) mod sight;
pub(crate) mod signing;
pub mod statement;
pub(crate) mod store;
mod validate;
pub mod whole;

pub use requests::{
    Amount, ConsortiumAcceptance, ConsortiumDeparture, ConsortiumMemberTerms, NewConsortiumInvitation,
    NewConsortiumSignature, RepairChoice, RepairOptions,
};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes::configure(routes);
    invitations::configure(routes);
    memberships::configure(routes);
    signing::configure(routes);
    checks::routes::configure(routes);
    repairs::configure(routes);
}

/// What an organisation is in a consortium, in the words of the European single procurement document.
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
#[serde(rename_all = "kebab-case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "kebab-case")]
#[schema(as = ConsortiumRole)]
pub enum Role {
    /// Leads the group.
    GroupLead,
    /// Belongs to the group, and answers for its own part.
    GroupMem,
    /// Answers alone, if with the help of others.
    SoleTenderer,
    /// Works for one of the members.
    Subcont,
    /// Lends its capacities or certificates.
    Oeron,
}

/// Who answers for what.
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
#[schema(as = ConsortiumForm)]
pub enum Form {
    /// Each for its own part.
    #[default]
    Conjoint,
    /// Each for its own part, the lead for all.
    ConjointSolidaryLead,
    /// Each for all.
    Solidary,
}

/// What an organisation delivers of a need, over the whole contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConsortiumPart)]
pub struct Part {
    /// Code of the need.
    #[schema(examples("lessons"))]
    pub need: String,
    /// How much, in the unit of the need.
    #[schema(minimum = 1, maximum = 1_000_000_000_000_u64)]
    pub quantity: i64,
    /// For how much; open where absent. All are settled before anybody signs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_000_u64)]
    pub amount_cents: Option<i64>,
}

/// A proposal of a run of one's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConsortiumOrigin)]
pub struct Origin {
    /// The run.
    pub run: Uuid,
    /// Which of its proposals: 1 is the best.
    #[schema(minimum = 1, maximum = 20)]
    pub rank: i32,
}

/// What a member lets others see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = ConsortiumConsent)]
pub struct Consent {
    /// Whether those who are invited learn that it takes part.
    pub show_to_invited: bool,
    /// Whether members who do the same see its amounts, and it theirs.
    pub share_prices: bool,
}

/// A consortium in the making.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewConsortium {
    /// Who leads it; may be left out by those who belong to one organisation only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Uuid>,
    /// Which call it will answer.
    pub call: Uuid,
    /// What it is called.
    #[schema(min_length = 1, max_length = 300)]
    pub name: String,
    /// Who answers for what.
    #[serde(default)]
    pub form: Form,
    /// Codes of the lots that it will answer; all where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub lots: Vec<String>,
    /// What the lead is paid for coordinating, over the contract.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64)]
    pub coordination_cents: i64,
    /// What the lead itself delivers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 500)]
    pub parts: Vec<Part>,
    /// A proposal to begin with: its other members are invited, each to the part that it proposes, and the lead takes its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Origin>,
    /// A framework to begin with, in place of a proposal: those who stay in it are invited, and everybody has the parts that it had
    /// before, as far as the call asks for the same; their amounts are open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub framework: Option<Uuid>,
    /// Days that those who are invited have to answer.
    #[serde(default = "requests::two_weeks")]
    #[schema(minimum = 1, maximum = 90, default = 14)]
    pub days_to_answer: i32,
    /// What the lead lets others see.
    #[serde(default)]
    pub consent: Consent,
}

/// An organisation of the plan, with what it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ConsortiumPlanMember)]
pub struct PlanMember {
    /// Which.
    pub organisation: Uuid,
    /// What it is; the lead is `group-lead`.
    pub role: Role,
    /// What it delivers. An amount that is left out stays as the member has settled it, where the quantity is the same.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub parts: Vec<Part>,
}

/// The plan of a consortium, as its lead writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsortiumPlan {
    /// What it is called.
    #[schema(min_length = 1, max_length = 300)]
    pub name: String,
    /// Who answers for what.
    pub form: Form,
    /// Codes of the lots that it will answer.
    #[schema(min_items = 1, max_items = 100)]
    pub lots: Vec<String>,
    /// What the lead is paid for coordinating, over the contract.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_u64)]
    pub coordination_cents: i64,
    /// Everybody who is a member or invited, and nobody else: others are invited first.
    #[schema(min_items = 1, max_items = 200)]
    pub members: Vec<PlanMember>,
}

/// A member of a consortium, as somebody sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConsortiumMember {
    /// Which organisation.
    pub organisation: Uuid,
    /// What it is.
    pub role: Role,
    /// Where it stands.
    pub standing: Standing,
    /// The version of its terms; to accept them, name it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub terms: Option<i32>,
    /// What it delivers; amounts where the reader may know them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<Vec<Part>>,
    /// Opens the commitment to its amounts; with them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub salt: Option<String>,
    /// Whom to ask there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Until when it may answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_by: Option<DateTime<Utc>>,
    /// Whether it has signed the present version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_signed: Option<bool>,
    /// The version of the plan that binds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_by: Option<i64>,
    /// What it lets others see: its own word, for itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent: Option<Consent>,
    /// What the lead wrote to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Why it declined or left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether it asks to be invited again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asks_again: Option<bool>,
    /// Of an alternate: whose place it would take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Uuid>,
}

/// A consortium, as somebody sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Consortium {
    /// UUIDv7.
    pub id: Uuid,
    /// Grows by one at each change of what the reader sees; the `ETag` repeats it.
    pub version: i64,
    /// As which organisation the reader sees it.
    pub seen_as: Uuid,
    /// Where that one stands.
    pub standing: Standing,
    /// Which call it answers.
    pub call: Uuid,
    /// Which version of the call.
    pub call_version: i64,
    /// Who leads it, and invites.
    pub lead: Uuid,
    /// What it is called.
    pub name: String,
    /// Who answers for what.
    pub form: Form,
    /// Codes of the lots that it answers.
    pub lots: Vec<String>,
    /// The members that the reader may know, the lead first.
    pub members: Vec<ConsortiumMember>,
    /// How many were invited and have not answered; for members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending: Option<i32>,
    /// Where it stands; for members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Why it is over; for members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
    /// What the lead is paid for coordinating; for members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coordination_cents: Option<i64>,
    /// The version of the plan; for members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<i64>,
    /// SHA-256 of `statement` in canonical JSON (RFC 8785), in hexadecimal: what a signature is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What members sign, once all have answered and all amounts are settled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<Statement>,
}

/// A consortium in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ConsortiumSummary {
    /// UUIDv7.
    pub id: Uuid,
    /// As which organisation the reader sees it.
    pub seen_as: Uuid,
    /// Where that one stands.
    pub standing: Standing,
    /// Which call it answers.
    pub call: Uuid,
    /// Who leads it, and invites.
    pub lead: Uuid,
    /// What it is called.
    pub name: String,
    /// Where it stands; for members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Until when to answer; for those who are invited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer_by: Option<DateTime<Utc>>,
}
