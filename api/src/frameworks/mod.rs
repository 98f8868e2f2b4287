//! Frameworks: consortia that are kept for the next call, with what each member did in them.
//!
//! 1. `keeping` remembers a consortium: who did what, and what each showed of itself to everybody on that day. Members are asked whether
//!    they stay; nobody else learns that there is a framework.
//! 2. `sight` is what somebody sees of it.
//! 3. `changes` says what has changed since, from what everybody may know; `fit` what the members could do of a call now.
//! 4. `routes` and `members` take requests; `crate::consortia::founding` begins a consortium with one, each with what it did before
//!    (`again`).
//!
//! No amount is remembered: prices belong to the consortium that agreed on them.

use attelage_solver::NeedCoverage;
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::access::Routes;
use crate::capabilities::{CapacityBand, Unit};
use crate::consortia::Role;
use crate::consortia::checks::Verdict;
use crate::consortia::machine::Phase;
use crate::organisations::Credential;
use crate::partners::CoveredPlace;

pub mod again;
pub mod changes;
pub(crate) mod entity;
pub(crate) mod fit;
pub(crate) mod keeping;
pub(crate) mod members;
pub(crate) mod routes;
pub(crate) mod sight;
pub(crate) mod store;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes::configure(routes);
    members::configure(routes);
}

/// A consortium to keep for the next call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewFramework {
    /// Which consortium; its members have all signed a version of it.
    pub consortium: Uuid,
    /// What the framework is called.
    #[schema(min_length = 1, max_length = 300, examples("Alliance du numérique solidaire"))]
    pub name: String,
}

/// Where an organisation stands in a framework.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::EnumIter, sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
#[schema(as = FrameworkStanding)]
pub enum Standing {
    /// Has been asked whether it stays, and has not answered.
    Asked,
    /// Stays.
    Accepted,
    /// Does not, or no longer. It may come back while the framework lasts.
    Left,
}

/// What an organisation delivered, over a whole contract.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FrameworkPart)]
pub struct Part {
    /// Code of the need, in the call of that time.
    pub need: String,
    /// Its service.
    pub service: String,
    /// Its territory.
    pub territory: String,
    /// Its public; everybody where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<String>,
    /// In what form; any where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modality: Option<String>,
    /// What the quantity counts.
    pub unit: Unit,
    /// How much.
    pub quantity: i64,
}

/// A capability as everybody could know it on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FrameworkCapability)]
pub struct KeptCapability {
    /// Which.
    pub capability: Uuid,
    /// Its version then.
    pub version: i64,
    /// Codes of services.
    pub services: Vec<String>,
    /// Codes of publics; everybody where empty.
    pub publics: Vec<String>,
    /// Codes of territories.
    pub territories: Vec<String>,
    /// Codes of modalities; any where empty.
    pub modalities: Vec<String>,
    /// What its capacity counts; unknown where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// How much it could do in a year, roughly; unknown where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub band: Option<CapacityBand>,
    /// First day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<NaiveDate>,
    /// Last day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<NaiveDate>,
}

/// What everybody could know of an organisation on a day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::FromJsonQueryResult)]
#[schema(as = FrameworkSnapshot)]
pub struct Snapshot {
    /// Version of the organisation.
    pub version: i64,
    /// What it could deliver.
    pub capabilities: Vec<KeptCapability>,
    /// The certificates that it held, without their numbers.
    pub credentials: Vec<Credential>,
}

/// An organisation of a framework, as somebody sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FrameworkMember {
    /// Which; it may have been deleted since.
    pub organisation: Uuid,
    /// What it was in the consortium.
    pub role: Role,
    /// Where it stands.
    pub standing: Standing,
    /// What it delivered.
    pub parts: Vec<Part>,
    /// What it showed of itself when the consortium was kept.
    pub kept: Snapshot,
}

/// A consortium that is kept for the next call, as somebody sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Framework {
    /// UUIDv7.
    pub id: Uuid,
    /// Grows at each change of what the reader sees; the `ETag` repeats it.
    pub version: i64,
    /// As which organisation the reader sees it.
    pub seen_as: Uuid,
    /// Where that one stands.
    pub standing: Standing,
    /// Who leads it.
    pub lead: Uuid,
    /// What it is called.
    pub name: String,
    /// Which consortium it keeps.
    pub consortium: Uuid,
    /// The call that the consortium answered.
    pub call: Uuid,
    /// The length of that contract.
    pub months: i32,
    /// Where the consortium stood when it was kept: before `execution`, its parts were planned and not delivered.
    pub kept_in: Phase,
    /// When it was kept.
    pub kept_at: DateTime<Utc>,
    /// When its lead ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
    /// The members that the reader may know, the lead first.
    pub members: Vec<FrameworkMember>,
}

