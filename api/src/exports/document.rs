//! Writes an export, one page of one list in memory at a time.

use std::io;

use actix_web::web::Bytes;
use futures_util::Stream;
use futures_util::stream::poll_fn;
use sea_orm::DatabaseConnection;
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;
use uuid::Uuid;

use super::ExportedRun;
use crate::access::Caller;
use crate::consortia::Consortium;
use crate::database::clock;
use crate::identity::{invitations, joining, keys, members};
use crate::organisations::Organisation;
use crate::page::{MAX_LIMIT, Slice};
use crate::problem::Problem;
use crate::runs::Run;
use crate::{
    audit, calls, capabilities, consortia, frameworks, interests, organisations, relations, reservations, runs,
    webhooks,
};

/// Parts that wait for a slow reader.
const AHEAD: usize = 2;
/// Runs read at once: their answers can be large.
const RUNS: u64 = 4;

/// The export of an organisation, as it is read. A reader who stops holds up nobody: between two parts no connection to the database is
/// held. One to three queries for a hundred items of each list.
pub fn written(
    db: DatabaseConnection,
    caller: Caller,
    organisation: Organisation,
) -> impl Stream<Item = Result<Bytes, io::Error>> {
    let (out, mut parts) = mpsc::channel(AHEAD);
    actix_web::rt::spawn(async move {
        let id = organisation.id;
        let mut document = Document { out, text: Vec::new() };
        if let Err(error) = document.write(&db, &caller, &organisation).await {
            tracing::error!(organisation = %id, %error, "an export broke off");
            // Whoever reads has gone away, or learns that the document has no end.
            let _ = document.out.send(Err(io::Error::other("the export broke off"))).await;
        }
    });
    poll_fn(move |context| parts.poll_recv(context))
}

struct Document {
    out: mpsc::Sender<Result<Bytes, io::Error>>,
    text: Vec<u8>,
}

impl Document {
    async fn write(
        &mut self,
        db: &DatabaseConnection,
        caller: &Caller,
        organisation: &Organisation,
    ) -> Result<(), Problem> {
        let id = organisation.id;
        self.text.extend_from_slice(b"{\"organisation\":");
        self.value(&organisation.whole()?)?;
        self.list("capabilities", async |after| {
            let filter =
                capabilities::store::Filter { organisation: Some(id), service: None, public: None, territory: None };
            let rows = capabilities::store::page(db, &filter, &first(), after).await?;
            rows.iter().map(|row| Ok((row.id, row.whole()?))).collect()
        })
        .await?;
        self.list("relations", async |after| {
            let rows = relations::store::page(db, Some(id), &first(), after).await?;
            Ok(rows.into_iter().map(|row| (row.id, row)).collect())
        })
        .await?;
        self.list("reservations", async |after| {
            let rows = reservations::store::page(db, id, &first(), after).await?;
            Ok(rows.into_iter().map(|row| (row.id, row)).collect())
        })
        .await?;
        self.list("interests", async |after| {
            let rows = interests::store::page_of(db, id, MAX_LIMIT, after).await?;
            rows.iter().map(|row| Ok((row.id, row.whole()?))).collect()
        })
        .await?;
        self.list("calls", async |after| {
            let filter = calls::store::Filter { funder: Some(id), status: None, kind: None };
            let rows = calls::store::page(db, caller, &filter, &first(), after).await?;
            rows.iter().map(|row| Ok((row.id, row.whole()?))).collect()
        })
        .await?;
        self.list("runs", async |after| answered(db, id, after).await).await?;
        self.list("members", async |after| {
            let rows = members::page(db, id, MAX_LIMIT, after).await?;
            Ok(rows.into_iter().map(|row| (row.person.id, row)).collect())
        })
        .await?;
        self.list("invitations", async |after| {
            let rows = invitations::page(db, id, MAX_LIMIT, after).await?;
            Ok(rows.into_iter().map(|row| (row.id, row)).collect())
        })
        .await?;
        self.list("join_requests", async |after| {
            let rows = joining::page(db, joining::to_join(id), MAX_LIMIT, after).await?;
            Ok(rows.into_iter().map(|row| (row.id, row)).collect())
        })
        .await?;
        self.list("api_keys", async |after| {
            let rows = keys::page(db, keys::of(id), &first(), after).await?;
            Ok(rows.into_iter().map(|row| (row.id, row)).collect())
        })
        .await?;
        self.list("webhooks", async |after| {
            let rows = webhooks::store::page(db, webhooks::store::of(id), &first(), after).await?;
            Ok(rows.into_iter().map(|row| (row.id, row)).collect())
        })
        .await?;
        self.list("consortia", async |after| consortia_of(db, id, after).await).await?;
        self.list("frameworks", async |after| {
            let rows = frameworks::store::page_of(db, id, MAX_LIMIT, after).await?;
            Ok(rows.iter().filter_map(|whole| Some((whole.row.id, frameworks::sight::view(whole, id)?))).collect())
        })
        .await?;
        self.list("audit", async |after| {
            let rows = audit::store::page(db, id, MAX_LIMIT, after).await?;
            Ok(rows.into_iter().map(|row| (row.position, row)).collect())
        })
        .await?;
        self.text.push(b'}');
        self.send().await
    }

