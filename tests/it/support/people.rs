//! People who have signed in.

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TryGetable, Value as Bound};
use serde_json::{Value, json};

use super::app::Client;
use super::service::App;

pub const PASSWORD: &str = "correct horse battery staple";

/// Makes an account.
pub async fn register(client: &Client, email: &str) {
    let body = json!({ "email": email, "name": "Camille", "password": PASSWORD });
    client.anonymous().post("/v1/people", body).await.expect(202);
}

/// Signs in; gives the client of that session.
pub async fn sign_in(client: &Client, email: &str, password: &str) -> Client {
    let answer = client.anonymous().post("/v1/sessions", json!({ "email": email, "password": password })).await;
    client.with_cookie(answer.expect(201).header("set-cookie"))
}

/// Somebody with an account, who has signed in.
pub async fn person(client: &Client, email: &str) -> Client {
    register(client, email).await;
    sign_in(client, email, PASSWORD).await
}

/// Who somebody is.
pub async fn id(client: &Client) -> String {
    client.get("/v1/me").await.expect(200)["person"]["id"].as_str().expect("an id").to_owned()
}

/// An organisation of somebody's own, by id.
pub async fn founded(owner: &Client, name: &str) -> String {
    let answer = owner.post("/v1/organisations", json!({ "name": name })).await.expect(201);
    answer["id"].as_str().expect("an id").to_owned()
}

/// Lets somebody into an organisation, by an owner's invitation.
pub async fn let_in(owner: &Client, organisation: &str, somebody: &Client, role: &str) {
    let invited = invite(owner, organisation, role).await;
    somebody.post("/v1/invitations/accept", json!({ "secret": invited["secret"] })).await.expect(200);
}

/// An invitation with its secret.
pub async fn invite(owner: &Client, organisation: &str, role: &str) -> Value {
    owner.post(&format!("/v1/organisations/{organisation}/invitations"), json!({ "role": role })).await.expect(201).body
}

/// Changes the database behind the service's back: what time would do, for instance.
pub async fn execute(app: &App, sql: &str, values: impl IntoIterator<Item = Bound>) {
    let db = app.database.connect().await;
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    assert!(db.execute_raw(statement).await.unwrap().rows_affected() > 0, "{sql}: no row");
}

/// Reads a value behind the service's back.
pub async fn scalar<T: TryGetable>(app: &App, sql: &str) -> T {
    read(&app.database.connect().await, sql).await
}

/// Reads a value over a connection.
pub async fn read<T: TryGetable>(db: &DatabaseConnection, sql: &str) -> T {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    db.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}
