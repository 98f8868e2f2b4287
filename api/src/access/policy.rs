//! Who may use which operation: the table.
//!
//! It admits or refuses before a handler is called. What depends on the thing that is touched (whose it is, where it stands) is asked by
//! the handler, of the same [`Caller`].

use Who::{Administrator, Anyone, Member, Person, Registered, SignedIn};

use super::{Caller, Principal, Role, Scope};
use crate::answers::routes as answers;
use crate::audit::routes as audit;
use crate::bids::{evaluators, openings, routes as bids};
use crate::calls::routes as calls;
use crate::capabilities::routes as capabilities;
use crate::comparison::routes as comparison;
use crate::consortia::checks::routes as consortium_checks;
use crate::consortia::{invitations as consortium_invitations, memberships, repairs, routes as consortia, signing};
use crate::decisions::routes as decisions;
use crate::events::routes as events;
use crate::exports::routes as exports;
use crate::filing::routes as filing;
use crate::frameworks::{members as framework_members, routes as frameworks};
use crate::identity::oidc::routes as oidc;
use crate::identity::{invitations, joining, keys, members, people, sessions};
use crate::imports::routes as imports;
use crate::interests::routes as interests;
use crate::mail::routes as mail;
use crate::negotiation::routes as negotiation;
use crate::organisations::routes as organisations;
use crate::partners::routes as partners;
use crate::problem::{Kind, Problem};
use crate::relations::routes as relations;
use crate::reservations::routes as reservations;
use crate::runs::routes as runs;
use crate::service;
use crate::sharing::routes as sharing;
use crate::territories::routes as territories;
use crate::treasury::routes as treasury;
use crate::vocabularies::routes as vocabularies;
use crate::webhooks::{deliveries, routes as webhooks};

/// Who may use an operation, before it is known on what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Everybody.
    Anyone,
    /// Whoever shows a credential.
    SignedIn,
    /// A person who has signed in, or the platform.
    Person,
    /// Whoever belongs to an organisation.
    Registered,
    /// Whoever has at least this role in an organisation; in which one, the handler asks.
    Member(Role),
    /// Administrators of the platform.
    Administrator,
}

/// Who may use an operation, and which scope a key needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Who.
    pub who: Who,
    /// With which scope.
    pub scope: Scope,
}

/// A route that has a policy.
pub trait Governed {
    /// It.
    const POLICY: Policy;
}

macro_rules! govern {
    ($($module:ident :: $handler:ident: $who:expr, $scope:ident;)+) => {
        $(
            impl Governed for $module::$handler {
                const POLICY: Policy = Policy { who: $who, scope: Scope::$scope };
            }
        )+

        /// Every operation with its policy.
        pub const POLICIES: &[(&str, Policy)] =
            &[$((stringify!($handler), <$module::$handler as Governed>::POLICY)),+];
    };
}

