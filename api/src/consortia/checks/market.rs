//! What the solver says of a team: whether these organisations can answer by themselves, and who of them is not needed.
//!
//! Only the team is looked at, through the window of the reader: capacities of others as the bands that they show, costs of others as the
//! call's reference costs.

use std::collections::BTreeSet;

use attelage_solver::{self as solver, CheckRequest, Query, Reply, Status};
use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::super::whole::Whole;
use super::facts::Facts;
use super::{Check, Verdict};
use crate::app::App;
use crate::calls::Call;
use crate::calls::market::Market;
use crate::calls::window::Window;
use crate::problem::Problem;
use crate::runs::aside;

/// The longest that somebody waits for it.
const LIMIT_MS: u64 = 3_000;

/// The call, with nobody in the market but a team, and with the lots that it answers.
///
/// # Errors
/// The database's.
pub async fn problem(
    db: &impl ConnectionTrait,
    call: &Call,
    whole: &Whole,
    reader: Uuid,
    team: &[Uuid],
) -> Result<solver::Problem, DbErr> {
    // Entities that lend a certificate are there, and deliver nothing.
    let mut problem = Market::load_around(&Window::new(db, Some(reader)), team).await?.problem(call);
    restrict(&mut problem, &whole.lots);
    Ok(problem)
}

/// Leaves the lots of a call that a consortium answers, with their conditions.
pub fn restrict(problem: &mut solver::Problem, lots: &[String]) {
    problem.call.lots.retain(|lot| lots.contains(&lot.id));
    // A condition on other lots only is none here.
    problem.call.eligibility.retain_mut(|rule| {
        let of_all = rule.lots.is_empty();
        rule.lots.retain(|lot| lots.contains(lot));
        of_all || !rule.lots.is_empty()
    });
}

/// What it says; nothing where it does not know in time.
pub async fn checks(app: &App, facts: &Facts<'_>, problem: solver::Problem) -> Result<Vec<Check>, Problem> {
    let able: BTreeSet<&str> =
        problem.actors.iter().filter(|actor| !actor.capabilities.is_empty()).map(|actor| actor.id.as_str()).collect();
    let team: Vec<String> = facts
        .team
        .iter()
        .filter(|one| !one.parts.is_empty())
        .map(|one| one.id.to_string())
        .filter(|id| able.contains(id.as_str()))
        .collect();
    let silent: Vec<Uuid> = facts
        .team
        .iter()
        .filter(|one| !one.parts.is_empty() && !able.contains(one.id.to_string().as_str()))
        .map(|one| one.id)
        .collect();
    let mut checks = Vec::new();
    if !silent.is_empty() {
        let (en, fr) = (
            "These have declared no capability for this call.",
            "Ces structures n'ont déclaré aucune capacité pour cet appel.",
        );
        checks.push(Check::new("declared", Verdict::Warning, en, fr).of(silent));
    }
    if team.is_empty() {
        return Ok(checks);
    }
    let Some(found) = asked(app, problem, team).await? else {
        return Ok(checks);
    };
    let (en, fr, verdict) = match found.status {
        Status::Optimal | Status::Feasible => (
            "By what its members declare, the group can answer.",
            "D'après ce que déclarent ses membres, le groupement peut répondre.",
            Verdict::Kept,
        ),
        Status::Infeasible => (
            "By what its members declare, the group cannot answer under the rules of the call.",
            "D'après ce que déclarent ses membres, le groupement ne peut répondre selon les règles de l'appel.",
            Verdict::Warning,
        ),
        Status::Unknown => (
            "It could not be said in time whether the group can answer.",
            "Impossible de dire à temps si le groupement peut répondre.",
            Verdict::NotJudged,
        ),
    };
    checks.push(Check::new("able", verdict, en, fr));
    let redundant: Vec<Uuid> = found.redundant.iter().filter_map(|one| one.actor.parse().ok()).collect();
    if redundant.is_empty() {
        if matches!(found.status, Status::Optimal | Status::Feasible) {
            let (en, fr) = ("Every member is needed.", "Chaque membre est nécessaire.");
            checks.push(Check::new("necessity", Verdict::Kept, en, fr));
        }
    } else {
        let (en, fr) = (
            "The others could answer without any one of these. A group larger than its answer needs can be an offence against competition law: be able to say what each brings.",
            "Les autres pourraient répondre sans l'une ou l'autre de ces structures. Un groupement plus large que nécessaire peut enfreindre le droit de la concurrence : sachez dire ce que chacune apporte.",
        );
        checks.push(Check::new("necessity", Verdict::Warning, en, fr).of(redundant));
    }
    Ok(checks)
}

/// Asks the solver, in its turn.
async fn asked(app: &App, problem: solver::Problem, team: Vec<String>) -> Result<Option<solver::TeamCheck>, Problem> {
    let options = solver::Options { time_limit_ms: LIMIT_MS, ..solver::Options::default() };
    let reply = aside::ask(app, problem, options, Query::Check(CheckRequest { team })).await?;
    Ok(match reply {
        Some(Reply::Check(check)) => Some(check),
        _ => None,
    })
}
