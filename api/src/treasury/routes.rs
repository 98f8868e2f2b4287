//! `/v1/consortia/{id}/treasury`.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Assumptions, Forecast, MemberTreasury, Part, Terms, TreasuryNote, forecast, means};
use crate::access::{Caller, Owners, Routes};
use crate::app::App;
use crate::calls::Call;
use crate::consortia::acting::{call_of, readable};
use crate::consortia::whole::Whole;
use crate::database::begin_read;
use crate::organisations::profile::finances_of;
use crate::problem::{Fault, Problem};

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    routes.service(get_consortium_treasury);
}

/// The treasury of a consortium, as far as its reader may know it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConsortiumTreasury {
    /// Of which consortium.
    pub consortium: Uuid,
    /// As which organisation it is read.
    pub seen_as: Uuid,
    /// Which version of the plan.
    pub plan: i64,
    /// What was assumed.
    pub assumptions: Assumptions,
    /// What there is to know.
    pub notes: Vec<TreasuryNote>,
    /// The reader's own line; and those of the others, where every member has accepted and shares its prices.
    pub members: Vec<MemberTreasury>,
}

/// Reckons what a member of a consortium spends, is paid and must carry, month by month, and whether its own cash suffices: before it
/// signs, and before it accepts.
///
/// Everybody reads their own line; where all members have accepted and share their prices, each reads those of the others, but never
/// what cash these have. The assumptions are stated, and may be changed. Help, not legal advice.
#[utoipa::path(tag = "consortia", params(("id" = Uuid, Path, description = "Id of the consortium"), Assumptions),
    responses((status = 200, description = "Month by month", body = ConsortiumTreasury)))]
#[get("/consortia/{id}/treasury")]
pub(crate) async fn get_consortium_treasury(
    app: Data<App>,
    caller: Caller,
    id: Path<Uuid>,
    assumptions: Query<Assumptions>,
) -> Result<HttpResponse, Problem> {
    let assumptions = assumptions.into_inner();
    check(&assumptions)?;
    let db = begin_read(&app.db).await?;
    let (whole, reader) = readable(&db, &caller, *id, None).await?;
    let call = call_of(&db, &whole).await?;
    let (terms, parts) = known(&whole, &call, reader)?;
    let Forecast { mut members, notes } = forecast(&terms, &assumptions, &parts);
    let finances = finances_of(&db, Owners::One(reader)).await?;
    db.commit().await?;
    for member in &mut members {
        caller.saw("consortium", whole.id, Some(member.organisation));
        if member.organisation == reader {
            let cash = finances.get(&reader).and_then(|own| own.available_cash_cents);
            member.means = cash.map(|cash| means(&terms, member, cash));
        }
    }
    let plan = whole.state.plan;
    Ok(HttpResponse::Ok().json(ConsortiumTreasury {
        consortium: *id,
        seen_as: reader,
        plan,
        assumptions,
        notes,
        members,
    }))
}

/// What a query cannot express.
fn check(assumptions: &Assumptions) -> Result<(), Problem> {
    let bounds = [
        ("advance_delay_days", i64::from(assumptions.advance_delay_days), 0, 365),
        ("advance_above_cents", assumptions.advance_above_cents, 0, 1_000_000_000_000_000),
        ("advance_above_months", i64::from(assumptions.advance_above_months), 0, 240),
        ("recovery_from_percent", i64::from(assumptions.recovery_from_percent), 0, 99),
        ("recovery_until_percent", i64::from(assumptions.recovery_until_percent), 1, 100),
    ];
    let outside = bounds.into_iter().filter(|(_, value, least, most)| value < least || value > most);
    let faults: Vec<Fault> =
        outside.map(|(name, _, least, most)| Fault::parameter(name, format!("between {least} and {most}"))).collect();
    if faults.is_empty() { Ok(()) } else { Err(Problem::malformed(faults)) }
}

/// The terms of the call, and the parts that the reader may know: its own, or those of all.
///
/// Alone, it is reckoned with the budget of the call, which is public, so that what the others ask shows in nothing.
fn known(whole: &Whole, call: &Call, reader: Uuid) -> Result<(Terms, Vec<Part>), Problem> {
    let written = &call.value.written;
    let knows_all = whole.in_plan().all(|(member, _)| whole.knows_amounts(reader, member));
    let all_share = knows_all && whole.in_plan().all(|(_, own)| own.consent.share_prices);
    let contract_cents = if all_share { None } else { written.budget_cents };
    let terms = Terms { contract_cents, ..Terms::of(written) };
    let seen: Vec<Uuid> = whole.in_plan().map(|(member, _)| member).filter(|id| all_share || *id == reader).collect();
    if !seen.contains(&reader) {
        return Err(Problem::not_found());
    }
    let parts: Option<Vec<Part>> = seen.into_iter().map(|member| part(whole, member)).collect();
    let parts = parts.ok_or_else(|| Problem::conflict("some amounts are open: settle them first"))?;
    Ok((terms, parts))
}

/// What a member is to be paid, for its work and, as the lead, for coordinating; nothing while an amount is open.
fn part(whole: &Whole, organisation: Uuid) -> Option<Part> {
    let own = whole.details.get(&organisation)?;
    let amounts: Option<Vec<i64>> = own.parts.iter().map(|part| part.amount_cents).collect();
    let leads = organisation == whole.state.lead;
    let coordination = if leads { whole.coordination_cents } else { 0 };
    Some(Part { organisation, amount_cents: amounts?.into_iter().sum::<i64>() + coordination })
}
