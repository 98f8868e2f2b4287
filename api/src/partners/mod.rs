//! Finding partners: who complements a team, what a hand-made team is worth, why somebody is not proposed, which calls suit an
//! organisation.
//!
//! Everything here is computed from the market as the asker sees it (`calls::window`), at the reference costs of the call: what
//! others keep to themselves cannot show. `suggestions`, `team` and `absence` each ask the solver one question, as a run whose answer
//! comes within the request ([`crate::runs`]), and tell the reply in words; `survey` adds what some organisations can deliver, place by
//! place, whatever it costs; `matching` does that for every open call.

use attelage_solver::{Brings, Change, Gain, Infeasibility, NeedCoverage, NeedFit, Redundant, Remedy, RuleId, Status};
use attelage_solver::{Unsuited, Verdict};
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::calls::CallKind;
use crate::capabilities::Unit;
use crate::sentence::Sentence;

mod absence;
mod matching;
pub(crate) mod reach;
pub mod routes;
mod suggestions;
mod survey;
mod team;
mod words;

/// Who goes well with whom, in a call?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PartnerSearch {
    /// In whose name you ask; needed where you act for several organisations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Uuid>,
    /// The organisations that want to answer together; the one that asks, alone, where empty.
    #[schema(max_items = 50)]
    pub team: Vec<Uuid>,
    /// A consortium in the making, in place of a team: those of its members that have accepted and have declared a capability for the call.
    /// The organisation that asks is one of its members. They seek partners for the lots that it answers, where none are named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consortium: Option<Uuid>,
    /// Codes of the lots that they would answer; all where empty.
    #[schema(max_items = 100)]
    pub lots: Vec<String>,
    /// Partners that are settled: others are sought beside them.
    #[schema(max_items = 50)]
    pub locked_in: Vec<Uuid>,
    /// Organisations that are out of the question.
    #[schema(max_items = 1000)]
    pub locked_out: Vec<Uuid>,
    /// How many partners are told.
    #[schema(minimum = 1, maximum = 50)]
    pub limit: u32,
    /// For how many of the first the gain is exact. At most `limit`; each takes one more search.
    #[schema(minimum = 0, maximum = 20)]
    pub exact: u32,
    /// Seconds after which the best so far is told.
    #[schema(minimum = 1, maximum = 30)]
    pub time_limit_seconds: u32,
}

impl Default for PartnerSearch {
    fn default() -> Self {
        Self {
            organisation: None,
            team: Vec::new(),
            consortium: None,
            lots: Vec::new(),
            locked_in: Vec::new(),
            locked_out: Vec::new(),
            limit: 10,
            exact: 5,
            time_limit_seconds: 10,
        }
    }
}

/// Partners for a team, best first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PartnerSuggestions {
    /// The run that computed this: its reply has the consortia in full.
    pub run: Uuid,
    /// Version of the call that was computed.
    pub call_version: i64,
    /// SHA-256 of everything that was computed on: equal inputs, equal answers.
    pub fingerprint: String,
    /// What was achieved: `infeasible` means that no consortium with the team can answer.
    pub status: Status,
    /// Whether mandatory needs may be missed in what follows, since nobody can answer otherwise: `infeasibility` tells why, and a missing
    /// unit weighs at least twice its reference cost.
    pub relaxed: bool,
    /// Coverage of the call by the team alone, in percent, whatever it costs; needs weigh what they cost or are worth.
    pub team_coverage_percent: f64,
    /// Best first: those with an exact gain, then the others by their estimate.
    pub partners: Vec<SuggestedPartner>,
    /// Members of the best consortium with the team.
    pub best: Vec<Uuid>,
    /// Organisations that cannot help, with the reason; the nearest first.
    pub unsuited: Vec<Unsuited>,
    /// Organisations that stand in neither list.
    pub left_out: u32,
    /// Whether the time was up before all that was asked.
    pub cut_short: bool,
    /// Why no consortium with the team can answer in full, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub infeasibility: Option<Infeasibility>,
}

