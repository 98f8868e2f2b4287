//! The forecast.

use chrono::{Days, Months, NaiveDate};

use super::advance::{Tranche, tranches};
use super::apportion::apportion;
use super::{Assumptions, CoFinancing, Forecast, MemberTreasury, Part, Spending, Terms, TreasuryMonth};

/// Reckons what each member spends, is paid and carries. O(members × months).
#[must_use]
pub fn forecast(terms: &Terms, assumptions: &Assumptions, parts: &[Part]) -> Forecast {
    let amounts: Vec<i64> = parts.iter().map(|part| part.amount_cents).collect();
    let total: i64 = amounts.iter().sum();
    // Rounded in favour of nobody: the funder's part down, so that the parts of all add up to the whole.
    let paid = i128::from(total) * i128::from(100 - terms.co_financing_percent) / 100;
    let paid = i64::try_from(paid).unwrap_or(total);
    let co_financed = apportion(total - paid, &amounts);
    let by_funder: Vec<i64> = amounts.iter().zip(&co_financed).map(|(amount, own)| amount - own).collect();
    let (tranches, notes) = tranches(terms, assumptions, terms.contract_cents.unwrap_or(paid).max(paid));
    let calendar = Calendar { starts_on: terms.starts_on };
    let spent: Vec<Vec<i64>> = amounts.iter().map(|amount| spread(terms, assumptions, *amount)).collect();
    let owed: Vec<Vec<i64>> = spent.iter().zip(&co_financed).map(|(spent, own)| owed(spent, *own)).collect();
    let advances: Vec<Vec<i64>> = tranches
        .iter()
        .map(|tranche| {
            let worth: Vec<i64> = owed.iter().map(|own| own[tranche.months.clone()].iter().sum()).collect();
            tranche.of_members(&worth)
        })
        .collect();
    let members = parts.iter().enumerate().map(|(place, part)| {
        let mut line = Line::new(&calendar, assumptions, &spent[place], &owed[place], terms.payment_delay_days);
        for (tranche, advances) in tranches.iter().zip(&advances) {
            let month = calendar.days_into(tranche.months.start, assumptions.advance_delay_days);
            line.advance(tranche, advances[place], month);
        }
        let months = line.months(&calendar, assumptions);
        let peak = months.iter().max_by_key(|month| (month.highest_cents, std::cmp::Reverse(month.number)));
        MemberTreasury {
            organisation: part.organisation,
            amount_cents: part.amount_cents,
            paid_cents: by_funder[place],
            co_financed_cents: co_financed[place],
            advance_cents: months.iter().map(|month| month.advance_cents).sum(),
            peak_cents: peak.map_or(0, |month| month.highest_cents.max(0)),
            peak_month: peak.map_or(1, |month| month.number),
            months,
            means: None,
        }
    });
    Forecast { members: members.collect(), notes }
}

/// An amount over the months of the contract.
fn spread(terms: &Terms, assumptions: &Assumptions, amount: i64) -> Vec<i64> {
    let months = usize::try_from(terms.months).unwrap_or(1);
    let budgets = &terms.budget_by_year_cents;
    let by_budget = assumptions.spending == Spending::ByBudget && budgets.len() == months.div_ceil(12);
    if !by_budget {
        return apportion(amount, &vec![1; months]);
    }
    let years = apportion(amount, budgets).into_iter().enumerate();
    years.flat_map(|(year, own)| apportion(own, &vec![1; (months - year * 12).min(12)])).collect()
}

/// What the funder owes for each month: what is spent, less the co-financing in proportion.
fn owed(spent: &[i64], co_financed: i64) -> Vec<i64> {
    let own = apportion(co_financed, spent);
    spent.iter().zip(own).map(|(spent, own)| spent - own).collect()
}

/// Which month of the contract a day falls in.
struct Calendar {
    starts_on: NaiveDate,
}

impl Calendar {
    /// The first day of a month, counted from 0.
    fn first_day(&self, month: usize) -> NaiveDate {
        let months = Months::new(u32::try_from(month).unwrap_or(u32::MAX));
        self.starts_on.checked_add_months(months).unwrap_or(NaiveDate::MAX)
    }

    /// The month in which a day falls that comes so many days after the last day of a month.
    fn after(&self, month: usize, days: u32) -> usize {
        let last = self.first_day(month + 1).pred_opt().unwrap_or(NaiveDate::MAX);
        self.month_of(last, days, month)
    }

