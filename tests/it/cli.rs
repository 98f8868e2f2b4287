//! The command line: what it prints, and what it says when something is wrong.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

use reqwest::redirect::Policy;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::app::http;

/// The binary, built by cargo: `cargo test` builds none for the tests of another package. Together with
/// these tests (`--test it`), so that it has their features, and all that it rests on is compiled already.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args([
            "build",
            "--quiet",
            "--offline",
            "--locked",
            "--workspace",
            "--test",
            "it",
            "--bin",
            "attelage",
            "--message-format=json",
        ]);
        build.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
        // This file lies in TARGET/PROFILE/deps.
        let target = std::env::current_exe().unwrap().ancestors().nth(3).expect("a target folder").to_owned();
        build.arg("--target-dir").arg(target);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        let output = build.output().expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let messages = String::from_utf8(output.stdout).unwrap();
        let told = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let is_ours =
            |message: &Value| message["target"]["kind"] == json!(["bin"]) && message["profile"]["test"] == json!(false);
        let executable = told.filter(is_ours).find_map(|message| message["executable"].as_str().map(PathBuf::from));
        executable.expect("cargo says where the binary is")
    })
}

/// The command in an empty folder of its own, without settings from outside.
pub fn attelage(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    for (setting, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("ATTELAGE_")) {
        command.env_remove(setting);
    }
    command
}

