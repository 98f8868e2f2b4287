//! The parent's side of a computing process: it starts it, reads what it says, and ends it.
//!
//! A thread of the process's own starts it and reads it: a process dies with the thread that started it, and this one lives as long.
//! The time limit is kept by a task of its own, which waits for no database.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{self, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::work::Line;

/// How long after its limit a process is asked to stop, and how long after that it is ended: both together are less than half a second.
/// Where the program is not optimised, it needs many times longer to write down its best so far.
const ASKED_AFTER: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_millis(if cfg!(debug_assertions) { 1_200 } else { 120 });
/// The longest line that is read.
const LONGEST_LINE: u64 = 256 << 20;
/// How much of what it says on its error output is kept.
const LAST_WORDS: usize = 4096;

/// How computations are run.
#[derive(Clone, Debug)]
pub struct Confinement {
    /// The program whose `compute` computes.
    pub program: PathBuf,
    /// The most address space of a computation, in MiB.
    pub memory_mib: u64,
}

/// A process that computes. It is ended when this is dropped.
pub struct Child {
    said: mpsc::UnboundedReceiver<Said>,
    reins: Reins,
    watch: AbortHandle,
}

/// What is heard of a process.
pub enum Said {
    /// A line.
    Line(Box<Line>),
    /// It is over; why, where the last line did not say.
    Over(Death),
}

/// How a process ended that did not say what came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Death {
    /// It needed more memory than it may have.
    Memory,
    /// It needed more of the processor than it may have.
    Processor,
    /// It was ended from here, by its limit or by a wish.
    Ended,
    /// Of something else, in words for the log.
    Other(String),
}

impl Death {
    /// In a word.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Processor => "processor",
            Self::Ended => "cut",
            Self::Other(_) => "broken",
        }
    }
}

/// What a process is held by.
#[derive(Clone)]
struct Reins {
    process: Arc<Mutex<Option<process::Child>>>,
    input: Arc<Mutex<Option<ChildStdin>>>,
    /// Whether it was ended from here.
    ended: Arc<Mutex<bool>>,
}

impl Child {
    /// Starts a process on a work, written as JSON in one line, which may take so long.
    ///
    /// # Errors
    /// The system's: no process, no memory.
    pub async fn start(confinement: &Confinement, work: Vec<u8>, limit: Duration) -> Result<Self, String> {
        let (tell, said) = mpsc::unbounded_channel();
        let (started, has_started) = oneshot::channel();
        let confinement = confinement.clone();
        let reader = move || {
            let (reins, pipes) = match start(&confinement, limit) {
                Ok(started) => started,
                Err(error) => {
                    let _ = started.send(Err(error.to_string()));
                    return;
                }
            };
            // Whoever has gone away meanwhile ends it at once.
            let _ = started.send(Ok(Held(Some(reins.clone()))));
            let _ = tell.send(Said::Over(follow(&reins, pipes, &work, &tell)));
        };
        thread::Builder::new().name("computation".to_owned()).spawn(reader).map_err(|error| error.to_string())?;
        let mut held: Held = has_started.await.map_err(|error| error.to_string())??;
        let reins = held.0.take().ok_or("a process that is not held")?;
        let watched = reins.clone();
        let watch = tokio::spawn(async move {
            tokio::time::sleep(limit + ASKED_AFTER).await;
            watched.stop();
            tokio::time::sleep(PATIENCE).await;
            watched.end();
        });
        Ok(Self { said, reins, watch: watch.abort_handle() })
    }

    /// The next thing that it says. Nothing is lost where this is not awaited to its end.
    pub async fn next(&mut self) -> Said {
        let gone = || Said::Over(Death::Other("its reader broke down".to_owned()));
        self.said.recv().await.unwrap_or_else(gone)
    }

    /// Asks it to stop with the best so far, and ends it where it does not.
    pub fn stop(&self) {
        self.reins.stop();
        let reins = self.reins.clone();
        tokio::spawn(async move {
            tokio::time::sleep(PATIENCE).await;
            reins.end();
        });
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.watch.abort();
        self.reins.end();
    }
}

fn held<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reins {
    /// A line that fits in every pipe, so that this does not wait; none where the process has no input any more.
    fn stop(&self) {
        if let Some(input) = held(&self.input).as_mut() {
            // One that is gone has stopped.
            let _ = input.write_all(b"stop\n");
        }
    }

    fn end(&self) {
        if let Some(process) = held(&self.process).as_mut() {
            *held(&self.ended) = true;
            // One that is gone has ended.
            let _ = process.kill();
        }
    }
}

