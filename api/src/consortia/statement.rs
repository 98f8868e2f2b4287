//! What members sign: the same for all, and no more than all may know.
//!
//! Members need not see what the others ask. So the amounts of each stand in the statement as a commitment: the SHA-256 of the amounts
//! with 256 random bits, which only those who may know them are given. Whoever signs is bound to all of it, and can show later that no
//! amount was changed.

use sea_orm::FromJsonQueryResult;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::whole::Whole;
use super::{Amount, Form, Part, Role};
use crate::bids::seal::canonical;
use crate::codes::sha256_hex;
use crate::problem::Problem;

/// What the members of a consortium agree on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, FromJsonQueryResult)]
#[schema(as = ConsortiumStatement)]
pub struct Statement {
    /// Of which consortium.
    pub consortium: Uuid,
    /// Which version of its plan.
    pub plan: i64,
    /// Which call it answers.
    pub call: Uuid,
    /// Which version of the call.
    pub call_version: i64,
    /// Codes of the lots that it answers.
    pub lots: Vec<String>,
    /// Who answers for what.
    pub form: Form,
    /// Who leads.
    pub lead: Uuid,
    /// What the lead is paid for coordinating.
    pub coordination_cents: i64,
    /// Who does what; the lead first, then by id.
    pub members: Vec<Signatory>,
}

/// A member in a statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ConsortiumSignatory)]
pub struct Signatory {
    /// Which organisation.
    pub organisation: Uuid,
    /// What it is.
    pub role: Role,
    /// What it delivers.
    pub services: Vec<Service>,
    /// SHA-256 of `{"amounts": […], "salt": "…"}` in canonical JSON, in hexadecimal: what it asks, in the order of its services.
    pub amounts: String,
}

/// A quantity of a need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = ConsortiumService)]
pub struct Service {
    /// Code of the need.
    pub need: String,
    /// How much, over the whole contract.
    pub quantity: i64,
}

/// The statement of a consortium, with its digest; absent while somebody has not answered or an amount is open.
///
/// # Errors
/// Only internal ones.
pub fn statement(whole: &Whole) -> Result<Option<(Statement, String)>, Problem> {
    if !whole.state.all_have_answered() || !whole.is_priced() {
        return Ok(None);
    }
    let mut members = Vec::new();
    for (organisation, own) in whole.in_plan() {
        members.push(Signatory {
            organisation,
            role: whole.role(organisation).unwrap_or(own.role),
            services: own.parts.iter().map(|p| Service { need: p.need.clone(), quantity: p.quantity }).collect(),
            amounts: commitment(&own.parts, &own.salt)?,
        });
    }
    let statement = Statement {
        consortium: whole.id,
        plan: whole.state.plan,
        call: whole.call,
        call_version: whole.call_version,
        lots: whole.lots.clone(),
        form: whole.form,
        lead: whole.state.lead,
        coordination_cents: whole.coordination_cents,
        members,
    };
    let digest = digest(&statement)?;
    Ok(Some((statement, digest)))
}

/// SHA-256 of a statement in canonical JSON.
///
/// # Errors
/// Only internal ones.
pub fn digest(statement: &Statement) -> Result<String, Problem> {
    Ok(sha256_hex(&canonical(statement)?))
}

/// What stands for the amounts of some parts.
fn commitment(parts: &[Part], salt: &str) -> Result<String, Problem> {
    let amounts: Vec<Amount> = parts
        .iter()
        .map(|part| Amount { need: part.need.clone(), amount_cents: part.amount_cents.unwrap_or_default() })
        .collect();
    Ok(sha256_hex(&canonical(&json!({ "amounts": amounts, "salt": salt }))?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_commitment_is_what_the_document_says() {
        let part = Part { need: "kits".to_owned(), quantity: 2, amount_cents: Some(30) };
        let expected = sha256_hex(br#"{"amounts":[{"amount_cents":30,"need":"kits"}],"salt":"00ff"}"#);
        assert_eq!(commitment(std::slice::from_ref(&part), "00ff").unwrap(), expected);
        assert_ne!(commitment(&[part], "00fe").unwrap(), expected);
    }
}