govern! {
    service::get_health: Anyone, Read;
    service::get_live: Anyone, Read;
    service::get_ready: Anyone, Read;
    service::get_openapi: Anyone, Read;
    service::get_problem_page: Anyone, Read;
    service::get_security_txt: Anyone, Read;

    vocabularies::list_terms: Anyone, Read;
    vocabularies::get_term: Anyone, Read;
    vocabularies::put_term: Administrator, Manage;
    vocabularies::delete_term: Administrator, Manage;

    territories::list_territories: Anyone, Read;
    territories::get_territory: Anyone, Read;
    territories::put_territory: Administrator, Manage;
    territories::delete_territory: Administrator, Manage;

    organisations::list_organisations: Anyone, Read;
    organisations::get_organisation: Anyone, Read;
    organisations::create_organisation: Person, Market;
    organisations::replace_organisation: Member(Role::Editor), Market;
    organisations::delete_organisation: Member(Role::Owner), Market;

    capabilities::list_capabilities: Anyone, Read;
    capabilities::get_capability: Anyone, Read;
    capabilities::create_capability: Member(Role::Editor), Market;
    capabilities::replace_capability: Member(Role::Editor), Market;
    capabilities::delete_capability: Member(Role::Editor), Market;

    relations::list_relations: Registered, Read;
    relations::get_relation: Registered, Read;
    relations::create_relation: Member(Role::Editor), Market;
    relations::replace_relation: Member(Role::Editor), Market;
    relations::delete_relation: Member(Role::Editor), Market;

    reservations::list_reservations: Member(Role::Viewer), Read;
    reservations::create_reservation: Member(Role::Editor), Market;
    reservations::delete_reservation: Member(Role::Editor), Market;

    calls::list_calls: Anyone, Read;
    calls::get_call: Anyone, Read;
    calls::create_call: Member(Role::Editor), Calls;
    calls::replace_call: Member(Role::Editor), Calls;
    calls::delete_call: Member(Role::Editor), Calls;
    calls::publish_call: Member(Role::Editor), Calls;
    calls::close_call: Member(Role::Editor), Calls;

    runs::start_run: Member(Role::Editor), Solve;
    runs::list_runs: Member(Role::Viewer), Read;
    runs::start_joint_run: Member(Role::Editor), Solve;
    runs::get_run: Member(Role::Viewer), Read;
    runs::list_proposals: Member(Role::Viewer), Read;
    runs::get_reply: Member(Role::Viewer), Read;
    runs::get_portfolio: Member(Role::Viewer), Read;
    runs::cancel_run: Member(Role::Editor), Solve;
    runs::follow_run: Member(Role::Viewer), Read;
    runs::list_all_runs: Administrator, Read;

    imports::create_import: Administrator, Manage;
    imports::list_imports: Administrator, Read;
    imports::get_import: Administrator, Read;
    imports::list_import_faults: Administrator, Read;

    people::register: Anyone, Read;
    people::get_me: SignedIn, Read;
    people::change_password: Person, Manage;
    people::erase_me: Person, Manage;

    sessions::sign_in: Anyone, Read;
    sessions::list_sessions: Person, Read;
    sessions::end_session: Person, Manage;

    members::list_members: Member(Role::Viewer), Read;
    members::set_member_role: Member(Role::Owner), Manage;
    members::remove_member: Member(Role::Viewer), Manage;

    invitations::create_invitation: Member(Role::Owner), Manage;
    invitations::list_invitations: Member(Role::Owner), Read;
    invitations::delete_invitation: Member(Role::Owner), Manage;
    invitations::accept_invitation: Person, Manage;

    joining::create_join_request: Person, Manage;
    joining::list_join_requests: Person, Read;
    joining::accept_join_request: Person, Manage;
    joining::decline_join_request: Person, Manage;

    keys::create_api_key: Member(Role::Owner), Manage;
    keys::list_api_keys: Member(Role::Owner), Read;
    keys::create_platform_key: Administrator, Manage;
    keys::list_platform_keys: Administrator, Read;
    keys::rotate_api_key: Member(Role::Owner), Manage;
    keys::revoke_api_key: Member(Role::Owner), Manage;

    oidc::begin_oidc_sign_in: Anyone, Read;
    oidc::finish_oidc_sign_in: Anyone, Read;
    oidc::link_oidc: Person, Manage;
    bids::create_bid: Member(Role::Editor), Bids;
    bids::list_bids: SignedIn, Read;
    bids::get_bid: SignedIn, Read;
    bids::withdraw_bid: Member(Role::Editor), Bids;

    evaluators::list_evaluators: Member(Role::Owner), Read;
    evaluators::get_evaluator: Member(Role::Owner), Read;
    evaluators::put_evaluator: Member(Role::Owner), Calls;
    evaluators::delete_evaluator: Member(Role::Owner), Calls;

    openings::open_bids: Person, Bids;
    audit::list_audit_entries: Member(Role::Viewer), Read;
    exports::export_organisation: Member(Role::Owner), Manage;

    interests::list_interests: SignedIn, Read;
    interests::get_interest: SignedIn, Read;
    interests::create_interest: Member(Role::Editor), Market;
    interests::replace_interest: Member(Role::Editor), Market;
    interests::delete_interest: Member(Role::Editor), Market;

    partners::suggest_partners: Member(Role::Editor), Solve;
    partners::check_team: Member(Role::Editor), Solve;
    partners::explain_absence: Member(Role::Editor), Solve;
    partners::list_matching_calls: Member(Role::Viewer), Read;
    events::list_events: Registered, Read;

    webhooks::list_webhooks: Member(Role::Owner), Read;
    webhooks::create_webhook: Member(Role::Owner), Manage;
    webhooks::get_webhook: Member(Role::Owner), Read;
    webhooks::replace_webhook: Member(Role::Owner), Manage;
    webhooks::delete_webhook: Member(Role::Owner), Manage;
    webhooks::rotate_webhook_secret: Member(Role::Owner), Manage;
    webhooks::test_webhook: Member(Role::Owner), Manage;
    deliveries::list_deliveries: Member(Role::Owner), Read;
    deliveries::replay_delivery: Member(Role::Owner), Manage;
    deliveries::replay_webhook: Member(Role::Owner), Manage;

    mail::get_mail_preferences: Person, Read;
    mail::replace_mail_preferences: Person, Manage;
    mail::get_unsubscription: Anyone, Read;
    mail::unsubscribe: Anyone, Read;
    answers::get_bid_answer: SignedIn, Read;
    comparison::compare_bids: Person, Read;
    negotiation::ask_changes: Person, Bids;
    negotiation::list_change_requests: SignedIn, Read;
    negotiation::create_bid_revision: Member(Role::Editor), Bids;
    decisions::record_decision: Person, Bids;
    decisions::list_decisions: Person, Read;
    decisions::get_bid_decision: SignedIn, Read;

    filing::file_consortium: Member(Role::Editor), Bids;
    filing::withdraw_filing: Member(Role::Editor), Bids;
    filing::get_consortium_answer: Member(Role::Viewer), Read;
    treasury::get_consortium_treasury: Member(Role::Viewer), Read;
    sharing::agree_to_share: Member(Role::Editor), Bids;
    sharing::delete_share_consent: Member(Role::Editor), Bids;
    sharing::get_consortium_shares: Member(Role::Viewer), Read;


    consortia::create_consortium: Member(Role::Editor), Bids;
    consortia::list_consortia: Registered, Read;
    consortia::get_consortium: Member(Role::Viewer), Read;
    consortia::replace_consortium: Member(Role::Editor), Bids;
    consortia::dissolve_consortium: Member(Role::Editor), Bids;
    consortium_invitations::invite_into_consortium: Member(Role::Editor), Bids;
    consortium_invitations::rescind_membership: Member(Role::Editor), Bids;
    consortium_invitations::promote_alternate: Member(Role::Editor), Bids;
    memberships::accept_membership: Member(Role::Editor), Bids;
    memberships::decline_membership: Member(Role::Editor), Bids;
    memberships::leave_consortium: Member(Role::Editor), Bids;
    memberships::ask_to_be_invited_again: Member(Role::Editor), Bids;
    memberships::replace_membership: Member(Role::Editor), Bids;
    signing::sign_consortium: Member(Role::Editor), Bids;
    consortium_checks::get_consortium_checks: Member(Role::Viewer), Read;
    repairs::start_repair: Member(Role::Editor), Solve;
    repairs::apply_repair: Member(Role::Editor), Bids;
    consortia::complete_consortium: Member(Role::Editor), Bids;
    frameworks::create_framework: Member(Role::Editor), Bids;
    frameworks::list_frameworks: Registered, Read;
    frameworks::get_framework: Member(Role::Viewer), Read;
    frameworks::get_framework_changes: Member(Role::Viewer), Read;
    frameworks::end_framework: Member(Role::Editor), Bids;
    framework_members::accept_framework: Member(Role::Editor), Bids;
    framework_members::leave_framework: Member(Role::Editor), Bids;
}

