//! A proposal: who, what, at what cost, what is missing, and how good it is.

use std::collections::{BTreeMap, BTreeSet};

use attelage_solver::{GapReason, Proposal, Role};

use super::amount::{count, euros, percent, quantity};
use super::table::{Align, Table};
use super::{Page, Report};

/// Names listed before "and N more".
const LISTED: usize = 12;

/// Everything about a proposal.
pub(super) fn full(page: &mut Page, report: &Report<'_>, proposal: &Proposal) {
    page.heading(&format!("Proposal {}: {}", proposal.rank, members(proposal)));
    page.lines(1, who(report, proposal));
    page.blank();
    page.lines(1, what(report, proposal));
    page.blank();
    page.lines(1, costs(report, proposal));
    page.blank();
    gaps(page, report, proposal);
    reasons(page, proposal);
    page.line(1, "How good it is");
    page.point(2, &proof(proposal));
    page.point(2, &time(report));
    for assumption in &proposal.assumptions {
        page.point(2, &assumption.text);
    }
    page.blank();
}

/// The other proposals, a line each.
pub(super) fn alternatives(page: &mut Page, others: &[Proposal]) {
    if others.is_empty() {
        return;
    }
    page.heading("Alternatives");
    let mut table = Table::new([
        ("Rank", Align::Right),
        ("Total", Align::Right),
        ("Covered", Align::Right),
        ("Worse by", Align::Right),
        ("Members", Align::Left),
    ]);
    for other in others {
        table.row([
            other.rank.to_string(),
            euros(other.costs.total_cents),
            percent(other.coverage_percent),
            euros(other.regret_cents),
            members(other),
        ]);
    }
    page.lines(1, table.lines());
    page.line(1, "Worse by: what it costs more, and what it leaves uncovered more, at its worth.");
    page.blank();
}

/// A proposal in a line.
pub(super) fn in_short(proposal: &Proposal) -> String {
    let covered = percent(proposal.coverage_percent);
    format!("{}: {covered} of the call for {}.", members(proposal), euros(proposal.costs.total_cents))
}

pub(super) fn members(proposal: &Proposal) -> String {
    proposal.members.iter().map(|member| member.name.as_str()).collect::<Vec<_>>().join(" + ")
}

fn who(report: &Report<'_>, proposal: &Proposal) -> Vec<String> {
    let mut table = Table::new([
        ("Who", Align::Left),
        ("Role", Align::Left),
        ("Share", Align::Right),
        ("Amount", Align::Right),
        ("Lots", Align::Left),
    ]);
    for member in &proposal.members {
        let role = match member.role {
            Role::SoleTenderer => "alone",
            Role::GroupLead => "lead",
            Role::GroupMember => "member",
        };
        let titles =
            report.call().lots.iter().filter(|lot| member.lots.contains(&lot.code)).map(|lot| lot.title.as_str());
        table.row([
            member.name.clone(),
            role.to_owned(),
            format!("{:.1} %", member.share_percent),
            euros(member.amount_cents),
            titles.collect::<Vec<_>>().join(", "),
        ]);
    }
    table.lines()
}

/// By need: each member that works for it, how much, for how much money; and how much of it is covered.
fn what(report: &Report<'_>, proposal: &Proposal) -> Vec<String> {
    let mut table = Table::new([
        ("Need", Align::Left),
        ("Covered", Align::Right),
        ("By", Align::Left),
        ("Quantity", Align::Right),
        ("Amount", Align::Right),
    ]);
    for coverage in &proposal.needs {
        let mut shares: BTreeMap<&str, (u64, i64)> = BTreeMap::new();
        for allocation in proposal.allocations.iter().filter(|allocation| allocation.need == coverage.need) {
            let (amount, cents) = shares.entry(&allocation.actor).or_default();
            *amount += allocation.quantity;
            *cents += allocation.amount_cents;
        }
        let mut first = [report.need_title(&coverage.need).to_owned(), percent(coverage.coverage_percent)];
        if shares.is_empty() {
            let [need, covered] = first;
            table.row([need, covered, "nobody".to_owned(), String::new(), String::new()]);
            continue;
        }
        for member in &proposal.members {
            if let Some(&(amount, cents)) = shares.get(member.actor.as_str()) {
                let [need, covered] = std::mem::take(&mut first);
                let amount = quantity(amount, report.unit(&coverage.need));
                table.row([need, covered, member.name.clone(), amount, euros(cents)]);
            }
        }
    }
    table.lines()
}