/// A framework in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FrameworkSummary {
    /// UUIDv7.
    pub id: Uuid,
    /// As which organisation the reader sees it.
    pub seen_as: Uuid,
    /// Where that one stands.
    pub standing: Standing,
    /// Who leads it.
    pub lead: Uuid,
    /// What it is called.
    pub name: String,
    /// When it was kept.
    pub kept_at: DateTime<Utc>,
    /// When its lead ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
}

/// How a capability has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FrameworkCapabilityChangeKind)]
pub enum CapabilityChangeKind {
    /// It is new.
    New,
    /// There is no such capability any more.
    Gone,
    /// It does not last: neither today, nor for the whole contract of the call that is looked at.
    Lapsed,
    /// Its band is a lower one.
    Shrunk,
    /// Its band is a higher one.
    Grown,
    /// It is no longer for some service, public, territory or modality.
    Narrowed,
    /// It is for more of them.
    Widened,
    /// Its unit is another one, or whether its capacity is known.
    Restated,
}

/// A capability that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FrameworkCapabilityChange)]
pub struct CapabilityChange {
    /// Which.
    pub capability: Uuid,
    /// Codes of its services; those of that day where it is gone.
    pub services: Vec<String>,
    /// In which ways.
    pub changes: Vec<CapabilityChangeKind>,
    /// How much it could do in a year then, roughly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<CapacityBand>,
    /// How much it can do in a year now, roughly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub now: Option<CapacityBand>,
}

/// How a certificate has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = FrameworkCredentialChangeKind)]
pub enum CredentialChangeKind {
    /// It is new, and valid.
    New,
    /// It is valid for longer.
    Renewed,
    /// It is not declared any more.
    Withdrawn,
    /// Its last day has passed.
    Expired,
    /// Its last day comes before the first day of the call that is looked at.
    Expiring,
}

/// A certificate that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FrameworkCredentialChange)]
pub struct CredentialChange {
    /// Its code.
    pub code: String,
    /// In which way.
    pub change: CredentialChangeKind,
    /// Its last day, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<NaiveDate>,
}

/// What has changed in an organisation, as far as everybody may know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FrameworkMemberChanges {
    /// Which.
    pub organisation: Uuid,
    /// Where it stands.
    pub standing: Standing,
    /// Whether there is no such organisation any more.
    pub gone: bool,
    /// Its capabilities that are not what they were.
    pub capabilities: Vec<CapabilityChange>,
    /// Its certificates that are not what they were.
    pub credentials: Vec<CredentialChange>,
}

/// Whether a team meets a condition of participation, as far as the reader may know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FrameworkCondition {
    /// Its code.
    pub condition: String,
    /// Whether it is met: by each, by the lead, or by one at least, as its scope asks.
    pub verdict: Verdict,
    /// Who meets it.
    pub met_by: Vec<Uuid>,
}

/// What the members that stay could do of a call, whatever it costs.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FrameworkFit {
    /// The call.
    pub call: Uuid,
    /// Its version.
    pub call_version: i64,
    /// Whom this counts on: with them as `team`, `POST /v1/calls/{id}/partner-suggestions` seeks the partner that is missing.
    pub team: Vec<Uuid>,
    /// Part of the call that they could deliver, in percent; needs weigh what they cost or are worth.
    pub coverage_percent: f64,
    /// The same need by need, in the order of the call.
    pub needs: Vec<NeedCoverage>,
    /// The conditions of participation.
    pub conditions: Vec<FrameworkCondition>,
    /// What one more partner should bring, place by place, largest first.
    pub missing: Vec<CoveredPlace>,
    /// How many more of these there are.
    pub missing_left_out: u32,
}

/// What has changed since a consortium was kept.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FrameworkChanges {
    /// Of which framework.
    pub framework: Uuid,
    /// As which organisation the reader sees it.
    pub seen_as: Uuid,
    /// On which day this was looked at.
    pub on: NaiveDate,
    /// Member by member, the lead first.
    pub members: Vec<FrameworkMemberChanges>,
    /// How they suit a call, where one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fit: Option<FrameworkFit>,
}
