//! People who have signed in.

use serde_json::json;

use super::app::Client;

/// A person with the client of their session.
pub struct Person {
    pub id: String,
    pub client: Client,
}

/// An account of somebody, `name@example.org`, who has signed in.
pub async fn join(client: &Client, name: &str) -> Person {
    sign_up(client, name, &format!("{}@example.org", name.to_lowercase())).await
}

/// An account under an address, whose owner has signed in.
pub async fn sign_up(client: &Client, name: &str, email: &str) -> Person {
    let nobody = client.anonymous();
    let password = "une phrase assez longue";
    nobody.post("/v1/people", json!({ "email": email, "name": name, "password": password })).await.expect(202);
    let session = nobody.post("/v1/sessions", json!({ "email": email, "password": password })).await.expect(201);
    let client = client.with_cookie(session.header("set-cookie"));
    let me = client.get("/v1/me").await.expect(200);
    Person { id: me["person"]["id"].as_str().expect("an id").to_owned(), client }
}
