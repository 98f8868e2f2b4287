//! The rules, written down a second time apart from the code, and what follows from them.

#![allow(clippy::similar_names, clippy::match_same_arms, reason = "a table is read as one")]

use Rule::{
    Anywhere, Decides, Draft, Everyone, Inside, Judges, Leave, Named, NamedDraft, Opens, Owned, People, Personal,
    Platform, Registered, Seen, Shown, SignedIn,
};

use crate::support::app::Answer;
use crate::support::sample::places;
use crate::support::world::{Caller, Role, Tenant};

/// Who may use an operation, and what the others are told.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    /// Everybody, on whatever is there.
    Everyone,
    /// Whoever shows a credential.
    SignedIn,
    /// People only; each on what is their own: for others it is not there.
    Personal,
    /// People and the platform.
    People,
    /// Whoever belongs to an organisation, on whatever is there.
    Registered,
    /// The organisation whose it is, from this role on. Others see that it is there, and may not.
    Owned(Role),
    /// The same, of what others do not see.
    Inside(Role),
    /// Whoever belongs to the organisation whose it is; for everybody else it is not there.
    Seen,
    /// The same, for whoever shows a credential.
    Shown,
    /// The same, of drafts: what one may not read is not there, for writing either.
    Draft(Role),
    /// From this role on in any organisation; the body names whose it shall be.
    Named(Role),
    /// The same, where what the body names are drafts.
    NamedDraft(Role),
    /// From this role on in any organisation; it shows what is of those.
    Anywhere(Role),
    /// Whoever belongs to the organisation may leave it; only owners may take out others.
    Leave,
    /// Owners of the organisation, in person; for other people it is not there.
    Opens,
    /// The same; where one does not see it, keys learn as little as people.
    Judges,
    /// Administrators.
    Platform,
    /// Whoever decides on requests to join: owners of the organisation, or the platform where there is none.
    Decides,
}