    /// A member that holds a list, read page after page: `page` gives items with their keys, none after the last.
    async fn list<K: Copy, T: Serialize>(
        &mut self,
        name: &str,
        page: impl AsyncFn(Option<K>) -> Result<Vec<(K, T)>, Problem>,
    ) -> Result<(), Problem> {
        self.text.extend_from_slice(format!(",\"{name}\":[").as_bytes());
        let mut last = None;
        loop {
            let items = page(last).await?;
            if items.is_empty() {
                break;
            }
            for (key, item) in items {
                if last.replace(key).is_some() {
                    self.text.push(b',');
                }
                self.value(&item)?;
            }
            self.send().await?;
        }
        self.text.push(b']');
        Ok(())
    }

    fn value(&mut self, value: &impl Serialize) -> Result<(), Problem> {
        serde_json::to_writer(&mut self.text, value).map_err(Problem::internal)
    }

    /// Hands over what has been written, and waits for the reader.
    async fn send(&mut self) -> Result<(), Problem> {
        let part = Bytes::from(std::mem::take(&mut self.text));
        self.out.send(Ok(part)).await.map_err(Problem::internal)
    }
}

/// A page as large as it may be.
fn first() -> Slice {
    Slice { after: None, limit: MAX_LIMIT }
}

/// A few runs with their answers.
async fn answered(
    db: &DatabaseConnection,
    organisation: Uuid,
    after: Option<Uuid>,
) -> Result<Vec<(Uuid, ExportedRun)>, Problem> {
    let mut rows = runs::store::page_asked_by(db, organisation, RUNS, after).await?;
    let replies: Vec<Option<Value>> = rows.iter_mut().map(|row| row.reply.take()).collect();
    let views: Vec<Run> = runs::store::views(db, rows).await?;
    let mut found = Vec::with_capacity(views.len());
    for (run, reply) in views.into_iter().zip(replies) {
        let all = Slice { after: None, limit: u64::from(u16::MAX) };
        let proposals = runs::store::proposals(db, run.id, &all, None).await?;
        found.push((run.id, ExportedRun { run, proposals, reply }));
    }
    Ok(found)
}

/// Some consortia as an organisation sees them; none after the last. Those where it only stands by are passed over: it is not to know.
async fn consortia_of(
    db: &DatabaseConnection,
    organisation: Uuid,
    after: Option<Uuid>,
) -> Result<Vec<(Uuid, Consortium)>, Problem> {
    let mut after = after;
    loop {
        let wholes = consortia::store::page_of(db, organisation, MAX_LIMIT, after).await?;
        let Some(last) = wholes.last() else { return Ok(Vec::new()) };
        after = Some(last.id);
        let now = clock(db).await?;
        let mut found = Vec::new();
        for whole in wholes {
            let (whole, _) = whole.at(now);
            let ids: Vec<Uuid> = whole.in_plan().map(|(id, _)| id).collect();
            let contacts = organisations::store::contacts(db, &ids).await?;
            let view = consortia::sight::view(&whole, organisation, &contacts)?;
            found.extend(view.map(|view| (whole.id, without_amounts_of_others(view))));
        }
        if !found.is_empty() {
            return Ok(found);
        }
    }
}

/// What other members let it see of their amounts stays where they can take that back, and where each reading is told.
fn without_amounts_of_others(mut view: Consortium) -> Consortium {
    let reader = view.seen_as;
    for other in view.members.iter_mut().filter(|other| other.organisation != reader) {
        other.salt = None;
        other.parts.iter_mut().flatten().for_each(|part| part.amount_cents = None);
    }
    view
}
