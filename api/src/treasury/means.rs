//! Whether the cash that an organisation has declared carries its part.

use chrono::Months;

use super::{MemberTreasury, Terms, TreasuryMeans};

/// Compares what a member carries at most with what it can advance: its own secret.
#[must_use]
pub fn means(terms: &Terms, treasury: &MemberTreasury, available_cash_cents: i64) -> TreasuryMeans {
    let peak = treasury.peak_cents;
    let missing_cents = (peak - available_cash_cents).max(0);
    let end = terms.starts_on.checked_add_months(Months::new(terms.months));
    let days = i128::from(end.map_or(0, |end| (end - terms.starts_on).num_days()));
    let amount = i128::from(treasury.amount_cents.max(1));
    let days_of =
        |cents: i64, extra: i128| i64::try_from((i128::from(cents) * days + extra) / amount).unwrap_or(i64::MAX);
    let (warning_en, warning_fr) = if missing_cents == 0 {
        (
            "The cash you have declared carries your part, as far as this forecast goes.".to_owned(),
            "La trésorerie déclarée porte votre part, dans les limites de cette prévision.".to_owned(),
        )
    } else {
        let missing = euros(missing_cents);
        let month = treasury.peak_month;
        (
            format!(
                "In month {month} you would lack {missing}. Before you sign: a smaller part, another division of the work over time, a larger advance or a bank's help."
            ),
            format!(
                "Au mois {month}, il vous manquerait {missing}. Avant de signer : une part plus petite, un autre étalement du travail, une avance plus forte ou l’appui d’une banque."
            ),
        )
    };
    TreasuryMeans {
        available_cash_cents,
        suffices: missing_cents == 0,
        missing_cents,
        days_covered: days_of(available_cash_cents, 0),
        days_needed: days_of(peak, amount - 1),
        warning_en,
        warning_fr,
    }
}

fn euros(cents: i64) -> String {
    format!("{},{:02} €", cents / 100, cents % 100)
}
