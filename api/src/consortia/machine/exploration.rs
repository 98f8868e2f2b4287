//! Every state that three organisations can reach, and what holds in all of them.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeSet, VecDeque};

use super::diagram::Drawing;
use super::*;

const LEAD: Uuid = Uuid::from_u128(1);
const OTHERS: [Uuid; 2] = [Uuid::from_u128(2), Uuid::from_u128(3)];
const DAY: TimeDelta = TimeDelta::days(1);

/// What leads from one state to another.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Somebody does something.
    Done(Who, Event),
    /// Nobody does anything for so long.
    Waited(TimeDelta),
}

impl Step {
    /// In the words of the diagram.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Waited(_) => "time",
            Self::Done(_, event) => match event {
                Event::Invite(_) => "invite",
                Event::Accept { .. } => "accept",
                Event::Decline => "decline",
                Event::Rescind(_) => "rescind",
                Event::Leave { unable: false } => "leave",
                Event::Leave { unable: true } => "leave as unable",
                Event::AskAgain => "ask again",
                Event::Promote(_) => "promote",
                Event::Change { .. } => "change",
                Event::Sign { .. } => "sign",
                Event::File => "file",
                Event::Withdraw => "withdraw",
                Event::Close => "end of candidacy",
                Event::Award => "award",
                Event::Reject => "not chosen",
                Event::Cancel => "call cancelled",
                Event::Complete => "complete",
                Event::Dissolve { unable: false } => "dissolve",
                Event::Dissolve { unable: true } => "dissolve as unable",
            },
        }
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

/// The same state with small numbers: what matters of a version is whether it is the present one, the one that binds, or before or after
/// that.
fn canonical(mut state: State) -> State {
    let plan = state.plan;
    let binding = state.members.values().find_map(|own| own.bound);
    let small = |version: i64| match binding {
        _ if version == plan => 4,
        Some(binding) if version == binding => 2,
        Some(binding) if version > binding => 3,
        _ => 1,
    };
    let waiting = |own: &Membership| own.standing == Standing::Alternate;
    let mut order: Vec<i32> = state.members.values().filter(|own| waiting(own)).map(|own| own.position).collect();
    order.sort_unstable();
    for own in state.members.values_mut() {
        own.signed = own.signed.map(small);
        own.bound = own.bound.map(small);
        let is_old = own.accepted.is_some_and(|accepted| accepted != own.terms);
        own.terms = 1 + i32::from(is_old);
        own.accepted = own.accepted.map(|_| 1);
        own.answer_by = own.answer_by.map(|_| now() + DAY);
        let place = order.iter().position(|position| *position == own.position).filter(|_| waiting(own));
        own.position = place.map_or(0, |place| i32::try_from(place).unwrap() + 1);
    }
    state.plan = 4;
    state
}

/// Everything that somebody may try who is the one to do it. That others may not is another test.
fn steps(state: &State) -> Vec<Step> {
    let mut all: Vec<Step> = [TimeDelta::hours(36), TimeDelta::days(20)].map(Step::Waited).into();
    let signs = [state.plan - 1, state.plan].map(|plan| Event::Sign { plan });
    let mut leads = vec![Event::File, Event::Withdraw, Event::Complete];
    leads.extend([false, true].map(|unable| Event::Dissolve { unable }));
    let sets = [vec![], vec![LEAD], vec![OTHERS[0]], OTHERS.to_vec()];
    leads.extend(sets.map(|of| Event::Change { of: of.into_iter().collect() }));
    leads.extend(signs.clone());
    for organisation in OTHERS {
        leads.extend([Event::Rescind(organisation), Event::Promote(organisation)]);
        let invite = |alternate| Event::Invite(Invitation { organisation, days: 1, alternate, replaces: None });
        leads.extend([false, true].map(invite));
        let mut own = vec![Event::Decline, Event::AskAgain, Event::Change { of: BTreeSet::from([organisation]) }];
        own.extend([false, true].map(|unable| Event::Leave { unable }));
        own.extend([1, 2].map(|terms| Event::Accept { terms }));
        own.extend(signs.clone());
        all.extend(own.into_iter().map(|event| Step::Done(Who::Organisation(organisation), event)));
    }
    all.extend(leads.into_iter().map(|event| Step::Done(Who::Organisation(LEAD), event)));
    let decided = [Event::Close, Event::Award, Event::Reject, Event::Cancel];
    all.extend(decided.map(|event| Step::Done(Who::Service, event)));
    all
}

