//! The treasury of a consortium: what each member spends, is paid and must carry, month by month.
//!
//! 1. `forecast` reckons it, from the money policy of the call, the members' parts and [`Assumptions`], in whole cents: no database,
//!    no clock.
//! 2. `routes` shows each member its own line, with whether its cash suffices, which is nobody else's business; and the lines of the
//!    others where all have agreed to share them.
//!
//! Nothing here is legal advice. What the French code of public procurement says of advances (articles R2191-3 to R2191-12) is in
//! the defaults.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::calls::{CallKind, NewCall};

mod advance;
pub(crate) mod apportion;
mod forecast;
mod means;
pub(crate) mod routes;
#[cfg(test)]
mod tests;

pub use forecast::forecast;
pub use means::means;

/// What a call says of money.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Grant or contract.
    pub kind: CallKind,
    /// First day of the contract.
    pub starts_on: NaiveDate,
    /// Its length.
    pub months: u32,
    /// Budget of each year, where it is not the same.
    pub budget_by_year_cents: Vec<i64>,
    /// What the contract is worth, where it is more than the parts at hand: decides whether an advance is due.
    pub contract_cents: Option<i64>,
    /// Part of the cost that the members finance themselves.
    pub co_financing_percent: u8,
    /// What is advanced.
    pub advance_percent: u8,
    /// Days between an invoice and its payment.
    pub payment_delay_days: u32,
}

impl Terms {
    /// Those of a call.
    #[must_use]
    pub fn of(call: &NewCall) -> Self {
        let money = &call.money_policy;
        Self {
            kind: call.kind,
            starts_on: call.starts_on,
            months: u32::try_from(call.duration_months).unwrap_or(1).max(1),
            budget_by_year_cents: money.budget_by_year_cents.clone(),
            contract_cents: None,
            co_financing_percent: money.co_financing_percent.min(99),
            advance_percent: money.advance_percent.min(100),
            payment_delay_days: money.payment_delay_days,
        }
    }
}

/// What a member is to be paid for, over the whole contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Who.
    pub organisation: Uuid,
    /// What it costs, co-financing included. Not negative.
    pub amount_cents: i64,
}

/// When money is spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Spending {
    /// The same every month.
    #[default]
    Evenly,
    /// By the budget that the call sets for each year, evenly within the year; evenly where it sets none.
    ByBudget,
}

/// How often work is invoiced, at the end of the period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Invoicing {
    /// Every month.
    Monthly,
    /// Every three months: the longest that French public contracts allow.
    #[default]
    Quarterly,
    /// Every twelve months, as grants often are.
    Yearly,
}

impl Invoicing {
    const fn months(self) -> usize {
        match self {
            Self::Monthly => 1,
            Self::Quarterly => 3,
            Self::Yearly => 12,
        }
    }
}

/// How advances are paid and recovered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AdvanceScheme)]
pub enum Scheme {
    /// As the kind of the call has it: `once` for contracts, `each_year` for grants.
    #[default]
    ByKind,
    /// One advance on twelve months' worth, where the contract is long and large enough, recovered late.
    Once,
    /// An advance on each year, recovered with each payment of that year.
    EachYear,
    /// None.
    None,
}

/// Where the part that the members finance themselves comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CoFinancing {
    /// From their own cash, for good: the prudent reading.
    #[default]
    OwnCash,
    /// From others, who pay as it is spent.
    AsSpent,
}

