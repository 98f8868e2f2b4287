//! Searching the directory: what a list of organisations may be narrowed by, and its orders.
//!
//! Only public fields are searched (P0), so that nobody finds by a filter what they may not read. Each filter is a part of one query;
//! codes stand for their trees, in the directions in which calls are matched.

use chrono::NaiveDate;
use sea_orm::sea_query::{
    CommonTableExpression, Expr, ExprTrait as _, Query, SelectStatement, SimpleExpr, UnionType, WithClause,
};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::LegalFamily;
use super::entity::{Column, Entity, credential, identifier};
use crate::capabilities::entity as capability;
use crate::problem::{Fault, Problem};
use crate::vocabularies::Vocabulary;

/// What a list of organisations may be narrowed by; all of it at once.
#[derive(Default)]
pub struct Filter {
    /// Words of the folded name or of folded aliases.
    pub name: Option<String>,
    /// Number given by a register.
    pub identifier: Option<String>,
    /// Legal family.
    pub legal_family: Option<LegalFamily>,
    /// Holder of this certificate, valid on that day.
    pub credential: Option<(String, NaiveDate)>,
    /// With one capability that offers all of this.
    pub offer: Offered,
}

/// What one capability must offer.
#[derive(Default)]
pub struct Offered {
    /// This service or a finer one.
    pub service: Option<String>,
    /// To this public, a part of it, or a wider one.
    pub public: Option<String>,
    /// In this territory, a part of it, or a wider one.
    pub territory: Option<String>,
    /// In this form, or in any.
    pub modality: Option<String>,
    /// Not ended before this day.
    pub on: NaiveDate,
}

/// The order of a list of organisations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrganisationSort)]
pub enum Sort {
    /// As they were registered.
    #[default]
    Oldest,
    /// By name, case and accents aside.
    Name,
}

/// Where a list goes on, in its order.
pub enum Order {
    /// After this id.
    Oldest(Option<Uuid>),
    /// After this name and id.
    Name(Option<(String, Uuid)>),
}

impl Order {
    /// Reads the position that a cursor holds.
    ///
    /// # Errors
    /// Only for a cursor of another list, which authentication already refuses.
    pub fn of(sort: Sort, after: Option<&str>) -> Result<Self, Problem> {
        let refuse = || Problem::malformed(vec![Fault::parameter("cursor", "not of this list")]);
        let id = |text: &str| text.parse::<Uuid>().map_err(|_| refuse());
        Ok(match (sort, after) {
            (Sort::Oldest, after) => Self::Oldest(after.map(id).transpose()?),
            (Sort::Name, None) => Self::Name(None),
            (Sort::Name, Some(after)) => {
                let (own, name) = after.split_once(' ').ok_or_else(refuse)?;
                Self::Name(Some((name.to_owned(), id(own)?)))
            }
        })
    }

    /// The position of an organisation, for a cursor.
    #[must_use]
    pub fn position(sort: Sort, id: Uuid, folded_name: &str) -> String {
        match sort {
            Sort::Oldest => id.to_string(),
            Sort::Name => format!("{id} {folded_name}"),
        }
    }

    /// The rows that follow, in order.
    pub fn apply(&self, rows: Select<Entity>) -> Select<Entity> {
        match self {
            Self::Oldest(after) => {
                let rows = rows.order_by_asc(Column::Id);
                if let Some(after) = after { rows.filter(Column::Id.gt(*after)) } else { rows }
            }
            Self::Name(after) => {
                let rows = rows.order_by_asc(Column::SortName).order_by_asc(Column::Id);
                let Some((name, id)) = after else { return rows };
                let same = Condition::all().add(Column::SortName.eq(name)).add(Column::Id.gt(*id));
                rows.filter(Condition::any().add(Column::SortName.gt(name)).add(same))
            }
        }
    }
}

/// The organisations that a filter leaves.
pub fn matching(filter: &Filter) -> Condition {
    let Filter { name, identifier, legal_family, credential, offer } = filter;
    let mut all = Condition::all();
    for word in name.iter().flat_map(|name| name.split(' ')) {
        all = all.add(Column::SearchName.contains(word));
    }
    if let Some(family) = legal_family {
        all = all.add(Column::LegalFamily.eq(*family));
    }
    if let Some(number) = identifier {
        let owners = identifier::Entity::find()
            .select_only()
            .column(identifier::Column::OrganisationId)
            .filter(identifier::Column::Value.eq(number));
        all = all.add(Column::Id.in_subquery(owners.into_query()));
    }
    if let Some((code, day)) = credential {
        let holders = credential::Entity::find()
            .select_only()
            .column(credential::Column::OrganisationId)
            .filter(credential::Column::Code.eq(code))
            .filter(credential::Column::ValidFrom.is_null().or(credential::Column::ValidFrom.lte(*day)))
            .filter(credential::Column::ValidTo.is_null().or(credential::Column::ValidTo.gte(*day)));
        all = all.add(Column::Id.in_subquery(holders.into_query()));
    }
    if let Some(able) = offer.organisations() {
        all = all.add(Column::Id.in_subquery(able));
    }
    all
}