/// Goes through every state that can be reached, breadth first, and shows each step that is possible. Gives the number of states.
fn explore(mut visit: impl FnMut(&State, &Step, &Moved)) -> usize {
    let due = now() + DAY * 10;
    let starts = [false, true].map(|negotiated| canonical(State::new(LEAD, negotiated, Some(due))));
    let mut seen: BTreeSet<State> = starts.iter().cloned().collect();
    let mut queue: VecDeque<State> = starts.into();
    while let Some(state) = queue.pop_front() {
        for step in steps(&state) {
            let moved = match &step {
                Step::Waited(time) => pass(state.clone(), now() + *time),
                Step::Done(who, event) => match apply(state.clone(), event, *who, now()) {
                    Ok(moved) => moved,
                    Err(_) => continue,
                },
            };
            visit(&state, &step, &moved);
            let next = canonical(moved.state);
            if !seen.contains(&next) {
                seen.insert(next.clone());
                queue.push_back(next);
            }
        }
    }
    seen.len()
}

/// What holds in every state, whatever led to it.
pub(super) fn invariants(state: &State) -> Result<(), String> {
    let check = |holds: bool, what: &str| if holds { Ok(()) } else { Err(format!("{what}: {state:#?}")) };
    let mut binding: BTreeSet<i64> = BTreeSet::new();
    for (id, own) in &state.members {
        if let Some(bound) = own.bound {
            binding.insert(bound);
            check(own.standing == Standing::Accepted, "only members are bound")?;
            check(own.signed.is_some_and(|signed| signed >= bound), "who is bound has signed")?;
            check(own.accepted.is_some(), "who is bound has accepted")?;
        }
        check(own.signed.is_none_or(|signed| signed <= state.plan), "nobody signs what is not written yet")?;
        check(own.signed.is_none() || own.accepted.is_some(), "who signs has accepted")?;
        check((own.standing == Standing::Invited) == own.answer_by.is_some(), "invitations have an hour")?;
        check(own.standing != Standing::Accepted || own.accepted.is_some(), "members have accepted their terms")?;
        check(!own.asks_again || matches!(own.standing, Standing::Declined | Standing::Left), "who asks is out")?;
        check(*id != state.lead || own.standing == Standing::Accepted, "there is a lead")?;
    }
    check(binding.len() <= 1, "one version binds")?;
    let filed = matches!(state.phase, Phase::Filed | Phase::Frozen | Phase::Negotiation | Phase::Execution);
    check(
        filed == (state.members[&state.lead].bound.is_some()),
        "an answer that is filed binds, and nothing else does",
    )?;
    check(filed || binding.is_empty(), "nobody is bound before the answer is filed or after the end")?;
    check(state.phase != Phase::Agreed || state.is_signed(), "agreed is what all have signed")?;
    check(state.phase != Phase::Forming || !state.is_signed(), "what all have signed is agreed")?;
    check((state.phase == Phase::Ended) == state.ending.is_some(), "an end has a reason")
}

