//! The division, and what it means in words.

use attelage_solver::{self as solver, Query, Reply, Shares, SharesRequest, Stability, StableDivision};
use uuid::Uuid;

use super::{ShareOfMember, ShareVerdict};
use crate::app::App;
use crate::problem::Problem;
use crate::runs::aside;
use crate::treasury::apportion::apportion;

/// The longest that one search takes.
const LIMIT_MS: u64 = 5_000;

/// What is divided, and how.
pub struct Division {
    /// What the price is above the cost.
    pub surplus_cents: i64,
    /// By id.
    pub members: Vec<ShareOfMember>,
    /// Whether some division satisfies every part of the group.
    pub core: ShareVerdict,
    /// Whether some rival could undercut the price.
    pub rivals: ShareVerdict,
}

/// Divides the coordination and the surplus among a team. Two searches, and those for rivals.
///
/// # Errors
/// A team that cannot answer by what it declares, or that cannot be reckoned in time.
pub async fn divide(
    app: &App,
    problem: solver::Problem,
    team: Vec<String>,
    services_cents: i64,
    coordination_cents: i64,
) -> Result<Division, Problem> {
    let alone = SharesRequest { team: team.clone(), rivals: false, ..SharesRequest::default() };
    let cost = ask(app, problem.clone(), alone).await?;
    let cost = cost.proposal.as_ref().map_or(0, |proposal| proposal.costs.services_cents + proposal.costs.fixed_cents);
    let surplus_cents = (services_cents - cost).max(0);
    let envelope_cents = Some(surplus_cents.saturating_add(coordination_cents));
    let shares = ask(app, problem, SharesRequest { team, envelope_cents, ..SharesRequest::default() }).await?;
    let weights: Vec<i64> = shares.members.iter().map(|member| member.shapley_cents.max(0)).collect();
    let (of_coordination, of_surplus) = (apportion(coordination_cents, &weights), apportion(surplus_cents, &weights));
    let members = shares.members.iter().zip(of_coordination.into_iter().zip(of_surplus));
    let members = members.filter_map(|(member, (coordination_share_cents, surplus_share_cents))| {
        Some(ShareOfMember {
            organisation: member.actor.parse::<Uuid>().ok()?,
            alone_cents: member.alone_cents,
            last_cents: member.last_cents,
            shapley_cents: member.shapley_cents,
            nucleolus_cents: member.nucleolus_cents,
            coordination_share_cents,
            surplus_share_cents,
        })
    });
    Ok(Division { surplus_cents, members: members.collect(), core: core(&shares), rivals: rivals(&shares) })
}

async fn ask(app: &App, problem: solver::Problem, request: SharesRequest) -> Result<Shares, Problem> {
    let options = solver::Options { time_limit_ms: LIMIT_MS, ..solver::Options::default() };
    let refused = "some members have declared no capability that this call asks for: nothing can be reckoned for them";
    let reply = aside::ask(app, problem, options, Query::Shares(request)).await?;
    match reply.ok_or_else(|| Problem::conflict(refused))? {
        Reply::Shares(shares) if shares.method.is_some() => Ok(shares),
        _ => Err(Problem::conflict(
            "by what its members declare, this group cannot answer, or it could not be reckoned in time",
        )),
    }
}

fn verdict(holds: Option<bool>, text_en: impl Into<String>, text_fr: impl Into<String>) -> ShareVerdict {
    ShareVerdict { holds, text_en: text_en.into(), text_fr: text_fr.into() }
}

/// Whether the core of the contribution game is empty: where even the nucleolus leaves some part of the group worse off than by itself.
fn core(shares: &Shares) -> ShareVerdict {
    let least = shares.nucleolus.as_ref().filter(|proof| proof.proven).and_then(|proof| proof.levels.first());
    match least.map(|level| level.satisfaction_cents) {
        None => verdict(
            None,
            "Whether some division satisfies every part of the group could not be told.",
            "On n’a pas pu dire si un partage satisfait chaque partie du groupe.",
        ),
        Some(satisfaction) if satisfaction < 0 => verdict(
            Some(false),
            "The core is empty: under every division, some members together would contribute more by themselves than they are given. That is usual where members can stand in for each other. No division is the only fair one: talk it over, with these figures as one view among others.",
            "Le cœur est vide : quel que soit le partage, certains membres, ensemble, apporteraient plus par eux-mêmes que ce qu’ils reçoivent. C’est courant quand des membres peuvent se remplacer. Aucun partage n’est le seul équitable : parlez-en, ces chiffres sont un éclairage parmi d’autres.",
        ),
        Some(_) => verdict(
            Some(true),
            "The core is not empty: under the nucleolus, no part of the group would do better by itself.",
            "Le cœur n’est pas vide : avec le nucléole, aucune partie du groupe ne ferait mieux seule.",
        ),
    }
}

/// Whether rivals could undercut the price.
fn rivals(shares: &Shares) -> ShareVerdict {
    match &shares.stability {
        Some(Stability { stable: Some(true), .. }) => verdict(
            Some(true),
            "At these shares no other consortium, with members of this one or without, could ask for less.",
            "Avec ces parts, aucun autre groupement, avec ou sans membres de celui-ci, ne pourrait demander moins.",
        ),
        Some(Stability { remedy: Some(StableDivision::None { least_gain_cents }), .. }) => verdict(
            Some(false),
            format!(
                "Under every division some rival could ask for less, by {least_gain_cents} cents at least: only a lower price would change that."
            ),
            format!(
                "Quel que soit le partage, un rival pourrait demander moins, d’au moins {least_gain_cents} centimes : seul un prix plus bas y changerait quelque chose."
            ),
        ),
        Some(Stability { stable: Some(false), remedy: Some(StableDivision::Exists { .. }), .. }) => verdict(
            Some(false),
            "At these shares some rival could ask for less; another division of the same sum would hold.",
            "Avec ces parts, un rival pourrait demander moins ; un autre partage de la même somme tiendrait.",
        ),
        Some(Stability { stable: Some(false), .. }) => verdict(
            Some(false),
            "At these shares some rival could ask for less.",
            "Avec ces parts, un rival pourrait demander moins.",
        ),
        _ => verdict(
            None,
            "Whether some rival could ask for less could not be told in time.",
            "On n’a pas pu dire à temps si un rival pourrait demander moins.",
        ),
    }
}
