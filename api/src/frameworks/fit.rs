//! How those who stay suit a call now, through the window of whoever looks.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::store::Whole;
use super::{FrameworkCondition, FrameworkFit};
use crate::calls::market::Market;
use crate::calls::window::Window;
use crate::calls::{Call, Criterion, EligibilityRule, Scope};
use crate::consortia::checks::Verdict;
use crate::partners::reach::Reach;
use crate::problem::Problem;

/// Everything that it is reckoned from.
pub struct Asked {
    market: Market,
    call: Call,
    reader: Uuid,
    lead: Uuid,
    team: Vec<Uuid>,
}

impl Asked {
    /// Reads it. About a dozen queries; O(what the team can do + territories).
    ///
    /// # Errors
    /// The database's.
    pub async fn load(
        db: &impl ConnectionTrait,
        whole: &Whole,
        call: Call,
        reader: Uuid,
        team: Vec<Uuid>,
    ) -> Result<Self, DbErr> {
        let market = Market::load_around(&Window::new(db, Some(reader)), &team).await?;
        Ok(Self { market, call, reader, lead: whole.row.lead_id, team })
    }

    /// Works it out, on a thread of its own: it takes a processor for a while.
    ///
    /// # Errors
    /// Only internal ones.
    pub async fn answer(self) -> Result<FrameworkFit, Problem> {
        let fit = tokio::task::spawn_blocking(move || self.fit()).await.map_err(Problem::internal)?;
        fit.ok_or_else(|| Problem::internal("the solver refuses a team of a market that it takes"))
    }

    fn fit(self) -> Option<FrameworkFit> {
        let these: BTreeSet<Uuid> = self.team.iter().copied().collect();
        let problem = self.market.problem_with(&self.call, &these);
        let mut reach = Reach::of(&problem, &self.call, &self.team)?;
        let conditions = self.call.value.written.eligibility.iter().map(|rule| {
            let met_by = reach.met_by.remove(&rule.code).unwrap_or_default();
            self.condition(rule, met_by)
        });
        Some(FrameworkFit {
            conditions: conditions.collect(),
            call: self.call.id,
            call_version: self.call.version,
            coverage_percent: reach.coverage_percent,
            needs: reach.needs,
            missing: reach.missing.places,
            missing_left_out: reach.missing.left_out,
            team: self.team,
        })
    }

    /// The turnover of others is theirs to know: what is reckoned with is that it suffices.
    fn condition(&self, rule: &EligibilityRule, met_by: Vec<Uuid>) -> FrameworkCondition {
        let knows_own_only = rule.criterion == Criterion::Turnover;
        let met_by: Vec<Uuid> = met_by.into_iter().filter(|id| !knows_own_only || *id == self.reader).collect();
        let is_met = match rule.scope {
            Scope::EachMember => self.team.iter().all(|id| met_by.contains(id)),
            Scope::Lead => met_by.contains(&self.lead),
            Scope::AnyMember | Scope::SumOverMembers | Scope::Performer => !met_by.is_empty(),
        };
        let own_fails = self.team.contains(&self.reader) && !met_by.contains(&self.reader);
        let is_judged = !knows_own_only
            || match rule.scope {
                Scope::EachMember => own_fails,
                Scope::Lead => self.reader == self.lead,
                Scope::AnyMember | Scope::SumOverMembers | Scope::Performer => false,
            };
        let verdict = match (is_met, is_judged) {
            (true, _) => Verdict::Kept,
            (false, true) => Verdict::Broken,
            (false, false) => Verdict::NotJudged,
        };
        FrameworkCondition { condition: rule.code.clone(), verdict, met_by }
    }
}
