//! Whoever sends a request, and the rights that this gives.

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Ready, ready};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use sea_orm::sea_query::{Expr, ExprTrait as _, SimpleExpr};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use uuid::Uuid;

use super::{Role, Scope, Scopes};
use crate::audit::Shown;
use crate::database::writer::End;
use crate::identity::entity::membership;
use crate::organisations;
use crate::problem::{Fault, Kind, Problem};
use crate::visibility::Class;

/// What somebody has shown to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Principal {
    /// No credential.
    Nobody,
    /// A person who has signed in.
    Person {
        /// Who.
        person: Uuid,
        /// In which session.
        session: Uuid,
    },
    /// A key, of an organisation or of the platform.
    Key(Uuid),
    /// The command line, on the machine of the service.
    Installation,
}

/// Whoever sends a request: what they have shown to be, and what that gives. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Caller(Arc<Rights>, Arc<Asking>);

#[derive(Debug)]
struct Rights {
    principal: Principal,
    memberships: BTreeMap<Uuid, Role>,
    administrator: bool,
    scopes: Scopes,
}

/// What is asked, and what is shown for it.
#[derive(Debug, Default)]
struct Asking {
    operation: &'static str,
    shown: Mutex<Vec<Shown>>,
    looked: Mutex<Vec<End>>,
}

impl Caller {
    /// Nobody in particular.
    #[must_use]
    pub fn nobody() -> Self {
        Self::new(Principal::Nobody, BTreeMap::new(), false, Scopes(Vec::new()))
    }

    /// The command line: has the rights of an administrator.
    #[must_use]
    pub fn installation() -> Self {
        Self::new(Principal::Installation, BTreeMap::new(), true, Scopes::all())
    }

    /// Whoever has shown to be `principal`.
    #[must_use]
    pub fn new(principal: Principal, memberships: BTreeMap<Uuid, Role>, administrator: bool, scopes: Scopes) -> Self {
        Self(Arc::new(Rights { principal, memberships, administrator, scopes }), Arc::default())
    }

    /// The same, who has not asked for anything yet.
    #[must_use]
    pub fn afresh(&self) -> Self {
        Self(Arc::clone(&self.0), Arc::default())
    }

    /// The same, asking for an operation.
    #[must_use]
    pub fn asking(self, operation: &'static str) -> Self {
        Self(self.0, Arc::new(Asking { operation, ..Asking::default() }))
    }

