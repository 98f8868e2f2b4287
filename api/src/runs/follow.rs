//! Waiting for a run, and following it as server-sent events.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use futures_util::stream::{self, Stream};
use uuid::Uuid;

use super::wake::Ear;
use super::{Run, store};
use crate::access::guard::Pass;
use crate::app::App;
use crate::problem::{Kind, Problem};

/// How often somebody who waits looks for what nobody has told them.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long a stream may be silent: proxies close those that are.
const LONGEST_SILENCE: Duration = Duration::from_secs(15);
/// How often it is looked whether whoever follows still may.
const CHECK_AGAIN: Duration = Duration::from_secs(2);
/// Runs that one caller may follow at once, in one process.
const MOST_STREAMS: usize = 8;

/// The run, when it is over or when `patience` is; sooner where the process is about to end.
///
/// # Errors
/// No such run.
pub async fn wait(app: &App, id: Uuid, patience: Duration) -> Result<Run, Problem> {
    let until = Instant::now() + patience;
    let mut ear = app.wake.listen();
    loop {
        let row = store::find(&app.db, id).await?.ok_or_else(Problem::not_found)?;
        let left = until.saturating_duration_since(Instant::now());
        // A process that is about to end keeps nobody: they look again, elsewhere.
        if row.state.is_over() || left.is_zero() || app.readiness.ends() {
            return store::views(&app.db, vec![row]).await?.pop().ok_or_else(Problem::not_found);
        }
        tokio::select! {
            () = ear.changed(id) => {}
            () = tokio::time::sleep(left.min(LOOK_AGAIN)) => {}
        }
    }
}

/// How many runs are followed in this process, by caller. Cheap to clone.
#[derive(Clone, Default)]
pub struct Followers(Arc<Mutex<HashMap<String, usize>>>);

impl Followers {
    /// A place for one more stream of a caller.
    ///
    /// # Errors
    /// 429 where they have all that they may.
    pub fn enter(&self, caller: &str) -> Result<Place, Problem> {
        let mut followers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = followers.entry(caller.to_owned()).or_default();
        if *count >= MOST_STREAMS {
            let detail = format!("you follow {MOST_STREAMS} runs already: close one first");
            return Err(Problem::new(Kind::TooManyRequests).because(detail));
        }
        *count += 1;
        Ok(Place { followers: self.clone(), caller: caller.to_owned() })
    }
}

/// A place that is given back when it is dropped.
pub struct Place {
    followers: Followers,
    caller: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut followers = self.followers.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = followers.get_mut(&self.caller) {
            *count -= 1;
            if *count == 0 {
                followers.remove(&self.caller);
            }
        }
    }
}

/// Somebody who follows a run.
struct Follower {
    app: App,
    pass: Pass,
    ear: Ear,
    run: Uuid,
    /// What was said last.
    said: Option<String>,
    spoke: Instant,
    checked: Instant,
    over: bool,
    _place: Place,
}

/// The events of a run: each time it changes, the whole of it; a comment now and then; at the end its last state, and the end. It ends
/// early where the caller may no longer see it.
pub fn events(app: App, pass: Pass, run: Uuid, place: Place) -> impl Stream<Item = Result<Bytes, Problem>> {
    let now = Instant::now();
    let ear = app.wake.listen();
    let follower = Follower { app, pass, ear, run, said: None, spoke: now, checked: now, over: false, _place: place };
    stream::unfold(follower, async |mut follower| {
        let event = follower.next().await.transpose()?;
        Some((event, follower))
    })
}

impl Follower {
    /// The next event, as soon as there is one; none after the last.
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            if self.over || (self.said.is_some() && self.app.readiness.ends()) {
                return Ok(None);
            }
            if self.said.is_some() {
                tokio::select! {
                    () = self.ear.changed(self.run) => {}
                    () = tokio::time::sleep(LOOK_AGAIN) => {}
                }
            }
            if self.checked.elapsed() >= CHECK_AGAIN || self.said.is_none() {
                self.checked = Instant::now();
                if !self.may().await? {
                    return Ok(None);
                }
            }
            let Some(row) = store::find(&self.app.db, self.run).await? else { return Ok(None) };
            let Some(run) = store::views(&self.app.db, vec![row]).await?.pop() else { return Ok(None) };
            let data = serde_json::to_string(&run).map_err(Problem::internal)?;
            self.over = run.state.is_over();
            if self.said.as_ref() != Some(&data) {
                let event = format!("event: {}\ndata: {data}\n\n", if self.over { "end" } else { "run" });
                (self.said, self.spoke) = (Some(data), Instant::now());
                return Ok(Some(event.into()));
            }
            if self.spoke.elapsed() >= LONGEST_SILENCE {
                self.spoke = Instant::now();
                return Ok(Some(Bytes::from_static(b": still there\n\n")));
            }
        }
    }

    /// Whether the caller may still see the run: their key or session may have ended, or their membership.
    async fn may(&self) -> Result<bool, Problem> {
        let Some(caller) = self.pass.caller(&self.app).await? else { return Ok(false) };
        Ok(store::find_visible(&self.app.db, &caller, self.run).await?.is_some())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_caller_follows_few_runs_at_once_and_others_have_places_of_their_own() {
        let followers = Followers::default();
        let mut places: Vec<Place> = (0..MOST_STREAMS).map(|_| followers.enter("one").unwrap()).collect();
        assert!(followers.enter("one").is_err());
        assert!(followers.enter("other").is_ok());
        places.pop();
        assert!(followers.enter("one").is_ok());
        drop(places);
        assert!(followers.0.lock().unwrap().is_empty(), "nobody is remembered");
    }
}
