//! Partners for a team: the solver's question on partners, told with what each makes possible.

use std::collections::{BTreeMap, BTreeSet};

use attelage_solver::{self as solver, Gain, Instance, Partner, Partners, PartnersRequest, Query, Reply, Status};
use sea_orm::DatabaseTransaction;
use uuid::Uuid;

use super::survey::{self, Survey, by_need, coverage_percent};
use super::{CoveredPlace, PartnerSearch, PartnerSuggestions, SuggestedPartner, team, words};
use crate::calls::Call;
use crate::calls::market::serves;
use crate::calls::window::Window;
use crate::consortia;
use crate::consortia::machine::Standing;
use crate::consortia::sight::{self, Depth};
use crate::database::clock;
use crate::problem::{Fault, Problem};
use crate::runs::RunOptions;
use crate::runs::prompt::{Answered, Ask};

impl Ask for PartnerSearch {
    type Told = PartnerSuggestions;

    fn organisation(&self) -> Option<Uuid> {
        self.organisation
    }

    async fn settled(self, db: &DatabaseTransaction, call: &Call, asker: Option<Uuid>) -> Result<Self, Problem> {
        let Some(id) = self.consortium else { return Ok(self) };
        let refuse = |detail: &str| Problem::invalid(vec![Fault::at("/consortium", detail)]);
        if !self.team.is_empty() {
            return Err(refuse("partners are sought for a team or for a consortium"));
        }
        let none = || refuse("the organisation that asks is a member of no such consortium for this call");
        let asker = asker.ok_or_else(none)?;
        let whole = consortia::store::find(db, id).await?.ok_or_else(none)?;
        let (whole, _) = whole.at(clock(db).await?);
        if whole.call != call.id || sight::depth(&whole, asker) < Some(Depth::Member) {
            return Err(none());
        }
        let accepted = |id: &Uuid| whole.standing(*id) == Some(Standing::Accepted);
        let members: Vec<Uuid> = whole.in_plan().map(|(id, _)| id).filter(accepted).collect();
        let offers = Window::new(db, Some(asker)).offers_of(&members).await?;
        let serves = |id: &Uuid| offers.iter().any(|own| own.organisation == *id && serves(own, &call.value.written));
        let team: Vec<Uuid> = members.into_iter().filter(serves).collect();
        if team.is_empty() {
            return Err(refuse("none of its members has declared a capability for this call"));
        }
        let lots = if self.lots.is_empty() { whole.lots } else { self.lots };
        Ok(Self { team, lots, ..self })
    }

    fn run(&self, asker: Option<Uuid>) -> RunOptions {
        let team = if self.team.is_empty() { asker.into_iter().collect() } else { self.team.clone() };
        let team = team.iter().map(ToString::to_string).collect();
        RunOptions {
            organisation: self.organisation,
            lots: self.lots.clone(),
            proposals: 1,
            locked_in: self.locked_in.clone(),
            locked_out: self.locked_out.clone(),
            time_limit_seconds: self.time_limit_seconds,
            question: Query::Partners(PartnersRequest { team, limit: self.limit, exact: self.exact }),
        }
    }

    fn faults(&self, problem: &solver::Problem, run: &RunOptions) -> Vec<Fault> {
        let mut faults = Vec::new();
        let Query::Partners(asked) = &run.question else { return faults };
        if self.exact > self.limit {
            faults.push(Fault::at("/exact", "at most `limit`"));
        }
        if asked.team.is_empty() {
            faults.push(Fault::at("/team", "say who wants to answer: the platform does not"));
        }
        let able = team::able(problem);
        if self.team.is_empty() {
            let unable = asked.team.iter().any(|id| !able.contains(id.as_str()));
            let detail = "the organisation that asks has no capability for this call: say whose partners are sought";
            faults.extend(unable.then(|| Fault::at("/team", detail)));
        }
        let of_team = asked.team.iter().filter(|_| self.team.is_empty()).filter_map(|id| id.parse().ok());
        let mut seen: BTreeMap<Uuid, &str> = of_team.map(|id| (id, "team")).collect();
        for (member, list) in [("team", &self.team), ("locked_in", &self.locked_in), ("locked_out", &self.locked_out)] {
            faults.extend(team::list_faults(&able, member, list, &mut seen));
        }
        faults
    }

