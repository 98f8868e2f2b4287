//! From one state to the next.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Ending, Event, Happened, Invitation, Membership, Moved, Phase, Refusal, Standing, State, Who, pass};

use Phase::{Agreed, Ended, Execution, Filed, Forming, Frozen, Negotiation};

const FROZEN: &str = "only members that have become unable for reasons not their own leave or are replaced";
const FILED: &str = "withdraw the answer first";

/// The state after somebody does something at an instant, and after everything that time has brought until then.
///
/// # Errors
/// Why it cannot be done; what time has brought is to be had from [`pass`] then.
pub fn apply(state: State, event: &Event, who: Who, now: DateTime<Utc>) -> Result<Moved, Refusal> {
    let mut moved = pass(state, now);
    if moved.state.phase == Ended {
        return Err(Refusal::Phase { phase: Ended, why: "nothing changes any more" });
    }
    let Moved { state, happened } = &mut moved;
    match event {
        Event::Invite(invitation) => state.lead_only(who)?.invite(invitation, now, happened)?,
        Event::Promote(organisation) => state.lead_only(who)?.promote(*organisation, now, happened)?,
        Event::Accept { terms } => state.accept(who, *terms, happened)?,
        Event::Decline => state.decline(who, now, happened)?,
        Event::Rescind(organisation) => state.lead_only(who)?.rescind(*organisation, now, happened)?,
        Event::Leave { unable } => state.leave(who, *unable, now, happened)?,
        Event::AskAgain => state.ask_again(who, happened)?,
        Event::Change { of } => state.change(who, of, happened)?,
        Event::Sign { plan } => state.sign(who, *plan, happened)?,
        Event::File => state.lead_only(who)?.file(now, happened)?,
        Event::Withdraw => state.lead_only(who)?.withdraw(happened)?,
        Event::Close => state.service_only(who)?.candidacy_over(happened)?,
        Event::Award => state.service_only(who)?.award(happened)?,
        Event::Reject => state.service_only(who)?.decided(Ending::NotChosen, happened)?,
        Event::Cancel => {
            state.service_only(who)?;
            state.end(Ending::CallCancelled, happened);
        }
        Event::Complete => state.complete(who, happened)?,
        Event::Dissolve { unable } => state.lead_only(who)?.dissolve(*unable, happened)?,
    }
    Ok(moved)
}

impl State {
    fn lead_only(&mut self, who: Who) -> Result<&mut Self, Refusal> {
        if who == Who::Organisation(self.lead) { Ok(self) } else { Err(Refusal::NotLead) }
    }

    fn service_only(&mut self, who: Who) -> Result<&mut Self, Refusal> {
        if who == Who::Service { Ok(self) } else { Err(Refusal::NotYours) }
    }

    /// The membership of whoever acts, if it stands so.
    fn own(&mut self, who: Who, standing: Standing, else_: &'static str) -> Result<(Uuid, &mut Membership), Refusal> {
        let Who::Organisation(id) = who else { return Err(Refusal::Standing(else_)) };
        let found = self.members.get_mut(&id).filter(|own| own.standing == standing);
        found.map(|own| (id, own)).ok_or(Refusal::Standing(else_))
    }

    const fn refuse(&self, why: &'static str) -> Refusal {
        Refusal::Phase { phase: self.phase, why }
    }

    /// Whether members may join: freely, or in the place of those who have become unable.
    fn may_grow(&self) -> Result<(), Refusal> {
        match self.phase {
            Forming | Agreed | Negotiation => Ok(()),
            Frozen | Execution if self.has_vacancy() => Ok(()),
            Filed => Err(self.refuse(FILED)),
            _ => Err(self.refuse(FROZEN)),
        }
    }

    /// Whether members may go who could stay.
    fn is_free(&self) -> Result<(), Refusal> {
        match self.phase {
            Forming | Agreed | Negotiation => Ok(()),
            Filed => Err(self.refuse(FILED)),
            _ => Err(self.refuse(FROZEN)),
        }
    }

    /// The plan is another one: no signature is of it, and what was agreed no longer is. What binds stays until another does.
    fn renew(&mut self) {
        self.plan += 1;
        if self.phase == Agreed {
            self.phase = Forming;
        }
    }