/// What a step may do.
fn lawful(before: &State, step: &Step, moved: &Moved) -> Result<(), String> {
    let after = &moved.state;
    let say = |what: &str| Err(format!("{what}, by {step:?}\nfrom {before:#?}\nto {after:#?}"));
    let members = |state: &State| -> BTreeSet<Uuid> {
        state.members.iter().filter(|(_, own)| own.standing == Standing::Accepted).map(|(id, _)| *id).collect()
    };
    let by = |id: Uuid, wanted: &dyn Fn(&Event) -> bool| matches!(step, Step::Done(Who::Organisation(who), event) if *who == id && wanted(event));
    let counted = |state: &State| state.in_plan().map(|(id, own)| (id, own.terms)).collect::<Vec<_>>();
    if after.plan < before.plan || (counted(before) != counted(after) && after.plan == before.plan) {
        return say("whoever joins, goes or gets other terms makes a new version");
    }
    if after.plan > before.plan && after.members.values().any(|own| own.signed == Some(after.plan)) {
        return say("a new version has no signatures");
    }
    for id in members(after).difference(&members(before)) {
        let own = &before.members[id];
        let said = by(*id, &|event| matches!(event, Event::Accept { terms } if *terms == own.terms));
        if !said || own.standing != Standing::Invited {
            return say("who becomes a member has said yes to its terms");
        }
    }
    for id in members(before).difference(&members(after)) {
        let freely = matches!(before.phase, Phase::Forming | Phase::Agreed | Phase::Negotiation);
        let unable = by(*id, &|event| matches!(event, Event::Leave { unable: true }));
        if !freely && !unable {
            return say("after candidacy only who is unable goes");
        }
    }
    for (id, own) in &after.members {
        let was = before.members.get(id);
        let signed_now = own.signed != was.and_then(|was| was.signed) && own.signed.is_some();
        if signed_now && !by(*id, &|event| matches!(event, Event::Sign { plan } if *plan == before.plan)) {
            return say("nobody signs for another");
        }
        let bound_now = own.bound.is_some() && own.bound != was.and_then(|was| was.bound);
        if bound_now && (own.bound != own.signed || own.accepted != Some(own.terms)) {
            return say("nobody is bound to what they have not accepted and signed");
        }
        let is_asked = matches!(own.standing, Standing::Invited | Standing::Alternate);
        let refused =
            was.is_some_and(|was| matches!(was.standing, Standing::Declined | Standing::Left) && !was.asks_again);
        if is_asked && refused {
            return say("who declined is not asked again");
        }
        if own.asks_again && !was.is_some_and(|was| was.asks_again) && !by(*id, &|event| *event == Event::AskAgain) {
            return say("nobody asks for another");
        }
        let joins = own.standing == Standing::Invited && was.is_none_or(|was| was.standing != Standing::Invited);
        let frozen = matches!(before.phase, Phase::Filed | Phase::Frozen | Phase::Execution);
        let unable = matches!(step, Step::Done(_, Event::Leave { unable: true }));
        if joins && frozen && !before.has_vacancy() && !unable {
            return say("after candidacy nobody joins but in the place of who is unable");
        }
    }
    Ok(())
}

#[test]
fn in_every_state_that_three_organisations_can_reach_nobody_is_bound_to_what_they_have_not_accepted() {
    let (mut steps, mut drawing) = (0_u64, Drawing::default());
    let states = explore(|before, step, moved| {
        steps += 1;
        invariants(&moved.state).unwrap_or_else(|broken| panic!("{broken}\nby {step:?}\nfrom {before:#?}"));
        lawful(before, step, moved).unwrap_or_else(|broken| panic!("{broken}"));
        drawing.draw(before, step, moved);
    });
    assert!(states > 1_000 && steps > 10_000, "{states} states, {steps} steps");
    // Whoever goes through all of it may as well draw it.
    drawing.assert_is_on_the_page();
}

#[test]
fn nobody_does_what_is_not_theirs() {
    let (member, stranger) = (Who::Organisation(OTHERS[0]), Who::Organisation(Uuid::from_u128(9)));
    let invitation = Invitation { organisation: OTHERS[1], days: 1, alternate: false, replaces: None };
    let leads = [
        Event::Invite(invitation),
        Event::Promote(OTHERS[1]),
        Event::Rescind(OTHERS[0]),
        Event::File,
        Event::Withdraw,
        Event::Complete,
        Event::Dissolve { unable: true },
        Event::Change { of: BTreeSet::from([LEAD]) },
    ];
    let mut state = State::new(LEAD, true, None);
    let asked = Invitation { organisation: OTHERS[0], days: 1, alternate: false, replaces: None };
    for (who, event) in [(Who::Organisation(LEAD), Event::Invite(asked)), (member, Event::Accept { terms: 1 })] {
        state = apply(state, &event, who, now()).unwrap().state;
    }
    for event in &leads {
        assert_eq!(apply(state.clone(), event, member, now()).unwrap_err(), Refusal::NotLead, "{event:?}");
        assert!(apply(state.clone(), event, stranger, now()).is_err(), "{event:?}");
    }
    for event in [Event::Close, Event::Award, Event::Reject, Event::Cancel] {
        for who in [Who::Organisation(LEAD), member, stranger] {
            assert_eq!(apply(state.clone(), &event, who, now()).unwrap_err(), Refusal::NotYours, "{event:?}");
        }
    }
    for event in [Event::Accept { terms: 1 }, Event::Decline, Event::AskAgain, Event::Sign { plan: state.plan }] {
        assert!(apply(state.clone(), &event, stranger, now()).is_err(), "{event:?}");
        assert!(apply(state.clone(), &event, Who::Service, now()).is_err(), "{event:?}");
    }
}