fn costs(report: &Report<'_>, proposal: &Proposal) -> Vec<String> {
    let costs = &proposal.costs;
    let pairs = count(proposal.cohesion.pairs as usize, "pair", "pairs");
    let known = format!("{pairs} of members, {} already known to each other", proposal.cohesion.known_pairs);
    let mut table = Table::new([("Cost", Align::Left), ("", Align::Right), ("", Align::Left)]);
    table.row(["Services".to_owned(), euros(costs.services_cents), String::new()]);
    table.row(["Fixed costs".to_owned(), euros(costs.fixed_cents), String::new()]);
    table.row(["Coordination".to_owned(), euros(costs.coordination_cents), known]);
    let left = match report.call().budget_cents {
        None => "no budget limit".to_owned(),
        Some(budget) => format!("of a budget of {}: {} left", euros(budget), euros(budget - costs.total_cents)),
    };
    table.row(["Total".to_owned(), euros(costs.total_cents), left]);
    table.lines()
}

/// What nobody covers: by need and reason, how much and where.
fn gaps(page: &mut Page, report: &Report<'_>, proposal: &Proposal) {
    page.line(1, "What is missing");
    if proposal.needs.iter().all(|need| need.gaps.is_empty()) {
        page.point(2, "Nothing: every need is covered in full.");
    }
    for need in &proposal.needs {
        for (reason, why) in REASONS {
            let mut missing = 0;
            let mut places = BTreeSet::new();
            for gap in need.gaps.iter().filter(|gap| gap.reason == reason) {
                missing += gap.quantity;
                places.insert(report.territory(&gap.territory));
            }
            if missing == 0 {
                continue;
            }
            let asked = quantity(missing, report.unit(&need.need));
            let places = list(&places.into_iter().collect::<Vec<_>>());
            page.point(2, &format!("{}: {asked}. {why} {places}.", report.need_title(&need.need)));
        }
    }
    page.blank();
}

const REASONS: [(GapReason, &str); 4] = [
    (GapReason::NoSupplier, "No actor offers it to that public in"),
    (GapReason::Capacity, "All who offer it together have too little in"),
    (GapReason::TooCostly, "Covering it would cost more than the funder says it is worth in"),
    (GapReason::Rule, "Somebody could, but a rule of the call prevents it, in"),
];

/// The first names, and how many more.
fn list(names: &[&str]) -> String {
    let shown = &names[..names.len().min(LISTED)];
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {} more", shown.join(", "), count(more, "place", "places")),
    }
}

fn reasons(page: &mut Page, proposal: &Proposal) {
    page.line(1, "Why they complement each other");
    for member in &proposal.members {
        for reason in &member.reasons {
            page.point(2, &reason.text);
        }
    }
    page.blank();
}

/// How far from the best, and whether somebody else has checked.
fn proof(proposal: &Proposal) -> String {
    let (costs, proof) = (&proposal.costs, &proposal.proof);
    let counted = match costs.unmet_cents {
        0 => String::new(),
        unmet => format!(", counting {} that the uncovered wishes are worth", euros(unmet)),
    };
    let quality = if proof.optimal {
        format!("Optimal, proven: no consortium costs less than {}{counted}.", euros(proof.bound_cents))
    } else {
        let gap = euros(proof.gap_cents);
        format!("Not proven best: at most {gap} ({:.2} %) above the best one{counted}.", proof.gap_percent)
    };
    let check = if proof.verified {
        "Every quantity, cost and rule was checked again by code that does not know the model."
    } else {
        "It has NOT passed the independent check: do not use it."
    };
    format!("{quality} {check}")
}

fn time(report: &Report<'_>) -> String {
    let run = report.run;
    let took = run.started_at.zip(run.finished_at).map(|(from, to)| (to - from).num_milliseconds());
    let took = took.map(|milliseconds| format!(" in {milliseconds} ms")).unwrap_or_default();
    let engine = run.engine.as_deref().unwrap_or("the solver");
    let scope = run.report.as_ref().map(|found| {
        let actors = format!("{} of {} actors can serve a need", found.relevant_actors, found.actors);
        format!(": {actors}; {} cells of need and place, {} after merging", found.cells, found.merged_cells)
    });
    format!("Computed{took} by {engine}{}.", scope.unwrap_or_default())
}
