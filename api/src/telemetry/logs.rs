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

/// What is logged where nothing else is asked for.
pub const USUAL: &str = "warn,attelage=info";
/// The same without a line for each run: for whoever is shown the answer.
pub const WITHOUT_RUNS: &str = "warn,attelage=info,attelage::runs=warn";

/// Begins to log what `ATTELAGE_LOG` asks for; `otherwise` where it asks for nothing.
pub fn start(format: Format, otherwise: &str) {
    let filter = EnvFilter::try_from_env("ATTELAGE_LOG").unwrap_or_else(|_| EnvFilter::new(otherwise));
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        Format::Text => lines.init(),
        // The innermost span is the request or the run: it has the ids.
        Format::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).init(),
    }
}
