//! All that concerns an organisation, in one document: what it may take with it.

use attelage_solver::Proposal;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::audit::AuditEntry;
use crate::calls::Call;
use crate::capabilities::Capability;
use crate::consortia::Consortium;
use crate::frameworks::Framework;
use crate::identity::{ApiKey, Invitation, JoinRequest, Member};
use crate::interests::Interest;
use crate::organisations::Organisation;
use crate::relations::Relation;
use crate::reservations::Reservation;
use crate::runs::Run;
use crate::webhooks::Webhook;

mod document;
pub mod routes;

/// All that concerns an organisation.
// For the document of the API only: the answer is written part by part, and never stands in memory as a whole.
#[derive(ToSchema)]
#[schema(as = OrganisationExport)]
#[allow(dead_code, reason = "only its schema is used")]
struct Export {
    /// The organisation itself.
    organisation: Organisation,
    /// What it can deliver.
    capabilities: Vec<Capability>,
    /// With whom it works.
    relations: Vec<Relation>,
    /// With whom it would rather not work.
    reservations: Vec<Reservation>,
    /// The calls that it would like to answer.
    interests: Vec<Interest>,
    /// The calls that it funds, drafts too.
    calls: Vec<Call>,
    /// The computations that it asked for, with what they answered.
    runs: Vec<ExportedRun>,
    /// Who belongs to it.
    members: Vec<Member>,
    /// Its invitations, without their secrets.
    invitations: Vec<Invitation>,
    /// Who has asked to join it.
    join_requests: Vec<JoinRequest>,
    /// Its keys, without their secrets.
    api_keys: Vec<ApiKey>,
    /// Where events are sent, without their secrets.
    webhooks: Vec<Webhook>,
    /// The consortia that it leads, belongs to or was invited to, as it sees them, but for the amounts of others.
    consortia: Vec<Consortium>,
    /// The consortia that it keeps for the next call, or was asked to stay in.
    frameworks: Vec<Framework>,
    /// What was done with all this, and who read what is sealed.
    audit: Vec<AuditEntry>,
}

/// A computation with its answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExportedRun {
    /// The computation.
    pub run: Run,
    /// The consortia that it proposes, best first.
    pub proposals: Vec<Proposal>,
    /// Its reply, where it asked another question or was on several calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub reply: Option<Value>,
}