    /// The id of the operation that they ask for; empty where nobody said.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.1.operation
    }

    /// Notes that the answer shows them something sealed (P3, P4), of an organisation or of the platform. The answer waits until that
    /// is in the audit log.
    pub fn saw(&self, kind: &str, id: impl std::fmt::Display, organisation: Option<Uuid>) {
        let shown = Shown { kind: kind.to_owned(), id: id.to_string(), organisation };
        self.1.shown.lock().unwrap_or_else(PoisonError::into_inner).push(shown);
    }

    /// What was noted until now.
    #[must_use]
    pub fn take_shown(&self) -> Vec<Shown> {
        std::mem::take(&mut self.1.shown.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes that they have seen what others write at this moment. The answer waits until that is durable.
    pub(crate) fn looked(&self, end: End) {
        self.1.looked.lock().unwrap_or_else(PoisonError::into_inner).push(end);
    }

    /// What was noted of that until now.
    pub(crate) fn take_looked(&self) -> Vec<End> {
        std::mem::take(&mut self.1.looked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What they have shown to be.
    #[must_use]
    pub fn principal(&self) -> Principal {
        self.0.principal
    }

    /// One word for logs, for the audit and as the owner of idempotency keys; empty for nobody. Says nothing of a person.
    #[must_use]
    pub fn name(&self) -> String {
        match self.0.principal {
            Principal::Nobody => String::new(),
            Principal::Person { person, .. } => format!("person:{person}"),
            Principal::Key(key) => format!("key:{key}"),
            Principal::Installation => "installation".to_owned(),
        }
    }

    /// Whether they are an administrator of the platform, in person or by a key.
    #[must_use]
    pub fn is_administrator(&self) -> bool {
        self.0.administrator
    }

    /// Whether they belong to an organisation, or run the platform.
    #[must_use]
    pub fn is_registered(&self) -> bool {
        self.0.administrator || !self.0.memberships.is_empty()
    }

    /// Whether they may use a scope.
    #[must_use]
    pub fn holds(&self, scope: Scope) -> bool {
        self.0.scopes.hold(scope)
    }

    /// Their organisations, with their role in each.
    #[must_use]
    pub fn memberships(&self) -> &BTreeMap<Uuid, Role> {
        &self.0.memberships
    }

    /// The person who has signed in.
    ///
    /// # Errors
    /// A key, which is no person.
    pub fn person(&self) -> Result<Uuid, Problem> {
        match self.0.principal {
            Principal::Person { person, .. } => Ok(person),
            _ => Err(Problem::new(Kind::Forbidden).because("only a person who has signed in can do this")),
        }
    }

    /// Whether they have at least this role in an organisation. An organisation without members is in the care of the platform's
    /// administrators, who lose it with the first member. No query for members, one for administrators.
    ///
    /// # Errors
    /// The database's.
    pub async fn may(&self, db: &impl ConnectionTrait, organisation: Uuid, role: Role) -> Result<bool, DbErr> {
        if self.0.memberships.get(&organisation).is_some_and(|own| *own >= role) {
            return Ok(true);
        }
        Ok(self.0.administrator && !is_claimed(db, organisation).await?)
    }

    /// As [`Caller::may`].
    ///
    /// # Errors
    /// 403 where they may not.
    pub async fn require(&self, db: &impl ConnectionTrait, organisation: Uuid, role: Role) -> Result<(), Problem> {
        if self.may(db, organisation, role).await? {
            return Ok(());
        }
        let detail =
            format!("only the organisation it belongs to can do this, in the role of {} or higher", role.name());
        Err(Problem::new(Kind::Forbidden).because(detail))
    }

    /// As [`Caller::require`], of what is inside an organisation: for others it is as if nothing were there.
    ///
    /// # Errors
    /// 404 for those who do not belong to it, 403 for those whose role is too low.
    pub async fn require_inside(
        &self,
        db: &impl ConnectionTrait,
        organisation: Uuid,
        role: Role,
    ) -> Result<(), Problem> {
        if self.0.memberships.contains_key(&organisation) {
            return self.require(db, organisation, role).await;
        }
        let cares = self.0.administrator
            && organisations::store::exists(db, organisation).await?
            && !is_claimed(db, organisation).await?;
        if cares { Ok(()) } else { Err(Problem::not_found()) }
    }

    /// A fault at `pointer` where a body names an organisation that they may not write for. It does not tell whether there is one.
    ///
    /// # Errors
    /// The database's.
    pub async fn fault_of_owner(
        &self,
        db: &impl ConnectionTrait,
        pointer: &str,
        organisation: Uuid,
    ) -> Result<Option<Fault>, DbErr> {
        let may = self.may(db, organisation, Role::Editor).await?;
        Ok((!may).then(|| Fault::at(pointer, "this is not an organisation that you may write for")))
    }

    /// Which of some organisations they belong to or care for: those whose data they read in full. At most one query.
    ///
    /// # Errors
    /// The database's.
    pub async fn own_among(
        &self,
        db: &impl ConnectionTrait,
        organisations: impl IntoIterator<Item = Uuid>,
    ) -> Result<BTreeSet<Uuid>, DbErr> {
        if !self.holds(Scope::Read) {
            return Ok(BTreeSet::new());
        }
        let (mut own, others): (BTreeSet<Uuid>, BTreeSet<Uuid>) =
            organisations.into_iter().partition(|id| self.0.memberships.contains_key(id));
        if self.0.administrator && !others.is_empty() {
            let claimed = membership::Entity::find()
                .select_only()
                .column(membership::Column::OrganisationId)
                .distinct()
                .filter(membership::Column::OrganisationId.is_in(others.iter().copied()));
            let claimed: Vec<Uuid> = claimed.into_tuple().all(db).await?;
            own.extend(others.into_iter().filter(|id| !claimed.contains(id)));
        }
        Ok(own)
    }

    /// The rows that belong to an organisation of theirs, by the column that names it: for scoped selects.
    pub fn owns(&self, organisation: impl ColumnTrait) -> Condition {
        if !self.holds(Scope::Read) {
            return Condition::any().add(never());
        }
        let mine: Vec<Uuid> = self.0.memberships.keys().copied().collect();
        let own = if mine.is_empty() { never() } else { organisation.is_in(mine) };
        let own = Condition::any().add(own);
        if !self.0.administrator {
            return own;
        }
        let claimed = membership::Entity::find().select_only().column(membership::Column::OrganisationId).into_query();
        own.add(organisation.not_in_subquery(claimed))
    }

    /// In whose name something is asked: the organisation that is named, or the only one they have; none for the platform.
    ///
    /// # Errors
    /// 422 at `pointer` where they have several and name none, or name one that is not theirs in this role.
    pub async fn acting(
        &self,
        db: &impl ConnectionTrait,
        pointer: &str,
        named: Option<Uuid>,
        role: Role,
    ) -> Result<Option<Uuid>, Problem> {
        let refuse = |detail: &str| Problem::invalid(vec![Fault::at(pointer, detail)]);
        if let Some(named) = named {
            let may = self.may(db, named, role).await?;
            return if may { Ok(Some(named)) } else { Err(refuse("this is not an organisation that you may act for")) };
        }
        let mut able = self.0.memberships.iter().filter(|(_, own)| **own >= role);
        match (able.next(), able.next()) {
            (Some((only, _)), None) if !self.0.administrator => Ok(Some(*only)),
            _ if self.0.administrator => Ok(None),
            _ => Err(refuse("you belong to several organisations: say in whose name you ask")),
        }
    }

    /// What they may read of something that is theirs, or is not.
    #[must_use]
    pub fn clearance(&self, own: bool) -> Class {
        if !self.holds(Scope::Read) {
            Class::Public
        } else if own {
            Class::Owner
        } else if self.is_registered() {
            Class::Registered
        } else {
            Class::Public
        }
    }
}

/// A condition that nothing meets.
fn never() -> SimpleExpr {
    Expr::value(1).eq(0)
}

/// Whether an organisation has a member. One query.
///
/// # Errors
/// The database's.
pub async fn is_claimed(db: &impl ConnectionTrait, organisation: Uuid) -> Result<bool, DbErr> {
    let first = membership::Entity::find().filter(membership::Column::OrganisationId.eq(organisation)).one(db).await?;
    Ok(first.is_some())
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        ready(caller.ok_or_else(|| Problem::internal("a route that is not guarded")))
    }
}
