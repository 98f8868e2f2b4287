//! Log lines, on the error output.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// Begins to log what `ATTELAGE_LOG` asks for; `warn,attelage=info` where it asks for nothing.
pub fn start(format: Format) {
    let filter = EnvFilter::try_from_env("ATTELAGE_LOG").unwrap_or_else(|_| EnvFilter::new("warn,attelage=info"));
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        Format::Text => lines.init(),
        // The innermost span is the request or the run: it has the ids.
        Format::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).init(),
    }
}