    fn invite(&mut self, new: &Invitation, now: DateTime<Utc>, happened: &mut Vec<Happened>) -> Result<(), Refusal> {
        let position = self.members.values().map(|own| own.position).max().unwrap_or_default() + 1;
        let mut terms = 1;
        if let Some(before) = self.members.get(&new.organisation) {
            match before.standing {
                // Whoever has been asked sees that; an alternate sees nothing.
                Standing::Declined | Standing::Left | Standing::Expired | Standing::Rescinded if new.alternate => {
                    return Err(Refusal::Standing("this organisation was asked before: invite it, or let it be"));
                }
                Standing::Alternate | Standing::Invited | Standing::Accepted => return Err(Refusal::IsIn),
                Standing::Declined | Standing::Left if !before.asks_again => return Err(Refusal::HasDeclined),
                Standing::Declined | Standing::Left | Standing::Expired | Standing::Rescinded => {
                    terms = before.terms + 1;
                }
            }
        }
        if !new.alternate {
            self.may_grow()?;
        }
        let vacant = self.members.get(&new.organisation).is_some_and(|before| before.vacant);
        let named = Membership::named(Standing::Alternate, new.days, position);
        let alternate = Membership { terms, vacant, replaces: new.replaces, ..named };
        self.members.insert(new.organisation, alternate);
        if new.alternate {
            happened.push(Happened::StandsBy(new.organisation));
        } else {
            self.ask(new.organisation, now);
            self.renew();
            happened.push(Happened::Invited(new.organisation));
        }
        Ok(())
    }

    /// Makes an alternate an invited organisation.
    fn ask(&mut self, organisation: Uuid, from: DateTime<Utc>) {
        let days = self.members.get(&organisation).map_or(0, |own| own.days);
        let by = self.answer_by(from, days);
        if let Some(own) = self.members.get_mut(&organisation) {
            own.standing = Standing::Invited;
            own.answer_by = Some(by);
        }
    }

    fn promote(&mut self, organisation: Uuid, now: DateTime<Utc>, happened: &mut Vec<Happened>) -> Result<(), Refusal> {
        if self.members.get(&organisation).is_none_or(|own| own.standing != Standing::Alternate) {
            return Err(Refusal::Standing("this organisation is not an alternate"));
        }
        self.may_grow()?;
        self.ask(organisation, now);
        self.renew();
        happened.push(Happened::Promoted { organisation, instead_of: None });
        Ok(())
    }

    fn accept(&mut self, who: Who, terms: i32, happened: &mut Vec<Happened>) -> Result<(), Refusal> {
        let (id, own) = self.own(who, Standing::Invited, "there is no invitation that waits for your answer")?;
        if own.terms != terms {
            return Err(Refusal::Changed);
        }
        own.standing = Standing::Accepted;
        own.accepted = Some(terms);
        own.answer_by = None;
        happened.push(Happened::Accepted(id));
        Ok(())
    }

    fn decline(&mut self, who: Who, now: DateTime<Utc>, happened: &mut Vec<Happened>) -> Result<(), Refusal> {
        let (id, _) = self.own(who, Standing::Invited, "there is no invitation that waits for your answer")?;
        self.drop_out(id, Standing::Declined, Happened::Declined(id), now, happened);
        Ok(())
    }

    fn rescind(&mut self, id: Uuid, now: DateTime<Utc>, happened: &mut Vec<Happened>) -> Result<(), Refusal> {
        let standing = self.members.get(&id).map(|own| own.standing);
        match standing {
            Some(Standing::Alternate) => {
                self.members.remove(&id);
                happened.push(Happened::StandsDown(id));
                return Ok(());
            }
            _ if id == self.lead => {
                return Err(Refusal::Standing("the lead cannot be excluded: dissolve the consortium"));
            }
            Some(Standing::Accepted) => self.is_free()?,
            Some(Standing::Invited) => {}
            _ => return Err(Refusal::Standing("this organisation is neither invited, nor a member or an alternate")),
        }
        self.drop_out(id, Standing::Rescinded, Happened::Rescinded(id), now, happened);
        Ok(())
    }

