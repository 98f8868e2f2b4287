//! Organisations: actors and funders, with identifiers, links and credentials.

use chrono::NaiveDate;
use sea_orm::{ConnectionTrait, DbErr};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::resource::{Resource, Stored};

pub(crate) mod directory;
pub(crate) mod entity;
pub(crate) mod profile;
pub mod routes;
pub(crate) mod store;
pub(crate) mod validate;

/// An organisation as it is stored, whoever asks: the yardstick of what access costs. Four queries.
///
/// # Errors
/// The database's.
pub async fn stored(db: &impl ConnectionTrait, id: Uuid) -> Result<Option<Organisation>, DbErr> {
    store::find(db, id).await
}

/// The first `limit` organisations as they are stored, whoever asks: the yardstick of what access costs. Four queries.
///
/// # Errors
/// The database's.
pub async fn stored_page(db: &impl ConnectionTrait, limit: u64) -> Result<Vec<Organisation>, DbErr> {
    store::page(db, &directory::Filter::default(), &directory::Order::Oldest(None), limit).await
}

/// Broad legal family, read from the legal form.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::EnumIter, sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum LegalFamily {
    /// Association of the 1901 law and the like.
    Association,
    /// Commercial company.
    Company,
    /// Cooperative company (SCIC, SCOP…).
    Cooperative,
    /// Sole trader.
    SoleTrader,
    /// Public body.
    PublicBody,
    /// Foundation.
    Foundation,
}

/// How an organisation lives.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::EnumIter, sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum EconomicModel {
    /// Mostly subsidies.
    Associative,
    /// Mostly sales.
    Commercial,
    /// Association and company together.
    Hybrid,
    /// A person alone.
    Independent,
    /// Public budget.
    Public,
}

/// Size, in the classes of European statistics.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::EnumIter, sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum OrganisationSize {
    /// Fewer than 10 people.
    Micro,
    /// Fewer than 50.
    Small,
    /// Fewer than 250.
    Medium,
    /// More.
    Large,
}

/// Who numbers organisations.
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
pub enum IdentifierScheme {
    /// The entity, 9 digits.
    Siren,
    /// One of its sites, 14 digits.
    Siret,
    /// The national register of associations: `W` and 9 digits.
    Rna,
    /// Intra-community VAT number.
    Vat,
}

/// A number given by a register.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Identifier {
    /// The register.
    pub scheme: IdentifierScheme,
    /// The number, without spaces.
    #[schema(min_length = 1, max_length = 20, examples("200046977"))]
    pub id: String,
}

/// How sure a declaration is.
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
pub enum Evidence {
    /// The organisation says so.
    #[default]
    Declared,
    /// A public source says so.
    Referenced,
    /// Somebody has checked.
    Verified,
}

/// A certificate, label or agreement held by this entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credential {
    /// Which one.
    #[schema(pattern = "^[A-Za-z0-9_.:-]{1,64}$", examples("qualiopi"))]
    pub code: String,
    /// Its number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub number: Option<String>,
    /// First day of validity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<NaiveDate>,
    /// Last day of validity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<NaiveDate>,
    /// How sure this is.
    #[serde(default)]
    pub evidence: Evidence,
}

/// How two entities belong together.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::EnumIter, sea_orm::DeriveActiveEnum,
)]
#[serde(rename_all = "snake_case")]
#[sea_orm(rs_type = "String", db_type = "Text", rename_all = "snake_case")]
pub enum LinkKind {
    /// The other is its subsidiary.
    Subsidiary,
    /// The other is a member of its network.
    NetworkMember,
    /// The other trades under its brand.
    Franchise,
    /// Both use an employers' group.
    EmployersGroup,
    /// Both belong to one group.
    SameGroup,
}

/// A link to another entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrganisationLink {
    /// The other entity.
    pub to: Uuid,
    /// How they belong together.
    pub kind: LinkKind,
    /// Whether the other may rely on this one's certificates, where a call accepts linked entities.
    #[serde(default)]
    pub shares_credentials: bool,
    /// Whether both draw on the same people: capacity for the same service then counts once.
    #[serde(default)]
    pub shares_capacity: bool,
}

/// Where the money comes from, in percent; what is missing to 100 is unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema, sea_orm::FromJsonQueryResult)]
#[serde(deny_unknown_fields, default)]
pub struct ResourceMix {
    /// Public subsidies.
    #[schema(maximum = 100)]
    pub subsidies_percent: Option<u8>,
    /// Public contracts.
    #[schema(maximum = 100)]
    pub contracts_percent: Option<u8>,
    /// Private sales.
    #[schema(maximum = 100)]
    pub sales_percent: Option<u8>,
    /// Sponsorship and donations.
    #[schema(maximum = 100)]
    pub sponsorship_percent: Option<u8>,
    /// Given in kind.
    #[schema(maximum = 100)]
    pub in_kind_percent: Option<u8>,
}

/// An organisation, as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrganisation {
    /// Legal name.
    #[schema(min_length = 1, max_length = 300, examples("Emmaüs Connect"))]
    pub name: String,
    /// Other names it is known by.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub aliases: Vec<String>,
    /// Numbers given by registers; each belongs to one organisation only.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub identifiers: Vec<Identifier>,
    /// INSEE legal category, 4 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[0-9]{4}$", examples("9220"))]
    pub legal_form: Option<String>,
    /// Broad legal family; read from the legal form where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_family: Option<LegalFamily>,
    /// How it lives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub economic_model: Option<EconomicModel>,
    /// Where its money comes from.
    #[serde(default)]
    pub resource_mix: ResourceMix,
    /// Size class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<OrganisationSize>,
    /// Employees, in full-time equivalents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub full_time_equivalents: Option<f64>,
    /// Volunteers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 10_000_000)]
    pub volunteers: Option<i32>,
    /// Codes of the territories where it is at home.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub home_territories: Vec<String>,
    /// Certificates, labels, agreements.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub credentials: Vec<Credential>,
    /// Links to other entities.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub links: Vec<OrganisationLink>,
    /// Web site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub website: Option<String>,
    /// What it does, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 5000)]
    pub description: Option<String>,
    /// Whom to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub contact: Option<String>,
    /// Where these data come from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub source: Option<String>,
    /// Date of the newest of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fresh_on: Option<NaiveDate>,
    /// Whether capacities and costs are invented, to show the product.
    #[serde(default)]
    pub illustrative: bool,
    /// Yearly turnover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_000_u64)]
    pub turnover_cents: Option<i64>,
    /// Cash it can advance before it is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000_000_000_000_u64)]
    pub available_cash_cents: Option<i64>,
}

/// An organisation, as it is stored.
pub type Organisation = Stored<NewOrganisation>;

impl Resource for NewOrganisation {
    const NAME: &'static str = "Organisation";
}