/// Operation, scope of its keys, rule.
pub const RULES: &[(&str, &str, Rule)] = &[
    ("get_health", "read", Everyone),
    ("get_live", "read", Everyone),
    ("get_ready", "read", Everyone),
    ("get_openapi", "read", Everyone),
    ("get_problem_page", "read", Everyone),
    ("get_security_txt", "read", Everyone),
    ("list_terms", "read", Everyone),
    ("get_term", "read", Everyone),
    ("put_term", "manage", Platform),
    ("delete_term", "manage", Platform),
    ("list_territories", "read", Everyone),
    ("get_territory", "read", Everyone),
    ("put_territory", "manage", Platform),
    ("delete_territory", "manage", Platform),
    ("list_organisations", "read", Everyone),
    ("get_organisation", "read", Everyone),
    ("create_organisation", "market", People),
    ("replace_organisation", "market", Owned(Role::Editor)),
    ("delete_organisation", "market", Owned(Role::Owner)),
    ("list_capabilities", "read", Everyone),
    ("get_capability", "read", Everyone),
    ("create_capability", "market", Named(Role::Editor)),
    ("replace_capability", "market", Owned(Role::Editor)),
    ("delete_capability", "market", Owned(Role::Editor)),
    ("list_relations", "read", Registered),
    ("get_relation", "read", Registered),
    ("create_relation", "market", Named(Role::Editor)),
    ("replace_relation", "market", Owned(Role::Editor)),
    ("delete_relation", "market", Owned(Role::Editor)),
    ("list_reservations", "read", Inside(Role::Viewer)),
    ("create_reservation", "market", Inside(Role::Editor)),
    ("delete_reservation", "market", Inside(Role::Editor)),
    ("list_calls", "read", Everyone),
    // Of a draft: what is published, everybody reads (below).
    ("get_call", "read", Seen),
    ("create_call", "calls", Named(Role::Editor)),
    ("replace_call", "calls", Draft(Role::Editor)),
    ("delete_call", "calls", Draft(Role::Editor)),
    ("publish_call", "calls", Draft(Role::Editor)),
    ("close_call", "calls", Draft(Role::Editor)),
    ("start_run", "solve", Draft(Role::Editor)),
    ("list_runs", "read", Draft(Role::Viewer)),
    ("start_joint_run", "solve", NamedDraft(Role::Editor)),
    ("get_run", "read", Inside(Role::Viewer)),
    ("list_proposals", "read", Inside(Role::Viewer)),
    ("get_reply", "read", Inside(Role::Viewer)),
    ("get_portfolio", "read", Inside(Role::Viewer)),
    ("cancel_run", "solve", Inside(Role::Editor)),
    ("follow_run", "read", Inside(Role::Viewer)),
    ("list_all_runs", "read", Platform),
    ("create_import", "manage", Platform),
    ("list_imports", "read", Platform),
    ("get_import", "read", Platform),
    ("list_import_faults", "read", Platform),
    ("register", "read", Everyone),
    ("get_me", "read", SignedIn),
    ("change_password", "manage", Personal),
    ("erase_me", "manage", Personal),
    ("sign_in", "read", Everyone),
    ("list_sessions", "read", Personal),
    ("end_session", "manage", Personal),
    ("list_members", "read", Inside(Role::Viewer)),
    ("set_member_role", "manage", Inside(Role::Owner)),
    ("remove_member", "manage", Leave),
    ("create_invitation", "manage", Inside(Role::Owner)),
    ("list_invitations", "read", Inside(Role::Owner)),
    ("delete_invitation", "manage", Inside(Role::Owner)),
    ("accept_invitation", "manage", Personal),
    ("create_join_request", "manage", Personal),
    ("list_join_requests", "read", People),
    ("accept_join_request", "manage", Decides),
    ("decline_join_request", "manage", Decides),
    ("create_api_key", "manage", Inside(Role::Owner)),
    ("list_api_keys", "read", Inside(Role::Owner)),
    ("create_platform_key", "manage", Platform),
    ("list_platform_keys", "read", Platform),
    ("rotate_api_key", "manage", Inside(Role::Owner)),
    ("revoke_api_key", "manage", Inside(Role::Owner)),
    ("create_bid", "bids", Draft(Role::Editor)),
    ("list_bids", "read", Shown),
    ("get_bid", "read", Shown),
    ("withdraw_bid", "bids", Inside(Role::Editor)),
    ("list_evaluators", "read", Draft(Role::Owner)),
    ("get_evaluator", "read", Draft(Role::Owner)),
    ("put_evaluator", "calls", Draft(Role::Owner)),
    ("delete_evaluator", "calls", Draft(Role::Owner)),
    ("open_bids", "bids", Opens),
    ("list_audit_entries", "read", Inside(Role::Viewer)),
    ("export_organisation", "manage", Inside(Role::Owner)),
    ("list_events", "read", Registered),
    ("list_webhooks", "read", Anywhere(Role::Owner)),
    ("create_webhook", "manage", Named(Role::Owner)),
    ("get_webhook", "read", Inside(Role::Owner)),
    ("replace_webhook", "manage", Inside(Role::Owner)),
    ("delete_webhook", "manage", Inside(Role::Owner)),
    ("rotate_webhook_secret", "manage", Inside(Role::Owner)),
    ("test_webhook", "manage", Inside(Role::Owner)),
    ("list_deliveries", "read", Inside(Role::Owner)),
    ("replay_delivery", "manage", Inside(Role::Owner)),
    ("replay_webhook", "manage", Inside(Role::Owner)),
    ("get_mail_preferences", "read", Personal),
    ("replace_mail_preferences", "manage", Personal),
    ("get_unsubscription", "read", Everyone),
    ("unsubscribe", "read", Everyone),
    ("list_interests", "read", SignedIn),
    // Of one that is shown to nobody else.
    ("get_interest", "read", Shown),
    ("create_interest", "market", Named(Role::Editor)),
    ("replace_interest", "market", Draft(Role::Editor)),
    ("delete_interest", "market", Draft(Role::Editor)),
    ("suggest_partners", "solve", Draft(Role::Editor)),
    ("check_team", "solve", Draft(Role::Editor)),
    ("explain_absence", "solve", Draft(Role::Editor)),
    ("list_matching_calls", "read", Inside(Role::Viewer)),
    ("get_bid_answer", "read", Shown),
    ("compare_bids", "read", Judges),
    ("ask_changes", "bids", Opens),
    ("list_change_requests", "read", Shown),
    ("create_bid_revision", "bids", Inside(Role::Editor)),
    ("record_decision", "bids", Judges),
    ("list_decisions", "read", Judges),
    ("get_bid_decision", "read", Shown),
    ("file_consortium", "bids", Inside(Role::Editor)),
    ("withdraw_filing", "bids", Inside(Role::Editor)),
    ("get_consortium_answer", "read", Inside(Role::Viewer)),
    ("get_consortium_treasury", "read", Inside(Role::Viewer)),
    ("agree_to_share", "bids", Inside(Role::Editor)),
    ("delete_share_consent", "bids", Inside(Role::Editor)),
    ("get_consortium_shares", "read", Inside(Role::Viewer)),
    ("begin_oidc_sign_in", "read", Everyone),
    ("finish_oidc_sign_in", "read", Everyone),
    ("link_oidc", "manage", Personal),
    ("create_consortium", "bids", Named(Role::Editor)),
    ("list_consortia", "read", Registered),
    ("get_consortium", "read", Inside(Role::Viewer)),
    ("replace_consortium", "bids", Inside(Role::Editor)),
    ("dissolve_consortium", "bids", Inside(Role::Editor)),
    ("invite_into_consortium", "bids", Inside(Role::Editor)),
    ("rescind_membership", "bids", Inside(Role::Editor)),
    ("promote_alternate", "bids", Inside(Role::Editor)),
    ("accept_membership", "bids", Inside(Role::Editor)),
    ("decline_membership", "bids", Inside(Role::Editor)),
    ("leave_consortium", "bids", Inside(Role::Editor)),
    ("ask_to_be_invited_again", "bids", Inside(Role::Editor)),
    ("replace_membership", "bids", Inside(Role::Editor)),
    ("sign_consortium", "bids", Inside(Role::Editor)),
    ("get_consortium_checks", "read", Inside(Role::Viewer)),
    ("start_repair", "solve", Inside(Role::Editor)),
    ("apply_repair", "bids", Inside(Role::Editor)),
    ("complete_consortium", "bids", Inside(Role::Editor)),
    ("create_framework", "bids", Named(Role::Editor)),
    ("list_frameworks", "read", Registered),
    ("get_framework", "read", Inside(Role::Viewer)),
    ("get_framework_changes", "read", Inside(Role::Viewer)),
    ("end_framework", "bids", Inside(Role::Editor)),
    ("accept_framework", "bids", Inside(Role::Editor)),
    ("leave_framework", "bids", Inside(Role::Editor)),
];