    fn leave(
        &mut self,
        who: Who,
        unable: bool,
        now: DateTime<Utc>,
        happened: &mut Vec<Happened>,
    ) -> Result<(), Refusal> {
        if who == Who::Organisation(self.lead) {
            return Err(Refusal::Standing("the lead cannot leave: dissolve the consortium"));
        }
        let (id, own) = self.own(who, Standing::Accepted, "only members leave")?;
        let was_bound = own.bound.is_some();
        if !unable {
            self.is_free()?;
        }
        if let Some(own) = self.members.get_mut(&id) {
            own.vacant = was_bound && unable;
        }
        self.drop_out(id, Standing::Left, Happened::Left(id), now, happened);
        Ok(())
    }

    /// Takes an organisation out of the plan; the first alternate that may take its place is invited.
    pub(super) fn drop_out(
        &mut self,
        id: Uuid,
        standing: Standing,
        what: Happened,
        at: DateTime<Utc>,
        happened: &mut Vec<Happened>,
    ) {
        let Some(own) = self.members.get_mut(&id) else { return };
        let nothing = Membership { accepted: None, signed: None, bound: None, answer_by: None, ..own.clone() };
        *own = Membership { standing, asks_again: false, ..nothing };
        happened.push(what);
        self.renew();
        let waiting = self.members.iter().filter(|(_, own)| own.standing == Standing::Alternate);
        let fits = waiting.filter(|(_, own)| own.replaces.is_none_or(|whom| whom == id));
        let first = fits.min_by_key(|(_, own)| own.position).map(|(id, _)| *id);
        if let Some(alternate) = first.filter(|_| self.may_grow().is_ok()) {
            self.ask(alternate, at);
            happened.push(Happened::Promoted { organisation: alternate, instead_of: Some(id) });
        }
    }

    fn ask_again(&mut self, who: Who, happened: &mut Vec<Happened>) -> Result<(), Refusal> {
        let nothing = Refusal::Standing("only who declined or left can ask to be invited again");
        let Who::Organisation(id) = who else { return Err(nothing) };
        let own = self.members.get_mut(&id).ok_or(nothing)?;
        if !matches!(own.standing, Standing::Declined | Standing::Left) {
            return Err(nothing);
        }
        own.asks_again = true;
        happened.push(Happened::AsksAgain(id));
        Ok(())
    }

    fn change(&mut self, who: Who, of: &BTreeSet<Uuid>, happened: &mut Vec<Happened>) -> Result<(), Refusal> {
        let leads = who == Who::Organisation(self.lead);
        if !leads {
            let (id, _) = self.own(who, Standing::Accepted, "only members change their terms")?;
            if of.iter().any(|other| *other != id) {
                return Err(Refusal::NotLead);
            }
        }
        match self.phase {
            Forming | Agreed | Negotiation | Execution => {}
            Frozen if self.has_vacancy() => {}
            Filed => return Err(self.refuse(FILED)),
            _ => return Err(self.refuse(FROZEN)),
        }
        for id in of {
            if let Some(own) = self.members.get_mut(id) {
                own.terms += 1;
                // Who sets its own terms accepts them.
                if who == Who::Organisation(*id) {
                    own.accepted = Some(own.terms);
                }
            }
        }
        self.renew();
        happened.push(Happened::Changed);
        Ok(())
    }

    fn sign(&mut self, who: Who, plan: i64, happened: &mut Vec<Happened>) -> Result<(), Refusal> {
        let (id, own) = self.own(who, Standing::Accepted, "only members sign")?;
        let before = own.signed;
        if self.phase == Filed {
            return Err(self.refuse(FILED));
        }
        if plan != self.plan {
            return Err(Refusal::Changed);
        }
        if before == Some(plan) {
            return Err(Refusal::Standing("you have signed this version already"));
        }
        if !self.all_have_answered() {
            return Err(Refusal::Pending);
        }
        if let Some(own) = self.members.get_mut(&id) {
            own.signed = Some(plan);
            own.accepted = Some(own.terms);
        }
        happened.push(Happened::Signed(id));
        if self.is_signed() {
            match self.phase {
                Forming => self.phase = Agreed,
                // Nothing is filed any more: what all have signed is in force.
                Frozen | Execution => self.bind(),
                Agreed | Filed | Negotiation | Ended => {}
            }
            happened.push(Happened::Agreed);
        }
        Ok(())
    }