/// What the forecast assumes. Each has a default.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
#[schema(as = TreasuryAssumptions)]
pub struct Assumptions {
    /// When money is spent.
    #[param(inline)]
    pub spending: Spending,
    /// How often work is invoiced.
    #[param(inline)]
    pub invoicing: Invoicing,
    /// How advances are paid and recovered.
    #[param(inline)]
    pub advance: Scheme,
    /// Days from the first day (of the contract, or of the year) to the advance.
    #[schema(maximum = 365)]
    #[param(maximum = 365)]
    pub advance_delay_days: u32,
    /// For `once`: above this amount of the whole contract an advance is due.
    #[schema(minimum = 0, maximum = 1_000_000_000_000_000_u64)]
    #[param(minimum = 0, maximum = 1_000_000_000_000_000_u64)]
    pub advance_above_cents: i64,
    /// For `once`: above this length an advance is due.
    #[schema(maximum = 240)]
    #[param(maximum = 240)]
    pub advance_above_months: u32,
    /// For `once`: when this part of the work is invoiced, recovery begins; with the first payment where the advance is above 30 %.
    #[schema(maximum = 99)]
    #[param(maximum = 99)]
    pub recovery_from_percent: u8,
    /// For `once`: when this part of the work is invoiced, all is recovered. Read as one more than the beginning, where it is not more.
    #[schema(minimum = 1, maximum = 100)]
    #[param(minimum = 1, maximum = 100)]
    pub recovery_until_percent: u8,
    /// Where the co-financing comes from.
    #[param(inline)]
    pub co_financing: CoFinancing,
}

impl Default for Assumptions {
    fn default() -> Self {
        Self {
            spending: Spending::default(),
            invoicing: Invoicing::default(),
            advance: Scheme::default(),
            advance_delay_days: 30,
            advance_above_cents: 5_000_000,
            advance_above_months: 2,
            recovery_from_percent: 65,
            recovery_until_percent: 80,
            co_financing: CoFinancing::default(),
        }
    }
}

/// A month of the contract, or after it until all is paid. What is received in a month is received at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TreasuryMonth {
    /// 1 is the first.
    pub number: u32,
    /// Its first day.
    pub from: NaiveDate,
    /// What is spent.
    pub spent_cents: i64,
    /// Of that, what the funder does not pay.
    pub co_financed_cents: i64,
    /// What is invoiced at its end: all that the funder owes for the period.
    pub invoiced_cents: i64,
    /// What the funder pays, advances included.
    pub received_cents: i64,
    /// Of that, advances.
    pub advance_cents: i64,
    /// What is kept back of its payments, to recover advances.
    pub recovered_cents: i64,
    /// The most that is out of pocket in this month, before it is paid; negative where there is money in hand.
    pub highest_cents: i64,
    /// What is out of pocket at its end.
    pub carried_cents: i64,
}

/// What a member carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MemberTreasury {
    /// Who.
    pub organisation: Uuid,
    /// What its part costs.
    pub amount_cents: i64,
    /// What the funder pays of it.
    pub paid_cents: i64,
    /// What it finances itself.
    pub co_financed_cents: i64,
    /// The advances that it gets.
    pub advance_cents: i64,
    /// The most that it is out of pocket.
    pub peak_cents: i64,
    /// In which month first, by its number.
    pub peak_month: u32,
    /// Month by month.
    pub months: Vec<TreasuryMonth>,
    /// Whether its own cash suffices: shown to nobody else, and where it has said how much it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub means: Option<TreasuryMeans>,
}

/// Whether the cash that an organisation has declared suffices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TreasuryMeans {
    /// What it can advance.
    pub available_cash_cents: i64,
    /// Whether that is as much as the peak.
    pub suffices: bool,
    /// What is missing.
    pub missing_cents: i64,
    /// How many days of its work its cash carries.
    pub days_covered: i64,
    /// How many days of its work the peak is.
    pub days_needed: i64,
    /// What to think of before signing, in English.
    pub warning_en: String,
    /// The same in French.
    pub warning_fr: String,
}

/// Something to know about the forecast.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TreasuryNote {
    /// What kind of note.
    pub code: NoteCode,
    /// In English.
    pub text_en: String,
    /// In French.
    pub text_fr: String,
}

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = TreasuryNoteCode)]
pub enum NoteCode {
    /// The call names an advance, but the contract is too small or too short for one: none is counted.
    AdvanceNotDue,
    /// A public contract of this size and length has an advance of 5 % at least, unless it is refused: the call names less.
    AdvanceBelowLaw,
    /// The advance is above 30 %: it is recovered from the first payment on.
    AdvanceAboveLaw,
}

/// The forecast of all members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// In the order of the parts.
    pub members: Vec<MemberTreasury>,
    /// What there is to know.
    pub notes: Vec<TreasuryNote>,
}
