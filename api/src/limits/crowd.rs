//! Requests that are looked after at once: beyond a number, a request is refused before anything is done for it, so that those inside are
//! answered in time and memory stays bounded.
//!
//! A place is held while the service works, not while it waits: for a body that arrives slowly, or for a run that takes its time.

use std::sync::Arc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _, HttpRequest};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::app::App;
use crate::edge;
use crate::problem::Problem;

/// Whoever asks whether the service is well is answered even then: it would be restarted otherwise, at the worst moment.
const ALWAYS: [&str; 3] = ["/healthz", "/health/live", "/health/ready"];
/// Seconds after which a place is likely to be free.
const WAIT: u64 = 1;

/// The places, if their number is limited.
#[derive(Default)]
pub(crate) struct Crowd(Option<Arc<Semaphore>>);

/// A place, given back when it is dropped: with the request, or before.
struct Place {
    _permit: OwnedSemaphorePermit,
}

impl Crowd {
    /// So many places; without limit where that is 0.
    pub(super) fn new(places: u32) -> Self {
        let places = usize::try_from(places).unwrap_or(Semaphore::MAX_PERMITS);
        Self((places > 0).then(|| Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)))))
    }

    fn place(&self) -> Result<Option<Place>, Problem> {
        let Some(places) = &self.0 else { return Ok(None) };
        let permit = Arc::clone(places).try_acquire_owned().map_err(|_| Problem::unavailable(WAIT))?;
        Ok(Some(Place { _permit: permit }))
    }
}

/// Middleware: gives a request a place, or refuses it. The refusal is an answer, so that outer middlewares see it.
///
/// # Errors
/// Those of the service it wraps.
pub(crate) async fn admit(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if !ALWAYS.contains(&request.path())
        && let Err(problem) = enter(request.request())
    {
        return Ok(edge::refuse_unread(request, &problem));
    }
    let response = next.call(request).await?.map_into_boxed_body();
    // What is left to do is to send: a stream may last for hours.
    leave(response.request());
    Ok(response)
}

/// Gives the place of a request to others.
pub(crate) fn leave(request: &HttpRequest) {
    drop(request.extensions_mut().remove::<Place>());
}

/// Takes a place for a request that has none.
///
/// # Errors
/// 503 where there is none left; nothing was done then.
pub(crate) fn enter(request: &HttpRequest) -> Result<(), Problem> {
    let app = request.app_data::<Data<App>>().ok_or_else(|| Problem::internal("there is nobody to look after it"))?;
    if let Some(place) = app.limits.crowd().place()? {
        request.extensions_mut().insert(place);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use actix_web::ResponseError as _;

    use super::*;

    #[test]
    fn places_are_given_until_there_is_none_and_again_when_one_is_left() {
        let crowd = Crowd::new(2);
        let (first, second) = (crowd.place().unwrap(), crowd.place().unwrap());
        assert!(first.is_some() && second.is_some());
        let refused = crowd.place().err().unwrap().error_response();
        assert_eq!(refused.status().as_u16(), 503);
        assert_eq!(refused.headers().get("retry-after").unwrap(), "1");
        drop(first);
        assert!(crowd.place().unwrap().is_some());
        assert!(Crowd::new(0).place().unwrap().is_none());
    }
}