/// What an installation without settings does not have: whoever gets in finds nothing.
/// The same without a link that a mail has brought.
pub const NOT_SET_UP: [&str; 6] =
    ["begin_oidc_sign_in", "finish_oidc_sign_in", "get_security_txt", "get_unsubscription", "link_oidc", "unsubscribe"];

/// What somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// They get in: whatever the answer, it is not about who they are.
    In,
    /// Say who you are.
    Unknown,
    /// You may not.
    Forbidden,
    /// There is no such thing.
    NotThere,
    /// The body names what is not theirs.
    NotYours,
}

/// What the rule says.
pub fn expected(rule: Rule, scope: &str, caller: &Caller, tenant: Tenant) -> Told {
    let there = if tenant == Tenant::Nobody { Told::NotThere } else { Told::In };
    if matches!(rule, Everyone) {
        return there;
    }
    let reads = caller.holds("read") && caller.role_in(tenant).is_some();
    if matches!(rule, Seen) {
        return if reads { Told::In } else { Told::NotThere };
    }
    if caller.name == "nobody" {
        return Told::Unknown;
    }
    if !caller.holds(scope) {
        return Told::Forbidden;
    }
    let anywhere = |role| caller.administrator || caller.roles.values().any(|own| *own >= role);
    let here = |role| caller.role_in(tenant).is_some_and(|own| own >= role);
    match rule {
        Everyone | Seen | SignedIn => there,
        Shown if reads => Told::In,
        Shown => Told::NotThere,
        Personal | Opens if caller.person.is_none() => Told::Forbidden,
        Judges if caller.person.is_none() && !caller.administrator => Told::Forbidden,
        Judges if !reads => Told::NotThere,
        Judges if caller.person.is_none() => Told::Forbidden,
        Opens | Judges if here(Role::Owner) => Told::In,
        Opens | Judges => Told::NotThere,
        Personal => there,
        People if caller.person.is_none() && !caller.administrator => Told::Forbidden,
        People => there,
        Registered if caller.roles.is_empty() && !caller.administrator => Told::Forbidden,
        Registered => there,
        Platform if !caller.administrator => Told::Forbidden,
        Platform => there,
        Owned(role) | Inside(role) | Draft(role) | Named(role) | NamedDraft(role) | Anywhere(role)
            if !anywhere(role) =>
        {
            Told::Forbidden
        }
        Anywhere(_) => there,
        Owned(_) if tenant == Tenant::Nobody => Told::NotThere,
        Owned(role) => {
            if here(role) {
                Told::In
            } else {
                Told::Forbidden
            }
        }
        Inside(role) => {
            if here(role) {
                Told::In
            } else {
                Told::NotThere
            }
        }
        Leave if !anywhere(Role::Viewer) => Told::Forbidden,
        Leave if caller.role_in(tenant).is_none() => Told::NotThere,
        Leave => {
            if here(Role::Owner) {
                Told::In
            } else {
                Told::Forbidden
            }
        }
        NamedDraft(_) if !reads => Told::NotYours,
        Draft(_) if !reads => Told::NotThere,
        Draft(role) => {
            if here(role) {
                Told::In
            } else {
                Told::Forbidden
            }
        }
        Named(role) | NamedDraft(role) => {
            if here(role) {
                Told::In
            } else {
                Told::NotYours
            }
        }
        Decides if caller.person.is_none() && !caller.administrator => Told::Forbidden,
        Decides => {
            if here(Role::Owner) {
                Told::In
            } else {
                Told::NotThere
            }
        }
    }
}

pub fn told(answer: &Answer) -> Told {
    let not_yours = ["/organisation", "/funder", "/a", "/calls/0", "/consortium"];
    match answer.status {
        401 => Told::Unknown,
        403 => Told::Forbidden,
        404 => Told::NotThere,
        422 if places(&answer.body).iter().any(|place| not_yours.contains(place)) => Told::NotYours,
        _ => Told::In,
    }
}
