//! Where routes are added: only those that have a policy.

use actix_web::dev::HttpServiceFactory;
use utoipa_actix_web::OpenApiFactory;
use utoipa_actix_web::service_config::ServiceConfig;

use super::policy::Governed;

/// Takes the routes of one resource.
pub struct Routes<'a, 'c>(&'a mut ServiceConfig<'c>);

impl<'a, 'c> Routes<'a, 'c> {
    /// Adds routes to a configuration.
    pub fn new(config: &'a mut ServiceConfig<'c>) -> Self {
        Self(config)
    }

    /// Adds a route. One without a line in the table of policies does not compile.
    pub fn service(&mut self, route: impl Governed + HttpServiceFactory + OpenApiFactory + 'static) -> &mut Self {
        self.0.service(route);
        self
    }
}