    fn tell(&self, answered: &Answered) -> Option<PartnerSuggestions> {
        let (Reply::Partners(found), Query::Partners(asked)) = (&answered.reply, &answered.options.question) else {
            return None;
        };
        let settled: Vec<String> = answered.options.locked_in.iter().map(ToString::to_string).collect();
        let team: BTreeSet<&str> = asked.team.iter().chain(&settled).map(String::as_str).collect();
        // A call that nobody can answer in full still has partners who cover more of it than others.
        let second = (found.status == Status::Infeasible).then(|| relaxed(answered)).flatten();
        let infeasibility = found.infeasibility.as_deref().cloned();
        let (found, relaxed) = second.as_ref().map_or((found, false), |second| (second, true));
        let problem = answered.instance.problem();
        let actors = team.iter().copied().chain(found.partners.iter().map(|partner| partner.actor.as_str())).collect();
        let gains = Gains::of(problem, &answered.call, team, &actors)?;
        Some(PartnerSuggestions {
            run: answered.run,
            call_version: answered.call.version,
            fingerprint: answered.fingerprint.clone(),
            status: found.status,
            relaxed,
            team_coverage_percent: gains.coverage_percent,
            partners: found.partners.iter().filter_map(|partner| gains.suggested(partner)).collect(),
            best: found.best.iter().flat_map(|best| &best.members).filter_map(|one| one.actor.parse().ok()).collect(),
            unsuited: found.unsuited.clone(),
            left_out: found.left_out,
            cut_short: found.cut_short,
            infeasibility,
        })
    }
}

/// The same question where mandatory needs may be missed, each missing unit weighing at least twice its reference cost; `None` where that
/// has no answer either.
fn relaxed(answered: &Answered) -> Option<Partners> {
    let mut problem = answered.instance.problem().clone();
    for need in problem.call.lots.iter_mut().flat_map(|lot| &mut lot.needs).filter(|need| need.mandatory) {
        need.mandatory = false;
        let twice = need.reference_unit_cost_cents.unwrap_or(0).saturating_mul(2);
        need.unmet_cost_cents = need.unmet_cost_cents.max(twice).max(1);
    }
    let instance = Instance::new(problem).ok()?;
    match solver::ask(&instance, &answered.solver, &answered.options.question, &()) {
        Ok(Reply::Partners(found)) if found.status != Status::Infeasible => Some(found),
        _ => None,
    }
}

/// What a team can do, and each partner beside it.
struct Gains<'a> {
    problem: &'a solver::Problem,
    call: &'a Call,
    survey: Survey,
    team: BTreeSet<&'a str>,
    /// Units that the team alone delivers, by need and territory.
    before: BTreeMap<(String, String), u64>,
    coverage_percent: f64,
}

impl<'a> Gains<'a> {
    /// `None` where the solver refuses a part of what it took as a whole.
    fn of(
        problem: &'a solver::Problem,
        call: &'a Call,
        team: BTreeSet<&'a str>,
        actors: &BTreeSet<&str>,
    ) -> Option<Self> {
        let survey = Survey::of(problem, actors)?;
        let supply = survey.supply(&team);
        let coverage_percent = coverage_percent(problem, &by_need(&supply));
        let before = supply.into_iter().map(|place| ((place.need, place.territory), place.served)).collect();
        Some(Self { problem, call, survey, team, before, coverage_percent })
    }

    fn suggested(&self, partner: &Partner) -> Option<SuggestedPartner> {
        let covers = self.covers(&partner.actor);
        let conditions = self.conditions(&partner.actor);
        let cost_change_cents = match &partner.gain {
            Some(Gain::Indispensable) => None,
            Some(Gain::Saves { cents, .. }) => Some(-cents),
            None => partner.estimate_cents.map(|cents| -cents),
        };
        let members = partner.proposal.iter().flat_map(|proposal| &proposal.members);
        Some(SuggestedPartner {
            organisation: partner.actor.parse().ok()?,
            name: partner.name.clone(),
            in_best: partner.in_best,
            reasons: words::reasons(self.call, partner, &covers, &conditions),
            gain: partner.gain.clone(),
            estimate_cents: partner.estimate_cents,
            cost_change_cents,
            covers,
            brings: partner.brings.clone(),
            conditions,
            consortium: members.filter_map(|one| one.actor.parse().ok()).collect(),
        })
    }

    /// What the team and a partner can deliver, less what the team can alone. Opening more supply never serves a place less.
    fn covers(&self, partner: &str) -> Vec<CoveredPlace> {
        let mut both = self.team.clone();
        both.insert(partner);
        let needs = survey::needs(self.call);
        let supply = self.survey.supply(&both).into_iter();
        let more = supply.filter_map(|place| {
            let key = (place.need, place.territory);
            let more = place.served.saturating_sub(self.before.get(&key).copied().unwrap_or(0));
            survey::place(&needs, &key.0, &key.1, more).filter(|_| more > 0)
        });
        more.collect()
    }

    /// Conditions of participation that a partner meets and nobody in the team does.
    fn conditions(&self, partner: &str) -> Vec<String> {
        let all = self.problem.call.eligibility.iter().map(|rule| &rule.id);
        let brought = all.filter(|rule| {
            self.survey.meets(partner, rule) && !self.team.iter().any(|member| self.survey.meets(member, rule))
        });
        brought.cloned().collect()
    }
}