impl Offered {
    /// The organisations with such a capability; `None` where nothing is asked.
    fn organisations(&self) -> Option<SelectStatement> {
        let Self { service, public, territory, modality, on } = self;
        let asked = [service, public, territory, modality];
        asked.iter().any(|code| code.is_some()).then(|| {
            let mut offers = capability::Entity::find()
                .select_only()
                .column(capability::Column::OrganisationId)
                .filter(capability::Column::ValidTo.is_null().or(capability::Column::ValidTo.gte(*on)));
            if let Some(code) = service {
                let finer = below(&TERMS, &Vocabulary::Services.key(code));
                offers = offers.filter(has(capability::term::Column::TermId.in_subquery(finer)));
            }
            if let Some(code) = public {
                let key = Vocabulary::Publics.key(code);
                let known = Expr::exists(below(&TERMS, &key));
                let open = Condition::all().add(known).add(lists_no(Vocabulary::Publics));
                let theirs = has(related(capability::term::Column::TermId, &TERMS, &key));
                offers = offers.filter(Condition::any().add(theirs).add(open));
            }
            if let Some(code) = modality {
                let key = Vocabulary::Modalities.key(code);
                let known = Expr::exists(below(&TERMS, &key));
                let open = Condition::all().add(known).add(lists_no(Vocabulary::Modalities));
                let theirs = has(capability::term::Column::TermId.eq(key));
                offers = offers.filter(Condition::any().add(theirs).add(open));
            }
            if let Some(code) = territory {
                let there = capability::territory::Entity::find()
                    .select_only()
                    .column(capability::territory::Column::CapabilityId)
                    .filter(related(capability::territory::Column::TerritoryCode, &TERRITORIES, code));
                offers = offers.filter(capability::Column::Id.in_subquery(there.into_query()));
            }
            offers.into_query()
        })
    }
}

/// Capabilities with a term like this.
fn has(term: SimpleExpr) -> SimpleExpr {
    let with =
        capability::term::Entity::find().select_only().column(capability::term::Column::CapabilityId).filter(term);
    capability::Column::Id.in_subquery(with.into_query())
}

/// Capabilities that name no term of a vocabulary, and so are for all of it.
fn lists_no(vocabulary: Vocabulary) -> SimpleExpr {
    let some = capability::term::Entity::find()
        .select_only()
        .column(capability::term::Column::CapabilityId)
        .filter(capability::term::Column::TermId.starts_with(vocabulary.key("")));
    capability::Column::Id.not_in_subquery(some.into_query())
}

/// A tree in a table.
struct Tree {
    table: &'static str,
    key: &'static str,
    parent: &'static str,
}

const TERMS: Tree = Tree { table: "term", key: "id", parent: "parent_id" };
const TERRITORIES: Tree = Tree { table: "territory", key: "code", parent: "parent_code" };

/// Whether a column names a node, one below it or one above it.
fn related(column: impl ColumnTrait, tree: &Tree, node: &str) -> SimpleExpr {
    column.in_subquery(below(tree, node)).or(column.in_subquery(above(tree, node)))
}

/// A node and all below it; nothing where there is no such node.
fn below(tree: &Tree, node: &str) -> SelectStatement {
    lineage(tree, node, (tree.parent, "node"))
}

/// A node and all above it; nothing where there is no such node.
fn above(tree: &Tree, node: &str) -> SelectStatement {
    lineage(tree, node, (tree.key, "parent"))
}

/// From a node on, step by step, the nodes whose column is the column of one before.
fn lineage(tree: &Tree, node: &str, (own, before): (&'static str, &'static str)) -> SelectStatement {
    let columns = [(tree.table, tree.key), (tree.table, tree.parent)];
    let next = Query::select()
        .columns(columns)
        .from(tree.table)
        .inner_join("lineage", Expr::col((tree.table, own)).equals(("lineage", before)))
        .take();
    let all = Query::select()
        .columns(columns)
        .from(tree.table)
        .and_where(Expr::col((tree.table, tree.key)).eq(node))
        // Not `All`: even a tree that had become a circle would come to an end.
        .union(UnionType::Distinct, next)
        .take();
    let table = CommonTableExpression::new().table_name("lineage").columns(["node", "parent"]).query(all).to_owned();
    let clause = WithClause::new().recursive(true).cte(table).to_owned();
    Query::select().column("node").from("lineage").with_cte(clause).take()
}
