//! Long lives of more organisations, drawn at random.

#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::exploration::invariants;
use super::*;

const ORGANISATIONS: u128 = 6;

fn organisation() -> impl Strategy<Value = Uuid> {
    (1..=ORGANISATIONS).prop_map(Uuid::from_u128)
}

fn who() -> impl Strategy<Value = Who> {
    prop_oneof![3 => Just(Who::Organisation(Uuid::from_u128(1))), 6 => organisation().prop_map(Who::Organisation), 1 => Just(Who::Service)]
}

/// An event; versions are drawn relative to the present one.
fn event() -> impl Strategy<Value = Event> {
    let invite = (organisation(), 1..20, any::<bool>(), proptest::option::of(organisation()));
    let invite = invite.prop_map(|(organisation, days, alternate, replaces)| {
        Event::Invite(Invitation { organisation, days, alternate, replaces: replaces.filter(|_| alternate) })
    });
    prop_oneof![
        8 => invite,
        12 => (1..4).prop_map(|terms| Event::Accept { terms }),
        2 => Just(Event::Decline),
        1 => organisation().prop_map(Event::Rescind),
        1 => any::<bool>().prop_map(|unable| Event::Leave { unable }),
        2 => Just(Event::AskAgain),
        1 => organisation().prop_map(Event::Promote),
        2 => proptest::collection::btree_set(organisation(), 0..3).prop_map(|of| Event::Change { of }),
        24 => (-1_i64..=0).prop_map(|plan| Event::Sign { plan }),
        6 => Just(Event::File),
        1 => Just(Event::Withdraw),
        2 => Just(Event::Close),
        1 => Just(Event::Award),
    ]
}

fn relative(event: Event, plan: i64) -> Event {
    match event {
        Event::Sign { plan: step } => Event::Sign { plan: plan + step },
        other => other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_long_life_keeps_its_promises(
        negotiated in any::<bool>(),
        acts in proptest::collection::vec((who(), event(), 0_i64..40), 1..120),
    ) {
        let mut now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let mut state = State::new(Uuid::from_u128(1), negotiated, Some(now + TimeDelta::days(30)));
        for (who, event, hours) in acts {
            let event = relative(event, state.plan);
            now += TimeDelta::hours(hours);
            if let Ok(moved) = apply(state.clone(), &event, who, now) {
                invariants(&moved.state).map_err(TestCaseError::fail)?;
                let promised = moved.happened.contains(&Happened::Agreed);
                prop_assert!(!promised || moved.state.is_signed());
                state = moved.state;
            }
        }
    }

    #[test]
    fn what_time_brings_does_not_depend_on_who_looks(
        acts in proptest::collection::vec((who(), event(), 0_i64..40), 1..60),
        early in 0_i64..1000,
        later in 0_i64..1000,
    ) {
        let start = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let mut state = State::new(Uuid::from_u128(1), false, Some(start + TimeDelta::days(30)));
        for (who, event, _) in acts {
            let event = relative(event, state.plan);
            if let Ok(moved) = apply(state.clone(), &event, who, start) {
                state = moved.state;
            }
        }
        let (first, then) = (start + TimeDelta::hours(early), start + TimeDelta::hours(early + later));
        let looked = pass(state.clone(), first);
        let both = pass(looked.state, then);
        let once = pass(state, then);
        prop_assert_eq!(&both.state, &once.state);
        prop_assert_eq!([looked.happened, both.happened].concat(), once.happened);
        invariants(&once.state).map_err(TestCaseError::fail)?;
    }
}
