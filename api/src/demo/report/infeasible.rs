//! Why nobody can answer: which needs fall, who comes closest, what the call would have to relax.

use std::collections::BTreeSet;

use attelage_solver::{Infeasibility, NeedCoverage, Refusal};

use super::amount::{percent, quantity};
use super::proposal::in_short;
use super::table::{Align, Table, wrap};
use super::{Page, Report, WIDTH};

/// Reasons shown for one need; a need that is spread has one per territory.
const SHOWN: usize = 3;

/// Everything about an infeasible call.
pub(super) fn full(page: &mut Page, report: &Report<'_>, why: &Infeasibility) {
    page.lines(1, wrap(&why.summary, WIDTH - 2));
    page.blank();
    if !why.unmet_needs.is_empty() {
        page.lines(1, fallen(report, &why.unmet_needs));
        page.blank();
        page.line(1, "Why they fall");
        why.unmet_needs.iter().for_each(|need| causes(page, report, need));
        page.blank();
    }
    if let Some(closest) = &why.closest {
        page.line(1, "Who comes closest");
        page.point(2, &in_short(closest));
        page.blank();
    }
    if !why.blocking_rules.is_empty() {
        page.line(1, "What the call would have to relax: one of these is enough");
        why.blocking_rules.iter().for_each(|rule| page.point(2, &rule.text));
        page.blank();
    }
}

fn fallen(report: &Report<'_>, needs: &[NeedCoverage]) -> Vec<String> {
    let mut table = Table::new([
        ("Need that falls", Align::Left),
        ("Asked for", Align::Right),
        ("Missing", Align::Right),
        ("Covered", Align::Right),
    ]);
    for need in needs {
        let unit = report.unit(&need.need);
        table.row([
            report.need_title(&need.need).to_owned(),
            quantity(need.quantity, unit),
            quantity(need.quantity - need.covered, unit),
            percent(need.coverage_percent),
        ]);
    }
    table.lines()
}

fn causes(page: &mut Page, report: &Report<'_>, need: &NeedCoverage) {
    let texts: Vec<&str> = need.gaps.iter().map(|gap| gap.text.as_str()).collect();
    for text in texts.iter().take(SHOWN) {
        page.point(2, text);
    }
    if let Some(more) = texts.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        page.point(2, &format!("The same in {more} more places."));
    }
    let nearest: BTreeSet<String> = need
        .gaps
        .iter()
        .flat_map(|gap| &gap.near_misses)
        .map(|miss| format!("{} ({})", report.organisation(&miss.actor), lacks(&miss.lacks)))
        .collect();
    if !nearest.is_empty() {
        let nearest = nearest.into_iter().collect::<Vec<_>>().join(", ");
        page.point(2, &format!("Nearest to {}: {nearest}.", report.need_title(&need.need)));
    }
}

fn lacks(refusal: &Refusal) -> String {
    let words = match refusal {
        Refusal::Service => "no such service",
        Refusal::Territory => "not there",
        Refusal::Public => "not for that public",
        Refusal::Modality => "not in that form",
        Refusal::Unit => "counts in another unit",
        Refusal::UnknownCapacity => "capacity unknown",
        Refusal::UnknownCost => "cost unknown",
        Refusal::NoCapacity => "no capacity",
        Refusal::Eligibility { rule } => return format!("does not meet the condition {rule}"),
        Refusal::LockedOut => "left out on purpose",
    };
    words.to_owned()
}
