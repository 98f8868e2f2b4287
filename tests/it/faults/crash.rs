//! The service is killed under writes, at moments that nobody chooses: what it has acknowledged is there, once.

use std::time::{Duration, Instant};

use super::writers::Writers;
use super::{Dice, Service};
use crate::support::database::Engine;
use crate::support::on_both_engines;
use crate::support::people;
use crate::support::service::PREPARED;
use crate::support::size;

/// Clients that write at once.
const CLIENTS: usize = 16;
/// Writes that a service acknowledges before its end is near.
const SOME: usize = 10;

on_both_engines! {
    async fn what_was_acknowledged_outlives_the_kill_and_is_there_once(engine) {
        let database = PREPARED.database(engine).await;
        let service = Service::on(database.url());
        let (kills, mut dice) = (size(3, 100), Dice(7));
        let mut served = service.start().await;
        let writers = Writers::new(served.address, &service.key().await);
        let killing = async {
            let (mut up, mut written) = (Duration::ZERO, 0);
            for _ in 0..kills {
                let (begun, before) = (Instant::now(), writers.acknowledged.get());
                while writers.acknowledged.get() < before + SOME {
                    assert!(begun.elapsed() < Duration::from_mins(1), "it does not write");
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                // Counted from when writes are answered: to start is not to write.
                let (since, before) = (Instant::now(), writers.acknowledged.get());
                tokio::time::sleep(Duration::from_millis(100 + dice.below(900))).await;
                written += writers.acknowledged.get() - before;
                up += since.elapsed();
                served.kill();
                served = service.start().await;
                writers.turn_to(served.address);
            }
            writers.end();
            // The last one answers what the clients have begun.
            (written * 1_000 / usize::try_from(up.as_millis()).unwrap(), served)
        };
        let ((), (rate, _served)) = tokio::join!(writers.write(CLIENTS), killing);
        let db = database.connect().await;
        writers.check(&db).await;
        service.verify();
        service.said();
        if engine == Engine::Sqlite {
            assert_eq!(people::read::<String>(&db, "PRAGMA integrity_check").await, "ok");
        }
        let (acknowledged, resent) = (writers.acknowledged.get(), writers.resent.get());
        eprintln!("{engine:?}: {kills} kills at {rate} writes/s: {acknowledged} acknowledged, {resent} sent again, none lost or doubled");
        assert!(resent > 0, "the kills came between requests");
        if !cfg!(debug_assertions) && kills > 3 {
            assert!(rate >= 200, "{rate} writes/s");
        }
    }
}
