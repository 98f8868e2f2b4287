//! Runs as jobs: whoever computes them may be slow, die or be elsewhere, and each still has one answer.

use std::time::{Duration, Instant};

use attelage::server::Setup;
use futures_util::future::join_all;
use reqwest::Method;
use reqwest::header::HeaderMap;
use sea_orm::ConnectionTrait as _;
use serde_json::json;
use uuid::Uuid;

use crate::runs::{patient, run};
use crate::support::app::{Answer, Client};
use crate::support::on_both_engines;
use crate::support::people::{self, scalar};
use crate::support::program::{Program, processes};
use crate::support::receiver::eventually;
use crate::support::sample;
use crate::support::secrets::postpone_run;
use crate::support::service::{App, restarted_with, runs, setup, spawn, spawn_with};
use crate::support::world::{ALL_SCOPES, key};

/// A service that computes nothing itself.
fn idle() -> Setup {
    Setup { runs: attelage::runs::Settings { solvers: 0, ..runs() }, ..setup() }
}

fn with(settings: attelage::runs::Settings) -> Setup {
    Setup { runs: settings, ..setup() }
}

/// Starts a run without waiting for it; each `number` is another question.
async fn start(client: &Client, call: &str, number: u64) -> String {
    let answer = client.post(&format!("/v1/calls/{call}/runs"), json!({ "time_limit_seconds": 10 + number })).await;
    assert!([200, 202].contains(&answer.status), "{answer:?}");
    answer["id"].as_str().unwrap().to_owned()
}

async fn over(client: &Client, id: &str) -> Answer {
    let answer = client.get_with(&format!("/v1/runs/{id}"), patient()).await.expect(200);
    assert!(answer.body.get("finished_at").is_some(), "{:#}", answer.body);
    answer
}