/// A partner, and what it would change.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SuggestedPartner {
    /// The organisation.
    pub organisation: Uuid,
    /// Its name.
    pub name: String,
    /// Whether it is in the best consortium with the team.
    pub in_best: bool,
    /// What the best consortium gains by it, exactly; where it was asked for and found in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gain: Option<Gain>,
    /// The same by linear relaxation; absent where even that has no answer without the partner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate_cents: Option<i64>,
    /// By how much the answer becomes dearer (cheaper where negative): what is paid at the reference costs of the call, and what uncovered
    /// quantities are worth. Absent where nobody could answer without the partner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_change_cents: Option<i64>,
    /// What becomes possible by it: quantities, place by place, that the team alone cannot deliver, and with it can.
    pub covers: Vec<CoveredPlace>,
    /// What it would do in the best consortium with it, need by need.
    pub brings: Vec<Brings>,
    /// Codes of the conditions of participation that it meets and nobody in the team does.
    pub conditions: Vec<String>,
    /// Members of the best consortium with it, where the gain is exact.
    pub consortium: Vec<Uuid>,
    /// All this in sentences, the weightiest first.
    pub reasons: Vec<Sentence>,
}

/// A quantity of a need in a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CoveredPlace {
    /// Code of the need.
    pub need: String,
    /// Code of its lot.
    pub lot: String,
    /// Its service.
    pub service: String,
    /// Its public; everybody where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<String>,
    /// In what form; any where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modality: Option<String>,
    /// Code of the territory.
    pub territory: String,
    /// What the quantity counts.
    pub unit: Unit,
    /// How much, over the whole contract.
    pub quantity: u64,
}

/// Can these organisations answer a call, all of them and nobody else?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TeamDraft {
    /// In whose name you ask; needed where you act for several organisations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Uuid>,
    /// The members.
    #[schema(min_items = 1, max_items = 50)]
    pub team: Vec<Uuid>,
    /// Codes of the lots that they would answer; all where empty.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub lots: Vec<String>,
    /// Seconds after which the best so far is told.
    #[serde(default = "ten")]
    #[schema(minimum = 1, maximum = 30, default = 10)]
    pub time_limit_seconds: u32,
}

const fn ten() -> u32 {
    10
}

/// What a hand-made team is worth.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TeamReport {
    /// The run that computed this: its reply has the division of the work in full.
    pub run: Uuid,
    /// Version of the call that was computed.
    pub call_version: i64,
    /// SHA-256 of everything that was computed on: equal inputs, equal answers.
    pub fingerprint: String,
    /// `optimal` or `feasible`: the team can answer. `infeasible`: proven, it cannot. `unknown`: the time was up first.
    pub status: Status,
    /// Covered part of the call in percent; needs weigh what they cost or are worth. Of a team that cannot answer, the most that it can
    /// deliver.
    pub coverage_percent: f64,
    /// The same need by need, in the order of the call.
    pub needs: Vec<NeedCoverage>,
    /// The rules of the call, kept and broken.
    pub rules: Vec<TeamRule>,
    /// Members without whom the others can answer.
    pub unnecessary: Vec<Redundant>,
    /// What one more partner should bring: what nobody in the team can deliver, place by place, largest first.
    pub missing: Vec<CoveredPlace>,
    /// How many more of these there are.
    pub missing_left_out: u32,
    /// The fewest organisations that would complete a team that cannot answer, the cheapest of them.
    pub completed_by: Vec<Uuid>,
    /// What the team costs at the reference costs of the call, with what uncovered quantities are worth; where it can answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective_cents: Option<i64>,
    /// The same of the best consortium, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub best_cents: Option<i64>,
    /// What to beware of.
    pub warnings: Vec<TeamWarning>,
}

/// A rule of the call, and whether a team keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TeamRule {
    /// The family of rules.
    pub rule: RuleId,
    /// Code of the condition of participation, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// Its name.
    pub name: Sentence,
    /// Whether it is kept.
    pub verdict: RuleVerdict,
    /// The least that would have to change, where it is broken.
    pub changes: Vec<Change>,
}

