//! How the members of a consortium should share its margin, and whether the group holds.
//!
//! Each member is paid for its allocated work; what is divided is an *envelope* on top, the margin of the whole. Two games are kept
//! apart, because they answer two questions.
//!
//! - The **contribution game** asks what each member brings. The value of a coalition of members is the most that it can serve within
//!   its means, each unit at its worth, less what serving it costs (`contribution`). Members stand in for each other on the same
//!   needs, so that the game is not superadditive between those who could replace each other, and its core is empty as a rule: nobody
//!   should be promised a division that no part of the group would refuse *in this game*. The Shapley value always exists and is
//!   never negative here; the envelope is divided in proportion to it.
//! - The **rival consortium** asks whether the group holds. Some members could leave with others from outside and win the call
//!   instead, if together they ask for less. That is one search of the call in which each member that stays with the rival asks
//!   for its share on top of its costs (`rivals`).

mod contribution;
mod rivals;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::answer::{Proposal, Status};
use crate::apportion::apportion;
use crate::control::{Observer, Stage};
use crate::games::{self, Coalition, MOST_PLAYERS};
use crate::instance::{Fault, Instance};
use crate::model::{Cents, Options};
use crate::propose::{Best, Draft};
use crate::teams::{Charge, Desk, name_faults, set, settle, status, told};
use contribution::Contribution;

/// How should the members share the margin, and will the group hold?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default, rename_all = "snake_case")]
pub struct SharesRequest {
    /// The members, at most 60; those of the best consortium of the call where empty.
    pub team: Vec<String>,
    /// The sum to divide. Where absent, `margin_percent` of the total cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub envelope_cents: Option<i64>,
    /// The sum to divide in percent of the total cost, rounded down to the cent. 0 to 100.
    pub margin_percent: u8,
    /// By which value the envelope is divided.
    pub divide_by: DivideBy,
    /// Orders drawn for the Shapley value of more than 14 members. 2 to 100,000.
    pub orders: u32,
    /// Whether to test the division against rival consortia, which takes a search of the whole call or several.
    pub rivals: bool,
}

impl Default for SharesRequest {
    fn default() -> Self {
        Self {
            team: Vec::new(),
            envelope_cents: None,
            margin_percent: 5,
            divide_by: DivideBy::Shapley,
            orders: 400,
            rivals: true,
        }
    }
}

/// By which value an envelope is divided.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DivideBy {
    /// In proportion to the Shapley value.
    #[default]
    Shapley,
    /// In proportion to the nucleolus, where it is positive. Up to 14 members; the Shapley value beyond.
    Nucleolus,
}

/// Divisions of the margin of a consortium.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Shares {
    /// What was achieved for the consortium itself. `infeasible`: proven, these members cannot answer.
    pub status: Status,
    /// The consortium, with its best allocation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Box<Proposal>>,
    /// What is divided.
    pub envelope_cents: i64,
    /// What the members contribute together: the value of the whole in the contribution game.
    pub value_cents: i64,
    /// By id.
    pub members: Vec<MemberShare>,
    /// How the Shapley value was found; absent where a limit came first, or with more than 60 members.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<ShapleyMethod>,
    /// What proves the nucleolus; absent beyond 14 members or where a limit came first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nucleolus: Option<NucleolusProof>,
    /// Whether the division holds against rivals, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stability: Option<Stability>,
}

/// What a member brings, and its part of the envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MemberShare {
    /// The member.
    pub actor: String,
    /// Its label.
    pub name: String,
    /// What it would contribute alone.
    pub alone_cents: i64,
    /// What the whole would contribute less without it.
    pub last_cents: i64,
    /// Its Shapley value; all add up to `value_cents`.
    pub shapley_cents: i64,
    /// Half the width of the interval that holds the exact value with a probability of 95 %; nought where it is exact.
    pub shapley_error_cents: i64,
    /// Its part under the nucleolus; all add up to `value_cents`. Negative where the others do without it better than it does
    /// without them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nucleolus_cents: Option<i64>,
    /// Its part of the envelope; all add up to `envelope_cents`.
    pub share_cents: i64,
}

/// How a Shapley value was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ShapleyMethod {
    /// From the values of all coalitions.
    Exact {
        /// How many.
        coalitions: u32,
    },
    /// From random orders, drawn with the seed of the options, each read from both ends.
    Sampled {
        /// How many.
        orders: u32,
    },
}

/// What proves a nucleolus: from the least satisfied coalitions upwards, those that cannot be satisfied better.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NucleolusProof {
    /// Whether arithmetic alone, apart from the programs that found it, confirms it.
    pub proven: bool,
    /// Levels of satisfaction.
    pub levels: Vec<SatisfactionLevel>,
}

