//! An SMTP server on a port of its own: it takes mails, or refuses them as a test says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A mail that it took.
#[derive(Clone, Debug)]
pub struct Mail {
    /// When it was taken.
    pub at: Instant,
    /// To whom.
    pub to: String,
    /// Headers by their names in lower case, unfolded.
    pub headers: BTreeMap<String, String>,
    /// The text, decoded.
    pub body: String,
}

#[derive(Default)]
struct State {
    taken: Vec<Mail>,
    /// What it answers to mails; takes them where there is nothing.
    refusal: Option<&'static str>,
    refused: usize,
}

/// A server, until it is dropped.
pub struct Smtp {
    pub port: u16,
    state: Arc<Mutex<State>>,
    serving: JoinHandle<()>,
}

impl Drop for Smtp {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Smtp {
    /// Starts it.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let state = Arc::new(Mutex::new(State::default()));
        let own = Arc::clone(&state);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(converse(stream, Arc::clone(&own)));
            }
        });
        Self { port, state, serving }
    }

    /// Has it refuse mails with an answer, or take them again.
    pub fn refuses(&self, answer: Option<&'static str>) {
        self.state.lock().unwrap().refusal = answer;
    }

    /// How many it has refused.
    pub fn refused(&self) -> usize {
        self.state.lock().unwrap().refused
    }

    /// The mails that it took for somebody.
    pub fn taken(&self, to: &str) -> Vec<Mail> {
        self.state.lock().unwrap().taken.iter().filter(|mail| mail.to == to).cloned().collect()
    }
}

/// One client, to its end (RFC 5321, as far as a client needs it).
async fn converse(stream: TcpStream, state: Arc<Mutex<State>>) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    write.write_all(b"220 smtp.invalid ESMTP\r\n").await.ok()?;
    let mut to = String::new();
    while let Some(line) = lines.next_line().await.ok()? {
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-smtp.invalid\r\n250 8BITMIME\r\n".to_owned(),
            "RCPT" => {
                to = line.split(['<', '>']).nth(1)?.to_owned();
                "250 ok\r\n".to_owned()
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.ok()?;
                let mut text = Vec::new();
                loop {
                    match lines.next_line().await.ok()?? {
                        end if end == "." => break,
                        line => text.push(line.strip_prefix('.').map_or(line.clone(), str::to_owned)),
                    }
                }
                let mut state = state.lock().unwrap();
                if let Some(refusal) = state.refusal {
                    state.refused += 1;
                    format!("{refusal}\r\n")
                } else {
                    state.taken.push(mail(&to, &text));
                    "250 taken\r\n".to_owned()
                }
            }
            "QUIT" => return write.write_all(b"221 bye\r\n").await.ok(),
            _ => "250 ok\r\n".to_owned(),
        };
        write.write_all(answer.as_bytes()).await.ok()?;
    }
    Some(())
}

fn mail(to: &str, lines: &[String]) -> Mail {
    let end = lines.iter().position(String::is_empty).unwrap_or(lines.len());
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in &lines[..end] {
        match (line.starts_with([' ', '\t']), line.split_once(':')) {
            (false, Some((name, value))) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            _ => headers.last_mut().unwrap().1 += line,
        }
    }
    let headers: BTreeMap<String, String> = headers.into_iter().collect();
    let text = lines[(end + 1).min(lines.len())..].join("\n");
    let body = match headers.get("content-transfer-encoding").map(String::as_str) {
        Some("quoted-printable") => unquoted(&text),
        Some("base64") => String::from_utf8(STANDARD.decode(text.replace('\n', "")).unwrap()).unwrap(),
        _ => text,
    };
    Mail { at: Instant::now(), to: to.to_owned(), headers, body }
}

/// Decodes quoted-printable (RFC 2045).
fn unquoted(text: &str) -> String {
    let text = text.replace("=\n", "");
    let mut bytes = Vec::new();
    let mut parts = text.split('=');
    bytes.extend_from_slice(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).unwrap()
}
