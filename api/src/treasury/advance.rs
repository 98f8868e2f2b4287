//! Advances: how much, and how they are recovered.

use std::ops::Range;

use super::apportion::apportion;
use super::{Assumptions, NoteCode, Scheme, Terms, TreasuryNote};
use crate::calls::CallKind;

/// Up to this part an advance may be recovered late.
const LATE_UP_TO_PERCENT: u8 = 30;
/// What a public contract of some size advances at least.
const LEAST_PERCENT: u8 = 5;

/// An advance, of all members together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tranche {
    /// The months, from 0, whose work it anticipates.
    pub months: Range<usize>,
    /// How much of the payments of each member for these months, as a fraction.
    pub share: (i128, i128),
    /// From which part of the work on it is recovered.
    pub from_percent: u8,
    /// With which part of the work it is recovered.
    pub until_percent: u8,
}

impl Tranche {
    /// What each member gets of it, which adds up to what all get.
    pub fn of_members(&self, paid: &[i64]) -> Vec<i64> {
        let (numerator, denominator) = self.share;
        let all: i128 = paid.iter().map(|own| i128::from(*own)).sum();
        apportion(i64::try_from(all * numerator / denominator).unwrap_or(i64::MAX), paid)
    }

    /// What must be recovered once `invoiced` of `all` the work of its months is invoiced. O(1).
    pub fn due_back(&self, advance: i64, invoiced: i64, all: i64) -> i64 {
        let (invoiced, all, advance) = (i128::from(invoiced) * 100, i128::from(all), i128::from(advance));
        let (from, until) = (i128::from(self.from_percent) * all, i128::from(self.until_percent) * all);
        let back = if invoiced >= until {
            advance
        } else if invoiced <= from {
            0
        } else {
            advance * (invoiced - from) / (until - from)
        };
        i64::try_from(back).unwrap_or(i64::MAX)
    }
}

/// The advances of a contract, and what there is to know of them.
pub fn tranches(terms: &Terms, assumptions: &Assumptions, total_paid: i64) -> (Vec<Tranche>, Vec<TreasuryNote>) {
    let scheme = match (assumptions.advance, terms.kind) {
        (Scheme::ByKind, CallKind::Contract) => Scheme::Once,
        (Scheme::ByKind, CallKind::Grant) => Scheme::EachYear,
        (named, _) => named,
    };
    let months = usize::try_from(terms.months).unwrap_or(usize::MAX);
    let percent = i128::from(terms.advance_percent);
    match scheme {
        Scheme::None | Scheme::ByKind => (Vec::new(), Vec::new()),
        Scheme::EachYear if percent == 0 => (Vec::new(), Vec::new()),
        Scheme::EachYear => {
            let years = (0..months).step_by(12).map(|from| Tranche {
                months: from..(from + 12).min(months),
                share: (percent, 100),
                from_percent: 0,
                until_percent: 100,
            });
            (years.collect(), Vec::new())
        }
        Scheme::Once => once(terms, assumptions, total_paid, months),
    }
}

fn once(terms: &Terms, assumptions: &Assumptions, total_paid: i64, months: usize) -> (Vec<Tranche>, Vec<TreasuryNote>) {
    let percent = terms.advance_percent;
    let due = total_paid > assumptions.advance_above_cents && terms.months > assumptions.advance_above_months;
    let mut notes = Vec::new();
    if !due {
        notes.extend((percent > 0).then(|| note(NoteCode::AdvanceNotDue)));
        return (Vec::new(), notes);
    }
    notes.extend((percent < LEAST_PERCENT).then(|| note(NoteCode::AdvanceBelowLaw)));
    if percent == 0 {
        return (Vec::new(), notes);
    }
    let late = percent <= LATE_UP_TO_PERCENT;
    notes.extend((!late).then(|| note(NoteCode::AdvanceAboveLaw)));
    let from_percent = if late { assumptions.recovery_from_percent } else { 0 };
    // Twelve months' worth, or the whole where the contract is shorter.
    let base = (i128::from(terms.months.min(12)), i128::from(terms.months));
    let tranche = Tranche {
        months: 0..months,
        share: (base.0 * i128::from(percent), base.1 * 100),
        from_percent,
        until_percent: assumptions.recovery_until_percent.max(from_percent + 1),
    };
    (vec![tranche], notes)
}

fn note(code: NoteCode) -> TreasuryNote {
    let (text_en, text_fr) = match code {
        NoteCode::AdvanceNotDue => (
            "The contract is too small or too short for an advance: none is counted.",
            "Le contrat est trop petit ou trop court pour une avance : aucune n’est comptée.",
        ),
        NoteCode::AdvanceBelowLaw => (
            "A public contract of this size and length gives an advance of 5 % at least, unless it is refused; the call names less.",
            "Un marché public de ce montant et de cette durée donne droit à une avance d’au moins 5 %, sauf refus ; la consultation en annonce moins.",
        ),
        NoteCode::AdvanceAboveLaw => (
            "The advance is above 30 %: it is recovered from the first payment on, and a guarantee may be asked for.",
            "L’avance dépasse 30 % : elle est remboursée dès le premier paiement, et une garantie peut être demandée.",
        ),
    };
    TreasuryNote { code, text_en: text_en.to_owned(), text_fr: text_fr.to_owned() }
}