/// Coalitions of one satisfaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SatisfactionLevel {
    /// What each gets beyond what it would contribute by itself.
    pub satisfaction_cents: i64,
    /// The coalitions, by ids.
    pub coalitions: Vec<Vec<String>>,
}

/// Whether a division holds against rival consortia.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Stability {
    /// Whether no rival can ask for less. Absent where the limit came first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stable: Option<bool>,
    /// What the consortium asks for: objective and envelope.
    pub price_cents: i64,
    /// No rival can ask for less than the price by more than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_gain_cents: Option<i64>,
    /// The rival that could ask for least, where that is less than the price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rival: Option<Rival>,
    /// Where the division does not hold: one that does, or the proof that none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<StableDivision>,
}

/// A consortium that could win instead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rival {
    /// Members that would leave for it and keep their shares.
    pub leaving_with: Vec<String>,
    /// By how much it would undercut the price.
    pub gain_cents: i64,
    /// The consortium.
    pub proposal: Box<Proposal>,
}

/// Whether some division of the envelope holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StableDivision {
    /// This one does, and of those that the rivals found allow it differs least from the shares.
    Exists {
        /// By actor, adding up to the envelope.
        shares_cents: BTreeMap<String, i64>,
    },
    /// Proven: under every division some rival undercuts the price by at least this.
    None {
        /// The least gain of the strongest rival.
        least_gain_cents: i64,
    },
    /// The limit came first.
    Unknown,
}

/// Most members whose shares are looked at: a coalition is a bit mask.
const MOST_MEMBERS: usize = 60;

/// Answers a [`SharesRequest`]. One search for the consortium; then one small linear program for each of the 2ⁿ coalitions of up to 14
/// members, or for each place of each order; some for the nucleolus; and a search of the call for each rival.
pub(crate) fn shares(
    instance: &Instance,
    options: &Options,
    request: &SharesRequest,
    observer: &dyn Observer,
) -> Shares {
    let desk = Desk::new(instance, options, observer);
    let only = if request.team.is_empty() { options.clone() } else { desk.only(&set(&request.team)) };
    let c = desk.compile(&only);
    let best = settle(&c, &desk.backend, &Charge::default());
    let mut answer = Shares {
        status: status(&best),
        proposal: None,
        envelope_cents: 0,
        value_cents: 0,
        members: Vec::new(),
        method: None,
        nucleolus: None,
        stability: None,
    };
    if let Best::Found(draft) = best {
        desk.backend.control.enter(Stage::Explanation);
        let margin = i128::from(draft.proposal.costs.total_cents) * i128::from(request.margin_percent) / 100;
        answer.envelope_cents = request.envelope_cents.unwrap_or(Cents::try_from(margin).unwrap_or(Cents::MAX));
        let ids: Vec<String> = draft.members.iter().map(|&i| c.id(i).to_owned()).collect();
        divide(&desk, request, &draft, &ids, &mut answer);
        if request.rivals && answer.method.is_some() {
            answer.stability = Some(rivals::stability(&desk, &draft.proposal, &answer.members, answer.envelope_cents));
        }
        answer.proposal = Some(Box::new(told(&c, &desk.backend, *draft, None)));
    }
    answer
}

/// What is wrong with the settings.
pub(crate) fn faults(instance: &Instance, options: &Options, request: &SharesRequest) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |path: &str, message: String| faults.push(Fault { path: path.into(), message });
    if request.team.len() > MOST_MEMBERS {
        fault("/team", format!("must name at most {MOST_MEMBERS} actors"));
    }
    for id in options.locked_in.iter().filter(|id| !request.team.is_empty() && !request.team.contains(id)) {
        fault("/team", format!("must contain {id:?}, which the options lock in"));
    }
    if request.envelope_cents.is_some_and(|cents| !(0..=1_000_000_000_000_000).contains(&cents)) {
        fault("/envelope_cents", "must be from 0 to 1000000000000000".to_owned());
    }
    if request.margin_percent > 100 {
        fault("/margin_percent", "must be from 0 to 100".to_owned());
    }
    if !(2..=100_000).contains(&request.orders) {
        fault("/orders", "must be from 2 to 100000".to_owned());
    }
    name_faults(instance, options, &[("team", &request.team)], faults)
}

