//! Times and quality of the questions about given people on seeded calls: `cargo run --example people [lyon|medium] [SEEDS]`.
#![allow(clippy::print_stdout, clippy::cast_precision_loss)]

use std::error::Error;
use std::time::Instant;

use attelage_solver::sample::{self, Shape};
use attelage_solver::{
    CheckRequest, Instance, Options, PartnersRequest, Query, RepairRequest, Reply, SharesRequest, WhyNotRequest, ask,
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let shape = match arguments.next().as_deref() {
        Some("medium") => Shape::MEDIUM,
        _ => Shape::LYON,
    };
    let seeds: u64 = arguments.next().map_or(Ok(1), |seeds| seeds.parse())?;
    let options = Options { gap_ppm: 100, time_limit_ms: 300_000, ..Options::default() };
    for seed in 1..=seeds {
        let instance = Instance::new(sample::problem(&shape, seed)).map_err(|faults| format!("{faults:?}"))?;
        let timed = |what: &str, query: &Query| -> Result<Reply, Box<dyn Error>> {
            let start = Instant::now();
            let reply = ask(&instance, &options, query, &())?;
            println!("seed {seed}: {what} {:.3} s", start.elapsed().as_secs_f64());
            Ok(reply)
        };
        let shares = SharesRequest { rivals: false, orders: 100, ..SharesRequest::default() };
        let Reply::Shares(found) = timed("best and shares", &Query::Shares(shares))? else { continue };
        let Some(best) = found.proposal else { continue };
        let team: Vec<String> = best.members.iter().map(|member| member.actor.clone()).collect();
        println!("  {} members, {:?}", team.len(), found.method);
        for (what, limit) in [("partners, 1", 1), ("partners, 20", 20), ("partners, 200", 200)] {
            let request = PartnersRequest { team: team[..1].to_vec(), limit, exact: 0 };
            if let Reply::Partners(told) = timed(what, &Query::Partners(request))? {
                println!("  {} partners, {} left out", told.partners.len(), told.left_out);
            }
        }
        timed("check of the best team", &Query::Check(CheckRequest { team: team.clone() }))?;
        let broken = timed(
            "check of half of it",
            &Query::Check(CheckRequest { team: team[..team.len().div_ceil(2)].to_vec() }),
        )?;
        if let Reply::Check(told) = broken {
            println!(
                "  {:?}, {} rules, joining {:?}",
                told.status,
                told.broken.len(),
                told.completion.map(|c| c.joining.len())
            );
        }
        for departed in team.iter().take(4) {
            for cheapest in [false, true] {
                let request = RepairRequest { team: team.clone(), departed: vec![departed.clone()], cheapest };
                let what = if cheapest { "repair, and the cheapest" } else { "repair" };
                if let Reply::Repair(told) = timed(what, &Query::Repair(request))? {
                    let plans: Vec<_> = told
                        .plans
                        .iter()
                        .map(|plan| (plan.kind, plan.staying.len(), plan.joining.len(), plan.proposal.regret_cents))
                        .collect();
                    println!("  rest suffices: {:?}; {plans:?}", told.rest_suffices);
                }
            }
        }
        let outside = instance.problem().actors.iter().map(|actor| &actor.id).filter(|id| !team.contains(id)).nth(7);
        if let Some(actor) = outside {
            let why = timed("why not", &Query::WhyNot(WhyNotRequest { actor: actor.clone() }))?;
            if let Reply::WhyNot(told) = why {
                println!("  {:?}, {:?}", told.verdict, told.remedies);
            }
        }
        let Reply::Shares(told) =
            timed("shares and rivals", &Query::Shares(SharesRequest { orders: 100, ..SharesRequest::default() }))?
        else {
            continue;
        };
        println!("  {:?}", told.stability.map(|s| (s.stable, s.most_gain_cents, s.remedy)));
    }
    Ok(())
}
