#![allow(clippy::unwrap_used)]

use chrono::NaiveDate;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn terms(kind: CallKind, months: u32) -> Terms {
    Terms {
        kind,
        starts_on: NaiveDate::from_ymd_opt(2027, 1, 1).unwrap(),
        months,
        budget_by_year_cents: Vec::new(),
        contract_cents: None,
        co_financing_percent: 0,
        advance_percent: 0,
        payment_delay_days: 30,
    }
}

fn parts(amounts: &[i64]) -> Vec<Part> {
    let part =
        |(place, amount): (usize, &i64)| Part { organisation: Uuid::from_u128(place as u128), amount_cents: *amount };
    amounts.iter().enumerate().map(part).collect()
}

fn one(terms: &Terms, assumptions: &Assumptions, amount: i64) -> MemberTreasury {
    forecast(terms, assumptions, &parts(&[amount])).members.remove(0)
}

fn column(member: &MemberTreasury, of: impl Fn(&TreasuryMonth) -> i64) -> Vec<i64> {
    member.months.iter().map(of).collect()
}

#[test]
fn a_quarter_is_paid_thirty_days_after_its_end() {
    let member = one(&terms(CallKind::Grant, 6), &Assumptions::default(), 600);
    assert_eq!(column(&member, |month| month.spent_cents), [100, 100, 100, 100, 100, 100, 0]);
    assert_eq!(column(&member, |month| month.invoiced_cents), [0, 0, 300, 0, 0, 300, 0]);
    assert_eq!(column(&member, |month| month.received_cents), [0, 0, 0, 300, 0, 0, 300]);
    assert_eq!(column(&member, |month| month.highest_cents), [100, 200, 300, 400, 200, 300, 300]);
    assert_eq!(column(&member, |month| month.carried_cents), [100, 200, 300, 100, 200, 300, 0]);
    assert_eq!((member.peak_cents, member.peak_month), (400, 4));
    assert_eq!(member.months[6].from, NaiveDate::from_ymd_opt(2027, 7, 1).unwrap());
}

#[test]
fn the_advance_of_a_contract_is_of_twelve_months_and_recovered_between_65_and_80_percent() {
    let terms = Terms { advance_percent: 20, payment_delay_days: 0, ..terms(CallKind::Contract, 20) };
    let assumptions = Assumptions { invoicing: Invoicing::Monthly, ..Assumptions::default() };
    let member = one(&terms, &assumptions, 10_000_000);
    assert_eq!(member.advance_cents, 1_200_000, "20 % of 12 of 20 months");
    assert_eq!(member.months[0].advance_cents, 1_200_000, "on the 31st of January");
    let recovered = column(&member, |month| month.recovered_cents);
    // 65 % of the work is done after 13 months, 80 % after 16.
    assert_eq!(recovered[..13], [0; 13]);
    assert_eq!(recovered[13..16], [400_000; 3]);
    assert_eq!(recovered[16..], [0; 4]);
    assert_eq!(member.peak_cents, 500_000);
}

#[test]
fn no_advance_is_due_on_a_contract_that_is_small_or_short_and_the_law_asks_for_five_percent() {
    let codes = |terms: &Terms, amount| {
        let found = forecast(terms, &Assumptions::default(), &parts(&[amount]));
        (found.members[0].advance_cents > 0, found.notes.iter().map(|note| note.code).collect::<Vec<_>>())
    };
    let contract = |months, advance_percent| Terms { advance_percent, ..terms(CallKind::Contract, months) };
    assert_eq!(codes(&contract(24, 20), 5_000_000), (false, vec![NoteCode::AdvanceNotDue]));
    assert_eq!(codes(&contract(24, 20), 5_000_001), (true, vec![]));
    assert_eq!(codes(&contract(2, 20), 50_000_000), (false, vec![NoteCode::AdvanceNotDue]));
    assert_eq!(codes(&contract(24, 4), 50_000_000), (true, vec![NoteCode::AdvanceBelowLaw]));
    assert_eq!(codes(&contract(24, 0), 50_000_000), (false, vec![NoteCode::AdvanceBelowLaw]));
    assert_eq!(codes(&contract(24, 40), 50_000_000), (true, vec![NoteCode::AdvanceAboveLaw]));
}

#[test]
fn a_grant_advances_each_year_and_pays_the_rest() {
    let terms = Terms { advance_percent: 50, ..terms(CallKind::Grant, 24) };
    let assumptions = Assumptions { invoicing: Invoicing::Yearly, ..Assumptions::default() };
    let member = one(&terms, &assumptions, 2_400);
    let received: Vec<(u32, i64)> = member
        .months
        .iter()
        .filter(|month| month.received_cents > 0)
        .map(|month| (month.number, month.received_cents))
        .collect();
    assert_eq!(received, [(1, 600), (13, 1_200), (25, 600)]);
}

#[test]
fn co_financing_is_carried_for_good_unless_others_pay_it() {
    let terms = Terms { co_financing_percent: 25, ..terms(CallKind::Grant, 12) };
    let own = one(&terms, &Assumptions::default(), 1_200);
    assert_eq!((own.paid_cents, own.co_financed_cents, own.months.last().unwrap().carried_cents), (900, 300, 300));
    let others = one(&terms, &Assumptions { co_financing: CoFinancing::AsSpent, ..Assumptions::default() }, 1_200);
    assert_eq!(others.months.last().unwrap().carried_cents, 0);
    assert!(others.peak_cents < own.peak_cents);
}

