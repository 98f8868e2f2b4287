//! The plainest client there is: a connection, and requests in bytes. It costs little beside the service that it measures, it never
//! tries again by itself, and a service that dies under it is an error like any other.

use std::cell::RefCell;
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// How long it waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request, as it is sent.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    if !body.is_empty() {
        text.extend(["Content-Type: application/json\r\nContent-Length: ", &body.len().to_string(), "\r\n"]);
    }
    (text + "\r\n" + &body).into_bytes()
}

/// An answer with a length; streams are not for this client.
pub struct Reply {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Reply {
    /// The value of a header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }

    /// Its body; null where that is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// One connection.
pub struct Wire {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Wire {
    pub async fn connect(address: SocketAddr) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, read: Vec::with_capacity(4_096) })
    }

    /// Sends a request, and waits for its answer.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Reply, Error> {
        let exchanged = async {
            self.stream.write_all(request).await?;
            self.answer().await
        };
        tokio::time::timeout(PATIENCE, exchanged).await.map_err(|_| Error::from(ErrorKind::TimedOut))?
    }

    async fn answer(&mut self) -> Result<Reply, Error> {
        let wrong = || Error::from(ErrorKind::InvalidData);
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break at + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8(self.read[..end].to_vec()).map_err(|_| wrong())?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(wrong)?;
        let mut reply = Reply { status, head, body: Vec::new() };
        let length: usize = match reply.header("content-length") {
            Some(length) => length.parse().map_err(|_| wrong())?,
            None if status == 204 => 0,
            None => return Err(wrong()),
        };
        while self.read.len() < end + length {
            self.more().await?;
        }
        reply.body = self.read[end..end + length].to_vec();
        self.read.drain(..end + length);
        Ok(reply)
    }

    async fn more(&mut self) -> Result<(), Error> {
        match self.stream.read_buf(&mut self.read).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// A request at a time of its own, and what came of it: 0 where the connection broke.
pub struct Sample {
    pub status: u16,
    /// From when it was to be sent, whether it could be or not, to the end of its answer.
    pub took: Duration,
}

/// Sends a request at each interval for so long, whatever becomes of those before, over so many connections: a request that finds all of
/// them taken waits, and its waiting counts.
pub async fn load(
    address: SocketAddr,
    connections: usize,
    interval: Duration,
    length: Duration,
    next: impl Fn(u32) -> Vec<u8>,
) -> Vec<Sample> {
    let count = u32::try_from(length.as_nanos() / interval.as_nanos()).unwrap_or(u32::MAX);
    let (begun, turn) = (Instant::now(), RefCell::new(0..count));
    let sender = async || {
        let (mut wire, mut samples) = (None, Vec::new());
        while let Some(number) = { turn.borrow_mut().next() } {
            let (request, due) = (next(number), begun + interval * number);
            tokio::time::sleep_until(due.into()).await;
            if wire.is_none() {
                wire = Wire::connect(address).await.ok();
            }
            let reply = match &mut wire {
                Some(wire) => wire.exchange(&request).await.ok(),
                None => None,
            };
            if reply.as_ref().is_none_or(|reply| reply.header("connection") == Some("close")) {
                wire = None;
            }
            samples.push(Sample { status: reply.map_or(0, |reply| reply.status), took: due.elapsed() });
        }
        samples
    };
    futures_util::future::join_all((0..connections).map(|_| sender())).await.into_iter().flatten().collect()
}

/// The time that so many percent of them do not exceed.
pub fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() * percent).div_ceil(100).max(1) - 1]
}