/// Values and shares of the members, as far as the limits allow.
fn divide(desk: &Desk<'_>, request: &SharesRequest, draft: &Draft, ids: &[String], answer: &mut Shares) {
    let players = ids.len();
    if players > MOST_MEMBERS {
        return;
    }
    let options = contribution::options(desk, ids);
    let c = desk.compile(&options);
    let Some(mut game) = Contribution::new(&c, &desk.backend, ids, &draft.proposal) else { return };
    let all = games::grand(players);
    let mut value = |coalition: Coalition| game.value(coalition);
    let Some(whole) = value(all) else { return };
    let mut ends = Vec::new();
    for i in 0..players {
        let (Some(alone), Some(without)) = (value(1 << i), value(all ^ (1 << i))) else { return };
        ends.push((alone, whole - without));
    }
    let mut nucleolus = None;
    let (shapley, error, method) = if players <= MOST_PLAYERS {
        let Some(table) = games::tabulate(players, value) else { return };
        nucleolus = games::nucleolus(&table, || desk.backend.expired()).map(|found| (found.proven(&table), found));
        let coalitions = u32::try_from(table.len()).unwrap_or(u32::MAX);
        (games::shapley(&table), vec![0.0; players], ShapleyMethod::Exact { coalitions })
    } else {
        let Some(found) = games::sampled(players, request.orders, desk.options.seed.into(), value) else { return };
        (found.mean, found.error, ShapleyMethod::Sampled { orders: found.orders })
    };
    answer.value_cents = whole_cents(whole);
    answer.method = Some(method);
    let by_nucleolus = nucleolus.as_ref().filter(|_| request.divide_by == DivideBy::Nucleolus);
    let weights = by_nucleolus.map_or(&shapley, |(_, found)| &found.payoff);
    let envelope = apportion(answer.envelope_cents.unsigned_abs(), &scaled(weights));
    let shapley = deal(&shapley, answer.value_cents);
    let settled = nucleolus.as_ref().map(|(_, found)| deal(&found.payoff, answer.value_cents));
    answer.members = (0..players)
        .map(|i| MemberShare {
            actor: ids[i].clone(),
            name: desk.name(&ids[i]),
            alone_cents: whole_cents(ends[i].0),
            last_cents: whole_cents(ends[i].1),
            shapley_cents: shapley[i],
            shapley_error_cents: whole_cents(error[i].ceil()),
            nucleolus_cents: settled.as_ref().map(|dealt| dealt[i]),
            share_cents: envelope[i].cast_signed(),
        })
        .collect();
    answer.nucleolus = nucleolus.map(|(proven, found)| NucleolusProof {
        proven,
        levels: found.levels.iter().map(|level| told_level(level, ids)).collect(),
    });
}

fn told_level(level: &games::Level, ids: &[String]) -> SatisfactionLevel {
    let named = |coalition| games::members(coalition).map(|i| ids[i].clone()).collect();
    SatisfactionLevel {
        satisfaction_cents: whole_cents(level.satisfaction),
        coalitions: level.coalitions.iter().map(|&(coalition, _)| named(coalition)).collect(),
    }
}

#[allow(clippy::cast_possible_truncation)]
fn whole_cents(cents: f64) -> Cents {
    cents.round() as Cents
}

/// Values as whole weights that keep nine digits of the largest; nothing for negative ones.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn scaled(values: &[f64]) -> Vec<u64> {
    let most = values.iter().fold(0.0_f64, |most, value| most.max(*value));
    // Less than half a cent for everybody is nothing for everybody.
    values.iter().map(|value| if most < 0.5 { 0 } else { (value.max(0.0) / most * 1e9).round() as u64 }).collect()
}

/// Values that add up to a whole number of cents, as whole cents that add up to the same: by largest remainder, ties to the earlier.
#[allow(clippy::cast_possible_truncation)]
fn deal(values: &[f64], total: Cents) -> Vec<Cents> {
    let mut parts: Vec<Cents> = values.iter().map(|value| value.floor() as Cents).collect();
    let mut order: Vec<usize> = (0..values.len()).collect();
    let rest = |i: &usize| values[*i] - values[*i].floor();
    order.sort_by(|a, b| rest(b).total_cmp(&rest(a)).then(a.cmp(b)));
    let mut left = total - parts.iter().sum::<Cents>();
    let step = left.signum();
    for &i in order.iter().cycle().take_while(|_| !order.is_empty()) {
        if left == 0 {
            break;
        }
        parts[i] += step;
        left -= step;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_to_the_cent_whatever_their_signs() {
        assert_eq!(deal(&[1.0 / 3.0; 3], 1), [1, 0, 0]);
        assert_eq!(deal(&[-0.5, 2.5], 2), [0, 2]);
        assert_eq!(deal(&[10.4, -3.2, 0.8], 8), [10, -3, 1]);
        assert!(deal(&[], 0).is_empty());
    }

    #[test]
    fn nothing_for_everybody_weighs_the_same_for_everybody() {
        assert_eq!(scaled(&[0.1, 0.0]), [0, 0]);
        assert_eq!(scaled(&[2.0, 1.0, -1.0]), [1_000_000_000, 500_000_000, 0]);
    }
}