impl Policy {
    /// The policy of an operation, by its id.
    #[must_use]
    pub fn of(operation: &str) -> Option<Self> {
        Self::named(operation).map(|(policy, _)| policy)
    }

    /// The same, with the id.
    pub(crate) fn named(operation: &str) -> Option<(Self, &'static str)> {
        POLICIES.iter().find(|(id, _)| *id == operation).map(|(id, policy)| (*policy, *id))
    }

    /// Whether somebody may use the operation at all.
    ///
    /// # Errors
    /// 401 without a credential where one is needed, 403 with one that does not suffice.
    pub fn admit(&self, caller: &Caller) -> Result<(), Problem> {
        if self.who == Anyone {
            return Ok(());
        }
        if caller.principal() == Principal::Nobody {
            return Err(Problem::new(Kind::Unauthenticated));
        }
        let refuse = |detail: String| Err(Problem::new(Kind::Forbidden).because(detail));
        if !caller.holds(self.scope) {
            return refuse(format!("this key does not have the scope `{}`", self.scope.name()));
        }
        let administrator = caller.is_administrator();
        let admitted = administrator
            || match self.who {
                Anyone | SignedIn => true,
                Person => matches!(caller.principal(), Principal::Person { .. }),
                Registered => caller.is_registered(),
                Member(role) => caller.memberships().values().any(|own| *own >= role),
                Administrator => false,
            };
        if admitted { Ok(()) } else { refuse(format!("{} can do this", self.words())) }
    }

