//! The result of a run as a page of plain text.

use std::collections::BTreeMap;

use attelage_solver::Proposal;

use crate::calls::{CallKind, Grouping, Need, NewCall};
use crate::capabilities::Unit;
use crate::runs::{Run, RunResult};
use amount::{euros, quantity};
use table::{Align, Table, wrap};

mod amount;
mod infeasible;
mod proposal;
mod table;
#[cfg(test)]
mod tests;

/// Columns of a page.
const WIDTH: usize = 110;

/// Names by id: of organisations, of territories.
pub type Names = BTreeMap<String, String>;

/// What is the same for all runs on a call.
pub struct Context {
    /// The call.
    pub call: NewCall,
    /// Names of organisations by their id.
    pub organisations: Names,
    /// Names of territories by their code.
    pub territories: Names,
}

/// What a page is about.
#[derive(Clone, Copy)]
pub struct Report<'a> {
    /// The call and the names around it.
    pub context: &'a Context,
    /// The run, over.
    pub run: &'a Run,
    /// Its proposals, best first.
    pub proposals: &'a [Proposal],
}

/// The call, then the first proposal in full with the others in a line each, or why there is none.
#[must_use]
pub fn render(report: &Report<'_>) -> String {
    let mut page = Page::default();
    call(&mut page, report);
    answer(&mut page, report);
    page.text()
}

/// The answer alone, under a heading that says what was changed.
#[must_use]
pub fn render_variant(heading: &str, report: &Report<'_>) -> String {
    let mut page = Page::default();
    page.heading(heading);
    match report.proposals.first() {
        Some(best) => page.lines(1, wrap(&proposal::in_short(best), WIDTH - 2)),
        None => answer(&mut page, report),
    }
    page.text()
}

/// A text in lines as wide as the page.
#[must_use]
pub fn paragraph(text: &str) -> String {
    let mut page = Page::default();
    page.lines(0, wrap(text, WIDTH));
    page.text()
}

fn answer(page: &mut Page, report: &Report<'_>) {
    match (report.proposals.split_first(), &report.run.infeasibility) {
        (Some((first, others)), _) => {
            proposal::full(page, report, first);
            proposal::alternatives(page, others);
        }
        (None, Some(why)) => infeasible::full(page, report, why),
        (None, None) => page.line(1, no_answer(report.run)),
    }
}

/// Why a run that is over has neither proposals nor a proof.
fn no_answer(run: &Run) -> String {
    match (&run.failure, run.result) {
        (Some(failure), _) => format!("The computation failed: {failure}."),
        (None, Some(RunResult::Unknown)) => "The time limit came before any proposal or proof.".to_owned(),
        (None, _) => "The computation is not over.".to_owned(),
    }
}

fn call(page: &mut Page, report: &Report<'_>) {
    let call = report.call();
    page.heading(&format!("Call: {}", call.title));
    let funder = call.funder.to_string();
    let funder = report.organisation(&funder);
    let kind = match call.kind {
        CallKind::Grant => "grant",
        CallKind::Contract => "contract",
    };
    let budget = call.budget_cents.map_or_else(|| "no limit".to_owned(), euros);
    page.line(
        1,
        format!("{funder}, {kind} of {} months from {}, budget {budget}", call.duration_months, call.starts_on),
    );
    page.lines(1, wrap(&group(call), WIDTH - 2));
    page.blank();
    let mut needs = Table::new([
        ("Need", Align::Left),
        ("Asked for", Align::Right),
        ("Lot", Align::Left),
        ("", Align::Left),
        ("Where", Align::Left),
    ]);
    for lot in &call.lots {
        for need in &lot.needs {
            let wish = if need.mandatory { "mandatory" } else { "wished for" };
            let place = report.territory(&need.territory);
            let place = match need.spread {
                crate::calls::Spread::Anywhere => place.to_owned(),
                crate::calls::Spread::Population => format!("{place}, by population"),
            };
            let asked = quantity(asked(need, call.duration_months), need.unit);
            needs.row([need.title.clone(), asked, lot.title.clone(), wish.to_owned(), place]);
        }
    }
    page.lines(1, needs.lines());
    page.blank();
}

/// The group policy in a sentence.
fn group(call: &NewCall) -> String {
    let policy = &call.group_policy;
    let grouping = match policy.grouping {
        Grouping::Allowed => "allowed",
        Grouping::Encouraged => "encouraged",
        Grouping::Required => "required",
    };
    let most = policy.maximum_members.map(|most| format!(", at most {most} members")).unwrap_or_default();
    let money = &call.money_policy;
    format!(
        "Answering together is {grouping}{most}; coordination costs {} per member and {} per pair that is new.",
        euros(money.coordination_per_member_cents),
        euros(money.coordination_per_new_pair_cents),
    )
}

/// What a need asks over the whole contract, as the solver counts it.
fn asked(need: &Need, months: i32) -> u64 {
    let quantity = u64::try_from(need.quantity).unwrap_or(0);
    match need.per {
        crate::calls::Per::Contract => quantity,
        crate::calls::Per::Year => quantity.saturating_mul(u64::try_from(months).unwrap_or(0)).div_ceil(12),
    }
}

impl Report<'_> {
    fn call(&self) -> &NewCall {
        &self.context.call
    }

    fn organisation<'a>(&'a self, id: &'a str) -> &'a str {
        self.context.organisations.get(id).map_or(id, String::as_str)
    }

    fn territory<'a>(&'a self, code: &'a str) -> &'a str {
        self.context.territories.get(code).map_or(code, String::as_str)
    }

    fn need(&self, code: &str) -> Option<&Need> {
        self.call().lots.iter().flat_map(|lot| &lot.needs).find(|need| need.code == code)
    }

    fn need_title<'a>(&'a self, code: &'a str) -> &'a str {
        self.need(code).map_or(code, |need| need.title.as_str())
    }

    fn unit(&self, code: &str) -> Unit {
        self.need(code).map_or(Unit::Person, |need| need.unit)
    }
}

/// Lines, indented by twos.
#[derive(Default)]
struct Page(Vec<String>);

impl Page {
    fn line(&mut self, depth: usize, text: impl AsRef<str>) {
        self.0.push(format!("{}{}", "  ".repeat(depth), text.as_ref()));
    }

    fn lines(&mut self, depth: usize, lines: Vec<String>) {
        for line in lines {
            self.line(depth, line);
        }
    }

    /// A point of a list, wrapped under itself.
    fn point(&mut self, depth: usize, text: &str) {
        for (position, line) in wrap(text, WIDTH - 2 * depth - 2).into_iter().enumerate() {
            let mark = if position == 0 { "- " } else { "  " };
            self.line(depth, format!("{mark}{line}"));
        }
    }

    fn heading(&mut self, text: &str) {
        self.line(0, text);
        self.line(0, "─".repeat(amount::width(text).min(WIDTH)));
    }

    fn blank(&mut self) {
        self.0.push(String::new());
    }

    fn text(mut self) -> String {
        while self.0.last().is_some_and(String::is_empty) {
            self.0.pop();
        }
        self.0.join("\n") + "\n"
    }
}
