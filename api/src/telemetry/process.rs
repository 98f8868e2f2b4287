//! What the process takes from its machine, as Linux tells it. The names are those that every exporter uses.

use std::fs;

use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use rustix::param::{clock_ticks_per_second, page_size};
use rustix::process::{Resource, getrlimit};

/// Registers what can be read; other systems tell nothing.
pub(super) fn register(registry: &mut Registry) {
    let Some(stat) = fs::read_to_string("/proc/self/stat").ok().as_deref().and_then(Stat::of) else { return };
    let process = registry.sub_registry_with_prefix("process");
    let help = "Processor time used, of the computations that were waited for, too";
    process.register_with_unit("cpu", help, Unit::Seconds, ConstCounter::new(stat.processor_seconds));
    process.register_with_unit("resident_memory", "Memory in use", Unit::Bytes, ConstGauge::new(stat.resident_bytes));
    process.register("threads", "Threads", ConstGauge::new(stat.threads));
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        process.register("open_fds", "Files and connections open", ConstGauge::new(number(open.count() as u64)));
    }
    if let Some(most) = getrlimit(Resource::Nofile).current {
        process.register("max_fds", "Files and connections that may be open", ConstGauge::new(number(most)));
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// What stands in `/proc/self/stat`.
#[derive(Debug, PartialEq)]
struct Stat {
    processor_seconds: f64,
    threads: i64,
    resident_bytes: i64,
}

impl Stat {
    /// The second field is the name of the program, in parentheses, and may hold anything: the rest begins after the last of them.
    fn of(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(')')?;
        // The first of these is the third field.
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let of = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        let ticks: u64 = [14, 15, 16, 17].into_iter().map(of).sum::<Option<u64>>()?;
        #[allow(clippy::cast_precision_loss, reason = "centuries of processor time")]
        let processor_seconds = ticks as f64 / clock_ticks_per_second().max(1) as f64;
        let resident_bytes = number(of(24)?.saturating_mul(page_size() as u64));
        Some(Self { processor_seconds, threads: number(of(20)?), resident_bytes })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::float_cmp, clippy::cast_precision_loss)]

    use super::*;

    #[test]
    fn a_name_that_holds_parentheses_moves_no_field() {
        let fields: Vec<String> = (4..=52).map(|field| field.to_string()).collect();
        let stat = Stat::of(&format!("1 (a) b) S {}", fields.join(" "))).unwrap();
        assert_eq!(stat.threads, 20);
        assert_eq!(stat.processor_seconds, 62.0 / clock_ticks_per_second() as f64);
        assert_eq!(stat.resident_bytes, 24 * i64::try_from(page_size()).unwrap());
        assert_eq!(Stat::of("1 (a) S 4 5"), None);
    }
}