    /// Who may, in words.
    #[must_use]
    pub fn words(&self) -> String {
        match self.who {
            Anyone => "everybody".to_owned(),
            SignedIn => "whoever shows a credential".to_owned(),
            Person => "a person who has signed in, or an administrator of the platform".to_owned(),
            Registered => "whoever belongs to an organisation".to_owned(),
            Member(role) => {
                format!("whoever has the role of {} or higher in the organisation that it belongs to", role.name())
            }
            Administrator => "an administrator of the platform".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use uuid::Uuid;

    use super::*;
    use crate::access::Scopes;

    fn member(role: Role, scopes: Vec<Scope>) -> Caller {
        let principal = Principal::Key(Uuid::nil());
        Caller::new(principal, BTreeMap::from([(Uuid::nil(), role)]), false, Scopes(scopes))
    }

    fn status(policy: Policy, caller: &Caller) -> Option<u16> {
        use actix_web::ResponseError as _;
        policy.admit(caller).err().map(|problem| problem.status_code().as_u16())
    }

    #[test]
    fn a_key_needs_both_the_role_and_the_scope() {
        let policy = Policy { who: Member(Role::Editor), scope: Scope::Market };
        assert_eq!(status(policy, &Caller::nobody()), Some(401));
        assert_eq!(status(policy, &member(Role::Viewer, vec![Scope::Market])), Some(403));
        assert_eq!(status(policy, &member(Role::Owner, vec![Scope::Read])), Some(403));
        assert_eq!(status(policy, &member(Role::Editor, vec![Scope::Market])), None);
        assert_eq!(status(policy, &Caller::installation()), None);
    }

    #[test]
    fn only_people_do_what_people_do_and_only_administrators_what_they_do() {
        let owner = member(Role::Owner, Scopes::all().0);
        for (who, expected) in
            [(Anyone, None), (SignedIn, None), (Person, Some(403)), (Registered, None), (Administrator, Some(403))]
        {
            assert_eq!(status(Policy { who, scope: Scope::Read }, &owner), expected, "{who:?}");
        }
    }
}
