//! What the service and its libraries log, at every level, while somebody listens.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Once};

use tracing_subscriber::EnvFilter;

static LISTENERS: AtomicUsize = AtomicUsize::new(0);
static HEARD: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static START: Once = Once::new();

struct Ear;

impl Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if LISTENERS.load(Ordering::Relaxed) > 0 {
            HEARD.lock().unwrap().extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Listens until it is dropped.
pub struct Listening(usize);

/// Begins to listen. Tests that run at the same time are heard too.
pub fn listen() -> Listening {
    START.call_once(|| {
        let filter = EnvFilter::new("info,attelage=trace,sea_orm=debug,sqlx=debug,actix_http=debug,actix_web=debug");
        tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(|| Ear).init();
    });
    LISTENERS.fetch_add(1, Ordering::Relaxed);
    Listening(HEARD.lock().unwrap().len())
}

impl Listening {
    /// What has been heard.
    pub fn heard(&self) -> String {
        String::from_utf8_lossy(&HEARD.lock().unwrap()[self.0..]).into_owned()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        LISTENERS.fetch_sub(1, Ordering::Relaxed);
    }
}
