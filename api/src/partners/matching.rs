//! Open calls that an organisation could serve, and how much of each.

use std::collections::BTreeSet;

use attelage_solver::Problem;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::survey::{Survey, by_need, coverage_percent, needs, percent};
use super::{ConditionMet, MatchedCondition, MatchedNeed, MatchingCall};
use crate::calls::market::Market;
use crate::calls::{self, Call, Scope};

/// Calls read at once.
const BATCH: u64 = 50;

/// Up to `limit` calls that are open and that an organisation could serve, by id, from those after `after`. Three queries for each
/// fifty calls that ask for one of its services.
pub async fn page(
    db: &impl ConnectionTrait,
    market: Market,
    organisation: Uuid,
    now: DateTime<Utc>,
    limit: usize,
    after: Option<Uuid>,
) -> Result<Vec<MatchingCall>, DbErr> {
    let mut found = Vec::new();
    let services = market.services_met_by(organisation);
    let market = std::sync::Arc::new(market);
    let mut after = after;
    while found.len() < limit {
        let calls = calls::store::open(db, &services, now, BATCH, after).await?;
        let Some(last) = calls.last() else { break };
        after = Some(last.id);
        let market = std::sync::Arc::clone(&market);
        let matched = tokio::task::spawn_blocking(move || {
            let matching = calls.iter().filter_map(|call| matching(&market.problem(call), call, organisation));
            matching.collect::<Vec<MatchingCall>>()
        });
        found.extend(matched.await.map_err(|error| DbErr::Custom(error.to_string()))?);
    }
    found.truncate(limit);
    Ok(found)
}

/// A call as it suits an organisation; `None` where it does not. One flow.
fn matching(problem: &Problem, call: &Call, organisation: Uuid) -> Option<MatchingCall> {
    let own = organisation.to_string();
    let team = BTreeSet::from([own.as_str()]);
    let survey = Survey::of(problem, &team)?;
    let supply = survey.supply(&team);
    let served = by_need(&supply);
    let asked = needs(call);
    let quantities = problem.call.lots.iter().flat_map(|lot| &lot.needs);
    let matched: Vec<MatchedNeed> = quantities
        .filter_map(|need| {
            let deliverable = served.get(need.id.as_str()).copied().filter(|served| *served > 0)?;
            let (lot, written) = asked.get(need.id.as_str())?;
            Some(MatchedNeed {
                need: need.id.clone(),
                lot: (*lot).to_owned(),
                title: written.title.clone(),
                service: need.service.clone(),
                public: need.public.clone(),
                territory: need.territory.clone(),
                unit: written.unit,
                quantity: need.quantity,
                deliverable,
                share_percent: percent(deliverable.into(), need.quantity.into()),
            })
        })
        .collect();
    if matched.is_empty() {
        return None;
    }
    let written = &call.value.written;
    let conditions = written.eligibility.iter().map(|rule| MatchedCondition {
        condition: rule.code.clone(),
        met: match (survey.meets(&own, &rule.code), rule.scope) {
            (true, _) => ConditionMet::Alone,
            (false, Scope::EachMember) => ConditionMet::No,
            (false, _) => ConditionMet::InGroup,
        },
    });
    Some(MatchingCall {
        call: call.id,
        version: call.version,
        title: written.title.clone(),
        funder: written.funder,
        kind: written.kind,
        starts_on: written.starts_on,
        duration_months: written.duration_months,
        answers_due_at: written.answers_due_at,
        coverage_percent: coverage_percent(problem, &served),
        needs: matched,
        conditions: conditions.collect(),
    })
}