/// Whether a team keeps a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleVerdict {
    /// It does.
    Kept,
    /// It cannot, whatever the others.
    Broken,
    /// It cannot keep it together with the others that are told so.
    BrokenTogether,
    /// The time was up first.
    NotJudged,
}

/// Something to beware of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TeamWarning {
    /// What.
    pub code: TeamWarningCode,
    /// In words.
    pub text: Sentence,
}

/// What to beware of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TeamWarningCode {
    /// Larger than the work needs: a legal risk among competitors.
    OversizedGroup,
    /// One member could answer alone.
    AbleAlone,
}

/// Why is an organisation not proposed?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AbsenceQuestion {
    /// In whose name you ask; needed where you act for several organisations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organisation: Option<Uuid>,
    /// The organisation that is not proposed.
    pub absent: Uuid,
    /// The team that is settled.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub team: Vec<Uuid>,
    /// Codes of the lots that would be answered; all where empty.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub lots: Vec<String>,
    /// Seconds after which the best so far is told.
    #[serde(default = "ten")]
    #[schema(minimum = 1, maximum = 30, default = 10)]
    pub time_limit_seconds: u32,
}

/// Why an organisation is not proposed, as far as the asker may know.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AbsenceExplained {
    /// The run that computed this.
    pub run: Uuid,
    /// Version of the call that was computed.
    pub call_version: i64,
    /// SHA-256 of everything that was computed on: equal inputs, equal answers.
    pub fingerprint: String,
    /// The organisation.
    pub organisation: Uuid,
    /// Where it stands.
    pub verdict: Verdict,
    /// The same in words.
    pub text: Sentence,
    /// For each need of the call, how near it comes.
    pub needs: Vec<NeedFit>,
    /// How much dearer the best consortium with it is than the best of all, at the reference costs of the call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_change_cents: Option<i64>,
    /// What would have to change, as far as it was found.
    pub remedies: Vec<Remedy>,
}

/// A call that is open now and that an organisation could serve.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct MatchingCall {
    /// Its id.
    pub call: Uuid,
    /// Its version.
    pub version: i64,
    /// What it is called.
    pub title: String,
    /// Who publishes it.
    pub funder: Uuid,
    /// Grant or contract.
    pub kind: CallKind,
    /// First day of the contract.
    pub starts_on: NaiveDate,
    /// Its length.
    pub duration_months: i32,
    /// Until when it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers_due_at: Option<DateTime<Utc>>,
    /// Part of the call that the organisation could deliver alone, in percent, whatever it costs; needs weigh what they cost or are worth.
    pub coverage_percent: f64,
    /// The needs of which it could deliver something.
    pub needs: Vec<MatchedNeed>,
    /// The conditions of participation.
    pub conditions: Vec<MatchedCondition>,
}

/// A need of which an organisation could deliver something.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct MatchedNeed {
    /// Code of the need.
    pub need: String,
    /// Code of its lot.
    pub lot: String,
    /// What it is called.
    pub title: String,
    /// Its service.
    pub service: String,
    /// Its public; everybody where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public: Option<String>,
    /// Its territory.
    pub territory: String,
    /// What its quantity counts.
    pub unit: Unit,
    /// How much is asked, over the whole contract.
    pub quantity: u64,
    /// How much of it the organisation could deliver alone, beside its part of the other needs.
    pub deliverable: u64,
    /// The same in percent.
    pub share_percent: f64,
}

/// A condition of participation, and whether an organisation meets it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MatchedCondition {
    /// Its code in the call.
    pub condition: String,
    /// Whether it is met.
    pub met: ConditionMet,
}

/// Whether an organisation meets a condition of participation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConditionMet {
    /// By itself.
    Alone,
    /// In a group: another member may meet it.
    InGroup,
    /// Every member must, and it does not.
    No,
}