/// What a command that goes well prints.
#[track_caller]
pub fn prints(folder: &Path, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = attelage(folder, arguments).output().unwrap();
    assert!(status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8(stdout).unwrap()
}

/// What a command that fails says on its error output, and on no other.
#[track_caller]
pub fn complains(folder: &Path, arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = attelage(folder, arguments).output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert!(!status.success() && stdout.is_empty(), "{arguments:?} goes through: {}", String::from_utf8_lossy(&stdout));
    assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
    stderr
}

fn write(folder: &TempDir, name: &str, text: impl AsRef<[u8]>) {
    std::fs::write(folder.path().join(name), text).unwrap();
}

#[test]
fn every_command_has_a_help_that_shows_how_it_is_called() {
    let folder = TempDir::new().unwrap();
    let overview = prints(folder.path(), &["--help"]);
    for (command, mentions) in [
        ("serve", ["--port", "--database"]),
        ("demo", ["--once", "--port"]),
        ("migrate", ["status", "--database"]),
        ("import", ["lieux", "territories"]),
        ("solve", ["FILE", "--options"]),
        ("openapi", ["OpenAPI", "Usage"]),
        ("worker", ["--solvers", "--lease"]),
    ] {
        assert!(overview.contains(&format!("\n  {command} ")), "{command} is not in the overview:\n{overview}");
        let help = prints(folder.path(), &[command, "--help"]);
        for mention in mentions.into_iter().chain(["Usage: attelage"]) {
            assert!(help.contains(mention), "{command} --help does not mention {mention}:\n{help}");
        }
    }
    assert_eq!(prints(folder.path(), &["--version"]), format!("attelage {}\n", env!("CARGO_PKG_VERSION")));
    assert!(!overview.contains("\n  compute "), "that one is for the service itself:\n{overview}");
    let typo = complains(folder.path(), &["serv"]);
    assert!(typo.contains("serve") && typo.contains("--help"), "{typo}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "help creates no file");
}

#[test]
fn openapi_prints_the_committed_document() {
    let folder = TempDir::new().unwrap();
    let committed =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi/openapi.json")).unwrap();
    assert!(prints(folder.path(), &["openapi"]) == committed, "see the test of the contract");
}

#[test]
fn migrate_says_what_is_applied_and_what_is_missing() {
    let folder = TempDir::new().unwrap();
    let words =
        |text: String| -> Vec<String> { text.lines().map(|line| line.split(' ').next().unwrap().to_owned()).collect() };
    let count = {
        use attelage_migrations::MigratorTrait;
        attelage_migrations::Migrator::migrations().len()
    };
    assert_eq!(words(prints(folder.path(), &["migrate", "status"])), vec!["pending"; count]);
    assert_eq!(words(prints(folder.path(), &["migrate"])), vec!["applied"; count]);
    assert_eq!(words(prints(folder.path(), &["migrate", "up"])), vec!["applied"; count]);
    assert_eq!(words(prints(folder.path(), &["migrate", "down"])), vec!["pending"; count]);
    assert_eq!(
        words(prints(folder.path(), &["migrate", "status", "--database", "sqlite:attelage.sqlite"])),
        vec!["pending"; count]
    );
    assert!(folder.path().join("attelage.sqlite").exists());
}

#[test]
fn the_same_import_twice_prints_that_nothing_changed() {
    let folder = TempDir::new().unwrap();
    write(&folder, "places.csv", "code,name,kind,parent\nA,Nord,commune,\nB,Sud,commune,A\n");
    let import =
        || -> Value { serde_json::from_str(&prints(folder.path(), &["import", "territories", "places.csv"])).unwrap() };
    assert_eq!(import()["summary"]["territories"], json!({ "created": 2, "updated": 0, "unchanged": 0 }));
    assert_eq!(import()["summary"]["territories"], json!({ "created": 0, "updated": 0, "unchanged": 2 }));

    let mut command = attelage(folder.path(), &["import", "territories", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"code;name;kind;parent\nC;Est;commune;B\n").unwrap();
    let summary: Value = serde_json::from_slice(&child.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(summary["summary"]["territories"]["created"], json!(1));
}

#[test]
fn solve_reads_a_problem_and_prints_the_proven_answer() {
    let folder = TempDir::new().unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../solver/examples/lyon.json");
    let problem = std::fs::read_to_string(&example).unwrap();
    write(&folder, "options.json", r#"{"proposals":1}"#);
    let printed = prints(folder.path(), &["solve", example.to_str().unwrap(), "--options", "options.json"]);
    let answer: Value = serde_json::from_str(&printed).unwrap();
    let members: Vec<&Value> =
        answer["proposals"][0]["members"].as_array().unwrap().iter().map(|member| &member["actor"]).collect();
    assert_eq!((&answer["status"], members), (&json!("optimal"), vec![&json!("trainer"), &json!("refurbisher")]));
    assert_eq!(
        answer["proposals"][0]["costs"]["total_cents"],
        json!(22_000_000 + 3_000_000 + 38_400_000 + 400_000 + 1_000_000)
    );

    let mut command = attelage(folder.path(), &["solve", "-", "--options", "options.json"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(problem.as_bytes()).unwrap();
    assert_eq!(
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap(),
        printed,
        "the same input gives the same bytes"
    );
}

#[test]
fn what_cannot_be_read_is_named_with_its_reason() {
    let folder = TempDir::new().unwrap();
    write(&folder, "prose.json", "Bonjour");
    write(&folder, "empty.json", "{}");
    write(&folder, "options.json", r#"{"proposals":"many"}"#);
    write(&folder, "prose.csv", "Bonjour");
    for (arguments, mentions) in [
        (vec!["solve", "absent.json"], vec!["absent.json", "No such file"]),
        (vec!["solve", "prose.json"], vec!["problem", "line 1 column 1"]),
        (vec!["solve", "empty.json"], vec!["problem", "missing field"]),
        (vec!["solve", "empty.json", "--options", "absent.json"], vec![]),
        (vec!["import", "lieux", "absent.csv"], vec!["absent.csv", "No such file"]),
        (vec!["import", "lieux", "."], vec!["directory"]),
        (vec!["import", "lieux", "prose.csv"], vec!["national standard", "lacks: id, pivot, nom"]),
        (vec!["import", "places", "prose.csv"], vec!["lieux", "territories"]),
        (vec!["serve", "--port", "70000"], vec!["--port", "65535"]),
        (vec!["serve", "--solvers", "65"], vec!["--solvers", "0..=64"]),
        (vec!["worker", "--lease", "0"], vec!["--lease", "1..=3600"]),
    ] {
        let said = complains(folder.path(), &arguments);
        for mention in mentions {
            assert!(said.contains(mention), "{arguments:?} does not mention {mention}: {said}");
        }
    }
}

#[test]
fn the_demonstration_shows_everything_once_and_leaves_nothing() {
    let folder = TempDir::new().unwrap();
    let shown = prints(folder.path(), &["demo", "--once"]);
    let parts = [
        "invented to show the product",
        "Call: Digital inclusion of people in precarity",
        "Proposal 1: Emmaüs Connect + Weefund",
        "Optimal, proven",
        "Alternatives",
        "Without Weefund",
        "Refurbishing of computers  2 000 devices  2 000 devices      0 %",
        "Who comes closest",
    ];
    let mut rest = shown.as_str();
    for part in parts {
        let place = rest.find(part).unwrap_or_else(|| panic!("`{part}` is not where it should be in\n{shown}"));
        rest = &rest[place..];
    }
    let directory = shown.lines().next().unwrap().rsplit(": ").next().unwrap();
    assert!(directory.ends_with("demo.sqlite") && !Path::new(directory).exists());
}

#[test]
fn faults_of_a_problem_are_all_told_with_their_paths() {
    let folder = TempDir::new().unwrap();
    let example =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../solver/examples/lyon.json")).unwrap();
    let mut problem: Value = serde_json::from_str(&example).unwrap();
    problem["call"]["duration_months"] = json!(0);
    problem["actors"][0]["capabilities"][0]["territories"] = json!(["mars"]);
    write(&folder, "wrong.json", problem.to_string());
    let said = complains(folder.path(), &["solve", "wrong.json"]);
    assert!(
        said.contains("/call/duration_months: ") && said.contains("/actors/0/capabilities/0/territories/0: "),
        "{said}"
    );
}

#[test]
fn a_database_that_does_not_open_is_named_without_its_password() {
    let folder = TempDir::new().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    for url in [
        format!("postgres://user:tr0ub4dor@127.0.0.1:{closed}/attelage"),
        "mysql://user:tr0ub4dor@localhost/attelage".to_owned(),
        "user:tr0ub4dor@localhost".to_owned(),
        "postgres://user:tr0ub4dor@[bad/attelage".to_owned(),
        "sqlite:/no/such/folder/attelage.sqlite".to_owned(),
        String::new(),
    ] {
        let said = complains(folder.path(), &["migrate", "--database", &url]);
        assert!(!said.contains("tr0ub4dor"), "{url}: the password is shown: {said}");
        assert!(said.contains("--database"), "{url}: what to do is not said: {said}");
    }
}

#[test]
fn a_port_that_is_taken_says_how_to_take_another() {
    let folder = TempDir::new().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let said = complains(folder.path(), &["serve", "--port", &port]);
    assert!(said.contains(&port) && said.contains("--port"), "{said}");
}

#[actix_web::test]
async fn serve_says_where_it_listens_and_answers_there() {
    let folder = TempDir::new().unwrap();
    let mut service = attelage(folder.path(), &["serve", "--port", "0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(service.stdout.take().unwrap()).read_line(&mut said).unwrap();
    let base = said.trim().strip_prefix("Attelage listens on ").map(str::to_owned);
    // The listener is open before the line is printed: a request waits for the service to be ready.
    let health = match &base {
        Some(base) => {
            http(Policy::none()).get(format!("{base}/healthz")).send().await.map(|answer| answer.status().as_u16()).ok()
        }
        None => None,
    };
    service.kill().unwrap();
    service.wait().unwrap();
    assert_eq!(health, Some(200), "{said}");
}

/// Writes a file that its owner alone may read.
pub fn keep(path: &Path, content: &[u8]) {
    std::fs::write(path, content).unwrap();
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn the_audit_log_is_checked_without_a_service_and_its_key_is_not_lost_unseen() {
    let folder = TempDir::new().unwrap();
    prints(folder.path(), &["admin", "key", "--name", "one"]);
    prints(folder.path(), &["admin", "key", "--name", "two"]);
    let said = prints(folder.path(), &["audit", "verify"]);
    assert!(said.starts_with("OK: 2 entries, untouched\nhead 2:"), "{said}");
    let head = said.trim().rsplit(' ').next().unwrap().to_owned();
    prints(folder.path(), &["admin", "key", "--name", "three"]);
    assert!(prints(folder.path(), &["audit", "verify", "--seen", &head]).contains("OK: 3 entries"));
    let another = format!("2:{}", "0".repeat(64));
    let said = complains(folder.path(), &["audit", "verify", "--seen", &another]);
    assert!(said.contains("does not hold"), "{said}");

    let key = folder.path().join("attelage.sqlite.audit-key");
    let kept = std::fs::read(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let said = complains(folder.path(), &["admin", "key", "--name", "four"]);
    assert!(said.contains("attelage.sqlite.audit-key") && said.contains("missing"), "{said}");
    assert!(!key.exists(), "no other key takes its place");
    keep(&folder.path().join("other.key"), "0".repeat(64).as_bytes());
    let said = complains(folder.path(), &["admin", "key", "--name", "four", "--audit-key-file", "other.key"]);
    assert!(said.contains("--audit-key-file"), "{said}");
    let said = complains(folder.path(), &["audit", "verify", "--audit-key-file", "other.key"]);
    assert!(said.contains("entry 1 is not what was written there"), "{said}");
    keep(&key, &kept);
    assert!(prints(folder.path(), &["audit", "verify"]).contains("OK: 3 entries"));
    let said = complains(
        folder.path(),
        &["admin", "key", "--name", "five", "--database", "postgres://nobody@127.0.0.1:1/none"],
    );
    assert!(said.contains("postgres"), "{said}");
}