/// A process that ends where nobody takes it.
struct Held(Option<Reins>);

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(reins) = &self.0 {
            reins.end();
        }
    }
}

/// The pipes that its thread reads and writes.
struct Pipes {
    input: ChildStdin,
    output: BufReader<process::ChildStdout>,
    errors: thread::JoinHandle<String>,
}

fn start(confinement: &Confinement, limit: Duration) -> std::io::Result<(Reins, Pipes)> {
    let Confinement { program, memory_mib } = confinement;
    let mut command = Command::new(program);
    // Twice the time: the wall clock is watched from here, this one guards against a parent that is stopped.
    let processor_seconds = limit.as_secs().saturating_mul(2) + 2;
    command
        .arg0("attelage")
        .args([OsStr::new("compute"), OsStr::new(&memory_mib.to_string()), OsStr::new(&processor_seconds.to_string())])
        .arg(process::id().to_string())
        .env_clear()
        // One pool of memory for all threads: others would take address space and give nothing.
        .env("MALLOC_CONF", "narenas:1,retain:false")
        .current_dir(Path::new("/"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut process = command.spawn()?;
    let pipes = (process.stdin.take(), process.stdout.take(), process.stderr.take());
    let (Some(input), Some(output), Some(errors)) = pipes else {
        return Err(std::io::Error::other("a process without pipes"));
    };
    let errors = thread::Builder::new().name("last words".to_owned()).spawn(move || last_words(errors))?;
    let reins = Reins { process: Arc::new(Mutex::new(Some(process))), input: Arc::default(), ended: Arc::default() };
    Ok((reins, Pipes { input, output: BufReader::new(output), errors }))
}

/// Hands the work over, passes on what is said, and tells how it ended.
fn follow(reins: &Reins, pipes: Pipes, work: &[u8], tell: &mpsc::UnboundedSender<Said>) -> Death {
    let Pipes { mut input, mut output, errors } = pipes;
    // One that has died meanwhile is told of below.
    if input.write_all(work).and_then(|()| input.write_all(b"\n")).is_ok() {
        *held(&reins.input) = Some(input);
    }
    let mut garbled = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        match output.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line) {
            Ok(1..) if line.ends_with(b"\n") => match serde_json::from_slice(&line) {
                Ok(said) => drop(tell.send(Said::Line(Box::new(said)))),
                Err(error) => {
                    garbled = Some(format!("a line that cannot be read, from its column {} on", error.column()));
                }
            },
            // The end, or a line that was cut off by it.
            Ok(_) | Err(_) => break,
        }
    }
    held(&reins.input).take();
    let process = held(&reins.process).take();
    let Some(mut process) = process else { return Death::Ended };
    // It has closed its output: whatever it still does is of no use.
    let _ = process.kill();
    let status = process.wait();
    let words = errors.join().unwrap_or_default();
    match status {
        _ if *held(&reins.ended) => Death::Ended,
        Ok(status) => death(status, &words, garbled.as_deref()),
        Err(error) => Death::Other(error.to_string()),
    }
}

fn death(status: ExitStatus, words: &str, garbled: Option<&str>) -> Death {
    const SIGXCPU: i32 = rustix::process::Signal::XCPU.as_raw();
    if words.contains("memory allocation of") || words.contains("bad_alloc") || words.contains("cannot allocate memory")
    {
        return Death::Memory;
    }
    if status.signal() == Some(SIGXCPU) {
        return Death::Processor;
    }
    // Where it broke, and no more of what it said: its words may hold what it was asked to compute.
    let place = words.lines().find(|line| line.contains(" panicked at ")).unwrap_or_default();
    Death::Other([&status.to_string(), garbled.unwrap_or_default(), place].join("; "))
}

/// The end of what it says on its error output.
fn last_words(mut errors: impl Read) -> String {
    let mut last = VecDeque::with_capacity(LAST_WORDS);
    let mut chunk = [0; 1024];
    while let Ok(read @ 1..) = errors.read(&mut chunk) {
        last.extend(&chunk[..read]);
        last.drain(..last.len().saturating_sub(LAST_WORDS));
    }
    String::from_utf8_lossy(last.make_contiguous()).into_owned()
}