#[test]
fn spending_may_follow_the_budget_of_the_call() {
    let terms = Terms { budget_by_year_cents: vec![300, 100], ..terms(CallKind::Grant, 18) };
    let member = one(&terms, &Assumptions { spending: Spending::ByBudget, ..Assumptions::default() }, 4_000);
    let spent = column(&member, |month| month.spent_cents);
    assert_eq!((spent[..12].iter().sum::<i64>(), spent[12..18].iter().sum::<i64>()), (3_000, 1_000));
}

#[test]
fn cash_that_does_not_suffice_is_told_before_anyone_signs() {
    let terms = terms(CallKind::Grant, 6);
    let member = one(&terms, &Assumptions::default(), 600);
    let short = means(&terms, &member, 100);
    assert_eq!((short.suffices, short.missing_cents), (false, 300));
    // 181 days cost 600 cents.
    assert_eq!((short.days_covered, short.days_needed), (30, 121));
    assert!(short.warning_en.contains("month 4") && short.warning_fr.contains("3,00 €"));
    let enough = means(&terms, &member, 400);
    assert_eq!((enough.suffices, enough.missing_cents), (true, 0));
}

fn any_terms() -> impl Strategy<Value = Terms> {
    (any::<bool>(), 1..=60_u32, 0..=99_u8, 0..=100_u8, 0..=400_u32, prop::option::of(1..=9_i64)).prop_map(
        |(contract, months, co_financing_percent, advance_percent, payment_delay_days, budget)| Terms {
            budget_by_year_cents: budget
                .map_or(Vec::new(), |first| (0..i64::from(months.div_ceil(12))).map(|year| first + year).collect()),
            co_financing_percent,
            advance_percent,
            payment_delay_days,
            ..terms(if contract { CallKind::Contract } else { CallKind::Grant }, months)
        },
    )
}

fn any_assumptions() -> impl Strategy<Value = Assumptions> {
    let spending = prop_oneof![Just(Spending::Evenly), Just(Spending::ByBudget)];
    let invoicing = prop_oneof![Just(Invoicing::Monthly), Just(Invoicing::Quarterly), Just(Invoicing::Yearly)];
    let advance = prop_oneof![Just(Scheme::ByKind), Just(Scheme::Once), Just(Scheme::EachYear), Just(Scheme::None)];
    let co_financing = prop_oneof![Just(CoFinancing::OwnCash), Just(CoFinancing::AsSpent)];
    (spending, invoicing, advance, 0..=365_u32, 0..=99_u8, 1..=100_u8, co_financing).prop_map(
        |(
            spending,
            invoicing,
            advance,
            advance_delay_days,
            recovery_from_percent,
            recovery_until_percent,
            co_financing,
        )| Assumptions {
            spending,
            invoicing,
            advance,
            advance_delay_days,
            recovery_from_percent,
            recovery_until_percent,
            co_financing,
            ..Assumptions::default()
        },
    )
}

proptest! {
    #[test]
    fn sums_conserve_and_nothing_is_paid_before_it_is_earned_but_the_advance(
        terms in any_terms(),
        assumptions in any_assumptions(),
        amounts in prop::collection::vec(0..=100_000_000_000_i64, 1..6),
    ) {
        let found = forecast(&terms, &assumptions, &parts(&amounts));
        let total: i64 = amounts.iter().sum();
        let paid: i64 = found.members.iter().map(|member| member.paid_cents).sum();
        let share = i128::from(total) * i128::from(100 - terms.co_financing_percent) / 100;
        prop_assert_eq!(i128::from(paid), share, "the funder pays its part of the contract, to the cent");
        for (member, amount) in found.members.iter().zip(&amounts) {
            let sum = |of: fn(&TreasuryMonth) -> i64| member.months.iter().map(of).sum::<i64>();
            prop_assert_eq!(sum(|month| month.spent_cents), *amount);
            prop_assert_eq!(sum(|month| month.co_financed_cents), member.co_financed_cents);
            prop_assert_eq!(sum(|month| month.invoiced_cents), member.paid_cents);
            prop_assert_eq!(sum(|month| month.received_cents), member.paid_cents, "all is paid in the end");
            prop_assert_eq!(sum(|month| month.advance_cents), sum(|month| month.recovered_cents), "all is recovered");
            prop_assert_eq!(member.paid_cents + member.co_financed_cents, *amount);
            let (mut earned, mut got, mut advanced, mut carried) = (0, 0, 0, 0);
            for month in &member.months {
                prop_assert!(month.spent_cents >= 0 && month.co_financed_cents >= 0 && month.received_cents >= 0);
                prop_assert!(month.co_financed_cents <= month.spent_cents && month.recovered_cents >= 0);
                earned += month.spent_cents - month.co_financed_cents;
                got += month.received_cents;
                advanced += month.advance_cents - month.recovered_cents;
                prop_assert!(advanced >= 0, "nothing is recovered that was not advanced");
                prop_assert!(got <= earned + advanced, "paid before it was earned");
                let others = if assumptions.co_financing == CoFinancing::AsSpent { month.co_financed_cents } else { 0 };
                prop_assert_eq!(month.highest_cents, carried + month.spent_cents - others);
                carried = month.highest_cents - month.received_cents;
                prop_assert_eq!(month.carried_cents, carried);
                prop_assert!(month.highest_cents <= member.peak_cents);
            }
        }
    }
}