    /// The month in which a day falls that comes so many days after the first day of a month.
    fn days_into(&self, month: usize, days: u32) -> usize {
        self.month_of(self.first_day(month), days, month)
    }

    /// One step for each month between.
    fn month_of(&self, day: NaiveDate, days: u32, from: usize) -> usize {
        let day = day.checked_add_days(Days::new(days.into())).unwrap_or(NaiveDate::MAX);
        (from..=from + days as usize / 28 + 1)
            .find(|month| self.first_day(month + 1) > day || self.first_day(month + 1) == NaiveDate::MAX)
            .unwrap_or(from)
    }
}

/// What one member spends and gets, by month from 0.
struct Line<'a> {
    spent: &'a [i64],
    owed: &'a [i64],
    /// By the month at whose end it is invoiced.
    invoiced: Vec<i64>,
    /// What is kept back of each invoice.
    kept: Vec<i64>,
    /// In which month each invoice is paid.
    paid_in: Vec<usize>,
    advances: Vec<(usize, i64)>,
}

impl<'a> Line<'a> {
    fn new(calendar: &Calendar, assumptions: &Assumptions, spent: &'a [i64], owed: &'a [i64], delay: u32) -> Self {
        let step = assumptions.invoicing.months();
        let mut invoiced = vec![0; owed.len()];
        for (month, own) in owed.iter().enumerate() {
            // At the end of the period, or of the contract where that comes first.
            let end = (month / step * step + step - 1).min(owed.len() - 1);
            invoiced[end] += own;
        }
        let paid_in = (0..owed.len()).map(|month| calendar.after(month, delay)).collect();
        Self { spent, owed, kept: vec![0; invoiced.len()], invoiced, paid_in, advances: Vec::new() }
    }

    /// Pays an advance in a month, and keeps it back of what is paid in that month or later, all of it by the last payment. An
    /// advance that comes too late for that is smaller, or none.
    fn advance(&mut self, tranche: &Tranche, advance: i64, month: usize) {
        let open = |line: &Self, invoice: usize| {
            if line.paid_in[invoice] < month { 0 } else { line.invoiced[invoice] - line.kept[invoice] }
        };
        let mut ahead: i64 = tranche.months.clone().map(|invoice| open(self, invoice)).sum();
        let advance = advance.min(ahead);
        let all: i64 = self.invoiced[tranche.months.clone()].iter().sum();
        let (mut invoiced, mut back) = (0, 0);
        for invoice in tranche.months.clone() {
            let here = open(self, invoice);
            invoiced += self.invoiced[invoice];
            ahead -= here;
            // What the invoices to come could not make good must be kept back now.
            let due = tranche.due_back(advance, invoiced, all).max(advance - ahead);
            let kept = (due - back).clamp(0, here);
            self.kept[invoice] += kept;
            back += kept;
        }
        if advance > 0 {
            self.advances.push((month, advance));
        }
    }

    /// Month by month, until all is paid.
    fn months(&self, calendar: &Calendar, assumptions: &Assumptions) -> Vec<TreasuryMonth> {
        let last = self.paid_in.iter().zip(&self.invoiced).filter(|(_, cents)| **cents > 0).map(|(month, _)| *month);
        let last = last.chain(self.advances.iter().map(|(month, _)| *month)).max().unwrap_or(0);
        let mut months = Vec::new();
        let mut carried = 0;
        for month in 0..self.spent.len().max(last + 1) {
            let of = |values: &[i64]| values.get(month).copied().unwrap_or(0);
            let paid = (0..self.invoiced.len()).filter(|invoice| self.paid_in[*invoice] == month);
            let (gross, recovered) =
                paid.fold((0, 0), |(gross, back), invoice| (gross + self.invoiced[invoice], back + self.kept[invoice]));
            let advance: i64 = self.advances.iter().filter(|(when, _)| *when == month).map(|(_, cents)| cents).sum();
            let (spent, co_financed) = (of(self.spent), of(self.spent) - of(self.owed));
            let others = if assumptions.co_financing == CoFinancing::AsSpent { co_financed } else { 0 };
            let highest = carried + spent - others;
            let received = gross - recovered + advance;
            carried = highest - received;
            months.push(TreasuryMonth {
                number: u32::try_from(month + 1).unwrap_or(u32::MAX),
                from: calendar.first_day(month),
                spent_cents: spent,
                co_financed_cents: co_financed,
                invoiced_cents: of(&self.invoiced),
                received_cents: received,
                advance_cents: advance,
                recovered_cents: recovered,
                highest_cents: highest,
                carried_cents: carried,
            });
        }
        months
    }
}