/// Looks until a run is in a state.
async fn until(client: &Client, id: &str, state: &str) -> Answer {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = client.get(&format!("/v1/runs/{id}")).await.expect(200);
        if answer["state"] == state {
            return answer;
        }
        assert!(Instant::now() < end, "it is not {state}: {:#}", answer.body);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn execute(app: &App, sql: &str) -> u64 {
    app.database.connect().await.execute_unprepared(sql).await.unwrap().rows_affected()
}

async fn delete(client: &Client, path: &str) -> Answer {
    client.send_raw(Method::DELETE, path, HeaderMap::new(), "").await
}

on_both_engines! {
    async fn any_process_on_the_database_computes_and_each_run_is_computed_once(engine) {
        let app = spawn_with(engine, idle()).await;
        let call = sample::market(&app).await.call;
        let mut ids = Vec::new();
        for number in 0..12 {
            ids.push(start(&app, &call, number).await);
        }
        assert_eq!(app.get(&format!("/v1/runs/{}", ids[0])).await.expect(200)["state"], "queued");
        let others = [restarted_with(&app, setup()).await, restarted_with(&app, setup()).await];
        for id in &ids {
            // Asked where nothing is computed: the end is heard of all the same.
            let run = over(&app, id).await;
            assert_eq!((&run["state"], &run["result"], &run["attempts"]), (&json!("succeeded"), &json!("optimal"), &json!(1)));
        }
        let ends = "SELECT COUNT(*) FROM audit_entry WHERE action = 'finish_run'";
        assert_eq!(scalar::<i64>(&app, ends).await, 12, "each end is written down once");
        assert_eq!(scalar::<i64>(&app, "SELECT COUNT(*) FROM run_work").await, 0, "what was computed on is forgotten");
        drop(others);
    }

    async fn a_computation_that_is_killed_is_tried_again(engine) {
        let program = Program::new("if [ -e $HERE/once ]; then exec $REAL \"$@\"; fi; : > $HERE/once; kill -9 $$");
        let app = spawn_with(engine, with(program.settings())).await;
        let call = sample::market(&app).await.call;
        let run = run(&app, &call, json!({})).await;
        assert_eq!((&run["attempts"], &run["result"]), (&json!(2), &json!("optimal")));
        assert!(program.has_left("once"));
    }

    async fn what_never_succeeds_is_given_up_and_the_platform_sees_it(engine) {
        let program = Program::new("kill -9 $$");
        let app = spawn_with(engine, with(program.settings())).await;
        let market = sample::market(&app).await;
        let id = start(&app, &market.call, 0).await;
        let failed = over(&app, &id).await;
        assert_eq!((&failed["state"], &failed["attempts"]), (&json!("failed"), &json!(3)));
        assert!(failed["failure"].as_str().unwrap().contains("broke down 3 times"), "{:#}", failed.body);
        let listed = app.get("/v1/runs?state=failed").await.expect(200);
        let [item] = &listed["items"].as_array().unwrap()[..] else { panic!("{:#}", listed.body) };
        assert_eq!((&item["id"], &item["failure"]), (&json!(id), &failed["failure"]));
        assert!(item.get("options").is_none() && item.get("organisation").is_none(), "not who, nor what: {item:#}");
        assert_eq!(app.get("/v1/runs?state=queued").await.expect(200)["items"], json!([]));
    }

    async fn a_computation_without_memory_fails_in_words_and_the_service_goes_on(engine) {
        let app = spawn_with(engine, with(attelage::runs::Settings { memory_mib: 64, ..runs() })).await;
        let call = sample::market(&app).await.call;
        let failed = over(&app, &start(&app, &call, 0).await).await;
        assert_eq!((&failed["state"], &failed["attempts"]), (&json!("failed"), &json!(1)));
        assert!(failed["failure"].as_str().unwrap().contains("64 MiB of memory"), "{:#}", failed.body);
        app.get("/healthz").await.expect(200);
    }

    async fn whoever_has_lost_a_lease_writes_nothing(engine) {
        let program = Program::new(": > $HERE/begun; /bin/sleep 1; exec $REAL \"$@\"");
        let app = spawn_with(engine, with(program.settings())).await;
        let call = sample::market(&app).await.call;
        let id = start(&app, &call, 0).await;
        until(&app, &id, "running").await;
        // Another has taken it, as far as the database knows.
        assert_eq!(execute(&app, "UPDATE run SET fence = fence + 1, worker = 'another'").await, 1);
        tokio::time::sleep(Duration::from_secs(3)).await;
        let run = app.get(&format!("/v1/runs/{id}")).await.expect(200);
        assert_eq!((&run["state"], run.body.get("result"), run.body.get("progress")), (&json!("running"), None, None));
        assert_eq!(scalar::<i64>(&app, "SELECT COUNT(*) FROM proposal").await, 0);
        // When that one's lease ends, it is computed after all.
        execute(&app, "UPDATE run SET lease_until = NULL").await;
        assert_eq!(over(&app, &id).await["attempts"], 2);
    }

    async fn a_service_that_stops_gives_back_what_it_computes(engine) {
        let slow = Program::new(": > $HERE/begun; exec /bin/sleep 71");
        let app = spawn_with(engine, idle()).await;
        let call = sample::market(&app).await.call;
        let stopping = restarted_with(&app, with(slow.settings())).await;
        let id = start(&app, &call, 0).await;
        until(&app, &id, "running").await;
        drop(stopping);
        let back = until(&app, &id, "queued").await;
        assert_eq!(back["attempts"], 0, "that does not count");
        let _other = restarted_with(&app, setup()).await;
        let run = over(&app, &id).await;
        assert_eq!((&run["state"], &run["attempts"]), (&json!("succeeded"), &json!(1)));
    }

    async fn a_run_that_waits_is_cancelled_at_once_and_one_that_is_over_stays_as_it_is(engine) {
        let app = spawn_with(engine, idle()).await;
        let call = sample::market(&app).await.call;
        let id = start(&app, &call, 0).await;
        let cancelled = delete(&app, &format!("/v1/runs/{id}")).await.expect(200);
        assert_eq!((&cancelled["state"], cancelled.body.get("result")), (&json!("cancelled"), None));
        assert_eq!(delete(&app, &format!("/v1/runs/{id}")).await.expect(200).body, cancelled.body);
        assert_eq!(scalar::<i64>(&app, "SELECT COUNT(*) FROM run_work").await, 0);
        app.get(&format!("/v1/runs/{id}/reply")).await.problem(409);
        // Asked again, it is another run: nobody is answered with what was cancelled.
        assert_ne!(start(&app, &call, 0).await, id);
    }

    async fn a_run_that_is_computed_is_cancelled_and_its_process_is_gone(engine) {
        // No other test sleeps as long.
        let asleep = format!("/bin/sleep 72.{}", Uuid::now_v7().as_u128() % 1_000_000_007);
        let program = Program::new(&format!("exec {asleep}"));
        let app = spawn_with(engine, with(program.settings())).await;
        let call = sample::market(&app).await.call;
        let id = start(&app, &call, 0).await;
        until(&app, &id, "running").await;
        assert_eq!(processes(&asleep), 1);
        let asked = Instant::now();
        let cancelled = delete(&app, &format!("/v1/runs/{id}")).await.expect(200);
        assert!(asked.elapsed() < Duration::from_secs(6), "{:?}", asked.elapsed());
        assert_eq!(cancelled["state"], "cancelled");
        assert_eq!(processes(&asleep), 0);
    }

    async fn a_limit_that_a_computation_does_not_keep_is_kept_for_it(engine) {
        let program = Program::new("exec /bin/sleep 73.5");
        let app = spawn_with(engine, with(program.settings())).await;
        let call = sample::market(&app).await.call;
        let begun = Instant::now();
        let listed = run(&app, &call, json!({ "time_limit_seconds": 1 })).await;
        assert!((Duration::from_secs(1)..Duration::from_secs(9)).contains(&begun.elapsed()));
        assert_eq!(listed["result"], "unknown");
        let question = json!({ "time_limit_seconds": 1, "question": { "rules": {} } });
        let failed = app.post_with(&format!("/v1/calls/{call}/runs"), patient(), question).await.expect(200);
        assert_eq!(failed["state"], "failed", "it has nothing to show: {:#}", failed.body);
    }

    async fn equal_questions_of_one_asker_are_computed_once_and_nobody_learns_what_others_ask(engine) {
        let app = spawn(engine).await;
        let market = sample::market(&app).await;
        app.post(&format!("/v1/calls/{}/publish", market.call), json!({})).await.expect(200);
        let workshop = key(&app, &app, &market.workshop, "owner", ALL_SCOPES).await;
        let funder = key(&app, &app, &market.funder, "owner", ALL_SCOPES).await;
        let path = format!("/v1/calls/{}/runs", market.call);
        let at_once = join_all((0..8).map(|_| workshop.post(&path, json!({})))).await;
        let first = &at_once[0];
        for answer in &at_once {
            assert!([200, 202].contains(&answer.status), "{answer:?}");
            assert_eq!((&answer["id"], answer.header("location")), (&first["id"], first.header("location")));
        }
        let id = first["id"].as_str().unwrap();
        over(&workshop, id).await;
        assert_eq!(start(&workshop, &market.call, 20).await, id, "ten and twenty seconds are what is asked by default");
        assert_ne!(start(&workshop, &market.call, 21).await, id, "more time is another question");
        assert_ne!(start(&funder, &market.call, 20).await, id, "of somebody else it is another run");
        assert_eq!(workshop.get(&path).await.expect(200)["items"].as_array().map(Vec::len), Some(2));
        // Once the answer is a day old, the question is asked anew.
        execute(&app, "UPDATE run SET finished_at = '2026-01-01 00:00:00+00:00' WHERE twin IS NOT NULL").await;
        assert_ne!(start(&workshop, &market.call, 20).await, id);
    }

    async fn whoever_has_used_least_is_next_and_questions_that_somebody_waits_for_go_first(engine) {
        let app = spawn_with(engine, idle()).await;
        let market = sample::market(&app).await;
        app.post(&format!("/v1/calls/{}/publish", market.call), json!({})).await.expect(200);
        let busy = key(&app, &app, &market.workshop, "owner", ALL_SCOPES).await;
        let modest = key(&app, &app, &market.school, "owner", ALL_SCOPES).await;
        // The platform has used a minute, for a run that is over.
        let over_already = start(&app, &market.call, 8).await;
        delete(&app, &format!("/v1/runs/{over_already}")).await.expect(200);
        execute(&app, "UPDATE run SET started_at = created_at, spent_ms = 60000").await;
        let of_platform = start(&app, &market.call, 9).await;
        let mut asked = Vec::new();
        for number in 0..4 {
            asked.push(start(&busy, &market.call, number).await);
        }
        asked.push(start(&modest, &market.call, 0).await);
        asked.push(start(&modest, &market.call, 1).await);
        // Somebody waits for an answer; and of its own runs, the first has cost the busy one something.
        let path = format!("/v1/calls/{}/partner-suggestions", market.call);
        let (waiting, own) = (busy.clone(), path.clone());
        let waits = actix_web::rt::spawn(async move { waiting.post(&own, json!({})).await.expect(200) });
        let end = Instant::now() + Duration::from_secs(20);
        while scalar::<i64>(&app, "SELECT COUNT(*) FROM run WHERE priority > 0").await == 0 {
            assert!(Instant::now() < end);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let _computing = restarted_with(&app, setup()).await;
        let prompted = waits.await.unwrap()["run"].as_str().unwrap().to_owned();
        let mut started = Vec::new();
        for id in asked.iter().chain([&prompted]) {
            let client = if asked[4..].contains(id) { &modest } else { &busy };
            started.push((over(client, id).await["started_at"].as_str().unwrap().to_owned(), id.clone()));
        }
        started.sort();
        let order: Vec<usize> = started.iter().map(|(_, id)| asked.iter().position(|one| one == id).unwrap_or(6)).collect();
        assert_eq!(order[0], 6, "somebody waits for it: {order:?}");
        assert_eq!(order[1], 4, "the other has used nothing yet: {order:?}");
        assert!(order.iter().position(|one| *one == 5).unwrap() < order.iter().position(|one| *one == 3).unwrap(), "{order:?}");
        let last = over(&app, &of_platform).await["started_at"].as_str().unwrap().to_owned();
        assert!(started.iter().all(|(at, _)| *at < last), "who has used most is last, though first to ask: {last}, {started:?}");
    }

    async fn of_two_services_one_does_what_is_to_be_done_again_and_again(engine) {
        let app = spawn(engine).await;
        let _other = restarted_with(&app, setup()).await;
        let done = "SELECT COUNT(*) FROM recurring_task WHERE name LIKE 'forget%' AND lease_until IS NULL AND fence > 0";
        let end = Instant::now() + Duration::from_secs(20);
        while scalar::<i64>(&app, done).await < 3 {
            assert!(Instant::now() < end);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        tokio::time::sleep(Duration::from_secs(4)).await;
        let fences = "SELECT COUNT(*) FROM recurring_task WHERE name LIKE 'forget%' AND fence = 1";
        assert_eq!(scalar::<i64>(&app, fences).await, 3, "each once");
    }

    async fn runs_that_ended_long_ago_are_deleted_unless_their_call_is_open(engine) {
        let kept = Some(chrono::TimeDelta::zero());
        let app = spawn_with(engine, with(attelage::runs::Settings { kept, ..runs() })).await;
        let market = sample::market(&app).await;
        let open = sample::created(&app, "/v1/calls", sample::call(&market.funder)).await;
        let id = |run: &Answer| run["id"].as_str().unwrap().to_owned();
        let first = "SELECT MAX(fence) FROM recurring_task WHERE name = 'forget_runs' AND lease_until IS NULL";
        eventually(async || (scalar::<Option<i64>>(&app, first).await == Some(1)).then_some(())).await;
        let old = id(&run(&app, &market.call, json!({})).await);
        let young = id(&run(&app, &market.call, json!({ "proposals": 2 })).await);
        app.post(&format!("/v1/calls/{open}/publish"), json!({})).await.expect(200);
        let joint = json!({ "calls": [market.call, open] });
        let joint = id(&app.post_with("/v1/runs", patient(), joint).await.expect(200));
        let waiting = id(&run(&app, &market.call, json!({ "proposals": 1 })).await);
        postpone_run(&app.database.connect().await, &waiting).await;
        let later = [(chrono::Utc::now() + chrono::TimeDelta::days(1)).into(), young.parse::<Uuid>().unwrap().into()];
        people::execute(&app, "UPDATE run SET finished_at = $1 WHERE id = $2", later).await;
        execute(&app, "UPDATE recurring_task SET next_at = '2020-01-01T00:00:00+00:00' WHERE name = 'forget_runs'").await;
        eventually(async || (app.get(&format!("/v1/runs/{old}")).await.status == 404).then_some(())).await;
        for kept in [&young, &joint, &waiting] {
            app.get(&format!("/v1/runs/{kept}")).await.expect(200);
        }
        let told = format!("SELECT COUNT(*) FROM audit_entry WHERE action = 'forget_runs' AND subject = 'run:{old}'");
        assert_eq!(scalar::<i64>(&app, &told).await, 1);
        assert_eq!(scalar::<i64>(&app, "SELECT COUNT(*) FROM audit_entry WHERE action = 'forget_runs'").await, 1);
    }

    async fn answers_that_somebody_waits_for_survive_whoever_computes_them(engine) {
        let program = Program::new("if [ -e $HERE/once ]; then exec $REAL \"$@\"; fi; : > $HERE/once; kill -9 $$");
        let app = spawn_with(engine, with(program.settings())).await;
        let market = sample::market(&app).await;
        app.post(&format!("/v1/calls/{}/publish", market.call), json!({})).await.expect(200);
        let workshop = key(&app, &app, &market.workshop, "owner", ALL_SCOPES).await;
        let told = workshop.post(&format!("/v1/calls/{}/partner-suggestions", market.call), json!({})).await.expect(200);
        assert!(told["partners"].is_array(), "{:#}", told.body);
        let run = workshop.get(told.header("location")).await.expect(200);
        assert_eq!((&run["id"], &run["attempts"]), (&told["run"], &json!(2)));
        let reply = workshop.get(&format!("{}/reply", told.header("location"))).await.expect(200);
        assert!(reply["partners"].is_object(), "{:#}", reply.body);
    }
}