    /// The plan, which all have signed, binds them. What those who left as unable did is settled.
    fn bind(&mut self) {
        let plan = self.plan;
        for own in self.members.values_mut() {
            own.bound = own.standing.is_in_plan().then_some(plan);
            own.vacant = false;
        }
    }

    fn release(&mut self) {
        for own in self.members.values_mut() {
            own.bound = None;
            own.vacant = false;
        }
    }

    fn file(&mut self, now: DateTime<Utc>, happened: &mut Vec<Happened>) -> Result<(), Refusal> {
        match self.phase {
            Forming | Agreed if self.due.is_some_and(|due| now >= due) => return Err(Refusal::TooLate),
            Agreed => self.phase = Filed,
            Negotiation if self.is_signed() => {}
            Forming | Negotiation => return Err(Refusal::Unsigned),
            _ => return Err(self.refuse("its answer is filed")),
        }
        self.bind();
        happened.push(Happened::Filed);
        Ok(())
    }

    fn withdraw(&mut self, happened: &mut Vec<Happened>) -> Result<(), Refusal> {
        if self.phase != Filed {
            return Err(self.refuse("an answer is withdrawn between its filing and the deadline"));
        }
        self.release();
        self.phase = if self.is_signed() { Agreed } else { Forming };
        happened.push(Happened::Withdrawn);
        Ok(())
    }

    fn candidacy_over(&mut self, happened: &mut Vec<Happened>) -> Result<(), Refusal> {
        if self.phase != Filed {
            return Err(self.refuse("candidacy ends for answers that are filed"));
        }
        self.close(happened);
        Ok(())
    }

    pub(super) fn close(&mut self, happened: &mut Vec<Happened>) {
        self.phase = if self.negotiated { Negotiation } else { Frozen };
        happened.push(Happened::Closed);
    }

    fn award(&mut self, happened: &mut Vec<Happened>) -> Result<(), Refusal> {
        if !matches!(self.phase, Frozen | Negotiation) {
            return Err(self.refuse("an answer is chosen after candidacy"));
        }
        self.phase = Execution;
        happened.push(Happened::Awarded);
        Ok(())
    }

    fn decided(&mut self, ending: Ending, happened: &mut Vec<Happened>) -> Result<(), Refusal> {
        if !matches!(self.phase, Frozen | Negotiation) {
            return Err(self.refuse("an answer is refused after candidacy"));
        }
        self.end(ending, happened);
        Ok(())
    }

    fn complete(&mut self, who: Who, happened: &mut Vec<Happened>) -> Result<(), Refusal> {
        if who != Who::Service {
            self.lead_only(who)?;
        }
        if self.phase != Execution {
            return Err(self.refuse("a contract is fulfilled once it runs"));
        }
        self.end(Ending::Completed, happened);
        Ok(())
    }

    fn dissolve(&mut self, unable: bool, happened: &mut Vec<Happened>) -> Result<(), Refusal> {
        match self.phase {
            Forming | Agreed | Negotiation => {}
            Filed => return Err(self.refuse(FILED)),
            _ if unable => {}
            _ => return Err(self.refuse("only a lead that has become unable for reasons not its own ends it now")),
        }
        self.end(if unable { Ending::LeadUnable } else { Ending::Abandoned }, happened);
        Ok(())
    }

    fn end(&mut self, ending: Ending, happened: &mut Vec<Happened>) {
        self.release();
        for (id, own) in self.members.iter_mut().filter(|(_, own)| own.standing == Standing::Invited) {
            (own.standing, own.answer_by) = (Standing::Rescinded, None);
            self.plan += 1;
            happened.push(Happened::Rescinded(*id));
        }
        self.phase = Ended;
        self.ending = Some(ending);
        happened.push(Happened::Ended(ending));
    }
}
