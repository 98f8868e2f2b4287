//! One database of its own per test, on either engine, copied from a template that is filled once per process.

use std::pin::Pin;

use attelage_migrations::{Migrator, MigratorTrait};
use sea_orm::{DatabaseConnection, DbErr};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use super::postgres::{self, PostgresDatabase};

const SQLITE_FILE: &str = "attelage.sqlite";

/// The engines that the service supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
}

/// Fills an empty database: the migrations, for instance.
pub type Fill = for<'a> fn(&'a DatabaseConnection) -> Pin<Box<dyn Future<Output = Result<(), DbErr>> + Send + 'a>>;

/// The schema of the service, and not a row.
pub static MIGRATED: Template = Template::new(|db| Box::pin(Migrator::up(db, None)));

/// What databases start from. Meant for a `static`: the first test that needs it fills it, once per engine.
pub struct Template {
    fill: Fill,
    /// The content of the database file.
    sqlite: OnceCell<Vec<u8>>,
    /// The name of the database to copy.
    postgres: OnceCell<String>,
}

/// The database of one test. It goes when this value does, whoever is still connected.
pub enum TestDatabase {
    /// A file in a folder of its own.
    Sqlite(TempDir),
    /// A database of the server that all tests share.
    Postgres(PostgresDatabase),
}

impl Template {
    /// A template that `fill` fills when a test needs it.
    pub const fn new(fill: Fill) -> Self {
        Self { fill, sqlite: OnceCell::const_new(), postgres: OnceCell::const_new() }
    }

    /// Creates a database with the template's content: about 1 ms on SQLite, 30 ms on PostgreSQL.
    pub async fn database(&self, engine: Engine) -> TestDatabase {
        match engine {
            Engine::Sqlite => {
                let content = self.sqlite.get_or_init(|| self.sqlite_content()).await;
                let folder = TempDir::new().expect("a temporary folder");
                std::fs::write(folder.path().join(SQLITE_FILE), content).expect("a database file");
                TestDatabase::Sqlite(folder)
            }
            Engine::Postgres if postgres::is_ours() => {
                let name = self.postgres.get_or_init(|| self.postgres_name()).await;
                TestDatabase::Postgres(PostgresDatabase::copy_of(name).await)
            }
            // A template would stay behind on a server that outlives the tests.
            Engine::Postgres => self.filled(TestDatabase::empty(engine).await).await,
        }
    }

    async fn filled(&self, database: TestDatabase) -> TestDatabase {
        let db = database.connect().await;
        (self.fill)(&db).await.expect("the template fills an empty database");
        db.close().await.expect("the connections close");
        database
    }

    async fn sqlite_content(&self) -> Vec<u8> {
        match self.filled(TestDatabase::empty(Engine::Sqlite).await).await {
            TestDatabase::Sqlite(folder) => std::fs::read(folder.path().join(SQLITE_FILE)).expect("a database file"),
            TestDatabase::Postgres(_) => unreachable!("asked for SQLite"),
        }
    }

    async fn postgres_name(&self) -> String {
        match self.filled(TestDatabase::empty(Engine::Postgres).await).await {
            TestDatabase::Postgres(database) => database.keep(),
            TestDatabase::Sqlite(_) => unreachable!("asked for PostgreSQL"),
        }
    }
}

impl TestDatabase {
    /// Creates a database without a table.
    pub async fn empty(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::Sqlite(TempDir::new().expect("a temporary folder")),
            Engine::Postgres => Self::Postgres(PostgresDatabase::empty().await),
        }
    }

    /// Where to connect. On SQLite the file is created by the first connection.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite://{}?mode=rwc", folder.path().join(SQLITE_FILE).display()),
            Self::Postgres(database) => database.url(),
        }
    }

    /// Opens a small pool, beside those of the service.
    pub async fn connect(&self) -> DatabaseConnection {
        postgres::connect(&self.url()).await.expect("the database of the test answers")
    }
}

mod tests {
    use sea_orm::{ConnectionTrait, TryGetable};

    use super::*;
    use crate::support::on_both_engines;

    static ONE_ACTOR: Template = Template::new(|db| {
        Box::pin(async move {
            db.execute_unprepared("CREATE TABLE actor (name TEXT PRIMARY KEY)").await?;
            db.execute_unprepared("INSERT INTO actor VALUES ('Weefund')").await?;
            Ok(())
        })
    });

    async fn scalar<T: TryGetable>(db: &DatabaseConnection, sql: &str) -> T {
        let statement = sea_orm::Statement::from_string(db.get_database_backend(), sql);
        db.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
    }

    on_both_engines! {
        async fn a_database_of_a_test_answers(engine) {
            let database = TestDatabase::empty(engine).await;
            assert_eq!(scalar::<i32>(&database.connect().await, "SELECT 1").await, 1);
        }

        async fn copies_of_a_template_start_alike_and_stay_apart(engine) {
            let (one, other) = (ONE_ACTOR.database(engine).await, ONE_ACTOR.database(engine).await);
            let (one, other) = (one.connect().await, other.connect().await);
            one.execute_unprepared("INSERT INTO actor VALUES ('Emmaüs Connect')").await.unwrap();
            assert_eq!(scalar::<i64>(&one, "SELECT COUNT(*) FROM actor").await, 2);
            assert_eq!(scalar::<i64>(&other, "SELECT COUNT(*) FROM actor").await, 1);
        }
    }

    #[actix_web::test]
    async fn a_postgres_database_goes_with_its_test_even_while_connected() {
        let watcher = TestDatabase::empty(Engine::Postgres).await;
        let watcher_db = watcher.connect().await;
        let short_lived = TestDatabase::empty(Engine::Postgres).await;
        let db = short_lived.connect().await;
        let name: String = scalar(&db, "SELECT current_database()::text").await;
        let count = format!("SELECT COUNT(*) FROM pg_database WHERE datname = '{name}'");
        assert_eq!(scalar::<i64>(&watcher_db, &count).await, 1);
        drop(short_lived);
        assert_eq!(scalar::<i64>(&watcher_db, &count).await, 0);
    }
}
