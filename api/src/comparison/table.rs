//! The comparison as CSV: one row for each bid on each lot.

use super::{BidComparison, ComparedBid, ComparedLot, ComparedOffer, Verdict};
use crate::problem::Problem;

const HEAD: [&str; 15] = [
    "lot",
    "lot_title",
    "bid",
    "organisation",
    "name",
    "amount_cents",
    "coverage_percent",
    "cohesion_percent",
    "resilience_percent",
    "anchoring_percent",
    "gaps",
    "members",
    "members_not_only_suppliers",
    "rules_broken",
    "rules_unknown",
];

/// Writes the table, in UTF-8.
///
/// # Errors
/// Only internal ones.
pub fn written(comparison: &BidComparison) -> Result<Vec<u8>, Problem> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEAD).map_err(Problem::internal)?;
    for lot in &comparison.lots {
        for offer in &lot.bids {
            let Some(bid) = comparison.bids.iter().find(|bid| bid.bid == offer.bid) else { continue };
            writer.write_record(row(lot, offer, bid)).map_err(Problem::internal)?;
        }
    }
    writer.into_inner().map_err(Problem::internal)
}

fn row(lot: &ComparedLot, offer: &ComparedOffer, bid: &ComparedBid) -> [String; 15] {
    let names: Vec<&str> = bid.members.iter().map(|member| member.name.as_str()).collect();
    let spare = bid.members.iter().filter(|member| member.only_supplier_of.is_empty());
    let spare: Vec<&str> = spare.map(|member| member.name.as_str()).collect();
    let rules = |verdict: Verdict| {
        let codes = bid.rules.iter().filter(|rule| rule.verdict == verdict).map(|rule| rule.code.as_str());
        codes.collect::<Vec<_>>().join("; ")
    };
    let gaps: Vec<String> = offer.gaps.iter().map(|gap| format!("{}: {}", gap.need, gap.missing)).collect();
    [
        lot.code.clone(),
        text(&lot.title),
        offer.bid.to_string(),
        bid.organisation.to_string(),
        text(&bid.name),
        offer.amount_cents.to_string(),
        offer.coverage_percent.to_string(),
        offer.cohesion_percent.map(|percent| percent.to_string()).unwrap_or_default(),
        offer.resilience_percent.to_string(),
        offer.anchoring_percent.to_string(),
        gaps.join("; "),
        text(&names.join("; ")),
        text(&spare.join("; ")),
        rules(Verdict::Broken),
        rules(Verdict::Unknown),
    ]
}

/// What people wrote, so that no spreadsheet takes it for a formula.
fn text(words: &str) -> String {
    let is_formula = words.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if is_formula { format!("'{words}") } else { words.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_becomes_a_formula() {
        assert_eq!(text("=HYPERLINK(\"x\")"), "'=HYPERLINK(\"x\")");
        assert_eq!(text("Pas à Pas"), "Pas à Pas");
    }
}
