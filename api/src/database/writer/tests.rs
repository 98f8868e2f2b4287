#![allow(clippy::unwrap_used, reason = "a test that fails panics")]

//! What is told is durable, what is given up is gone, and nobody waits for ever.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait as _, Statement};
use tempfile::TempDir;

use super::*;
use crate::database::connect;

struct World {
    _folder: TempDir,
    writer: Writer,
    /// Another connection of another process, as it were.
    reader: DatabaseConnection,
}

async fn world() -> World {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite:{}", folder.path().join("data.sqlite").display());
    let (db, reader) = (connect(&url).await.unwrap(), connect(&url).await.unwrap());
    db.execute_unprepared("CREATE TABLE mark (number INTEGER PRIMARY KEY)").await.unwrap();
    World { _folder: folder, writer: Writer::new(&db), reader }
}

impl World {
    async fn marks(&self) -> Vec<i64> {
        let all = Statement::from_string(DbBackend::Sqlite, "SELECT number FROM mark ORDER BY number");
        let rows = self.reader.query_all_raw(all).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    async fn write(&self, number: i64) -> Result<(), DbErr> {
        let tx = self.writer.begin().await?;
        mark(&tx, number).await?;
        tx.commit().await
    }
}

async fn mark(tx: &DatabaseTransaction, number: i64) -> Result<(), DbErr> {
    tx.execute_unprepared(&format!("INSERT INTO mark VALUES ({number})")).await.map(drop)
}

#[tokio::test]
async fn what_is_told_is_there_for_others() {
    let world = world().await;
    let one = async |number| {
        world.write(number).await.unwrap();
        assert!(world.marks().await.contains(&number));
    };
    join_all((0..50).map(one)).await;
    assert_eq!(world.marks().await, (0..50).collect::<Vec<_>>());
}

#[tokio::test]
async fn those_who_wait_share_a_commit() {
    let world = world().await;
    let first = world.writer.begin().await.unwrap();
    mark(&first, 0).await.unwrap();
    let committed = AtomicUsize::new(0);
    let others = join_all((1..=20).map(|number| {
        let (world, committed) = (&world, &committed);
        async move {
            world.write(number).await.unwrap();
            committed.fetch_add(1, Ordering::SeqCst);
        }
    }));
    let leader = async {
        // All others wait for their turn by now.
        tokio::task::yield_now().await;
        first.commit().await.unwrap();
        // Its end is theirs: those who waited wrote before it was committed.
        assert_eq!(world.marks().await.len(), 21);
    };
    tokio::join!(others, leader);
    assert_eq!(committed.into_inner(), 20);
}

#[tokio::test]
async fn what_is_given_up_is_gone_and_others_stay() {
    let world = world().await;
    let one = async |number: i64| {
        let tx = world.writer.begin().await.unwrap();
        mark(&tx, number).await.unwrap();
        // A third drops it, a third fails, and a third goes on to its end.
        match number % 3 {
            0 => drop(tx),
            1 => drop(mark(&tx, number).await.unwrap_err()),
            _ => tx.commit().await.unwrap(),
        }
    };
    join_all((0..60).map(one)).await;
    assert_eq!(world.marks().await, (0..60).filter(|number| number % 3 == 2).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_goes_away_takes_nothing_of_others_and_holds_nobody_up() {
    let world = world().await;
    let kept = AtomicUsize::new(0);
    // Cut off wherever it happens to be, while others write.
    let cut = async {
        for number in 0..400_u64 {
            let mark = world.write(1_000 + i64::try_from(number).unwrap());
            drop(timeout(Duration::from_micros(number * 7 % 1_500), mark).await);
        }
    };
    let stay = async |from: i64| {
        for number in (from..1_000).step_by(4) {
            world.write(number).await.unwrap();
            assert!(world.marks().await.contains(&number), "{number} was acknowledged");
            kept.fetch_add(1, Ordering::SeqCst);
        }
    };
    tokio::join!(cut, stay(0), stay(1), stay(2), stay(3));
    assert_eq!(kept.into_inner(), 1_000);
    let marks = world.marks().await;
    assert!((0..1_000).all(|number| marks.contains(&number)), "what was acknowledged stays");
    // Nothing holds the lock of the file.
    let begun = world.reader.begin_with_options(to_write());
    timeout(Duration::from_secs(5), begun).await.unwrap().unwrap();
}

#[tokio::test]
async fn who_only_looked_waits_for_what_they_saw() {
    let world = world().await;
    let first = world.writer.begin().await.unwrap();
    mark(&first, 1).await.unwrap();
    let looks = async {
        let tx = world.writer.begin().await.unwrap();
        let count = Statement::from_string(DbBackend::Sqlite, "SELECT COUNT(*) FROM mark");
        let seen: i64 = tx.query_one_raw(count).await.unwrap().unwrap().try_get_by_index(0).unwrap();
        let end = tx.end().unwrap();
        drop(tx);
        end.come().await.unwrap();
        assert_eq!((seen, world.marks().await), (1, vec![1]));
    };
    let (first, ()) = tokio::join!(first.commit(), looks);
    first.unwrap();
}

#[tokio::test]
async fn everybody_learns_that_their_group_is_lost() {
    let world = world().await;
    world.writer.db().execute_unprepared("PRAGMA user_version = 1").await.unwrap();
    let first = world.writer.begin().await.unwrap();
    mark(&first, 1).await.unwrap();
    let breaks = async {
        let tx = world.writer.begin().await.unwrap();
        mark(&tx, 2).await.unwrap();
        // As the library does by itself when a disk is full.
        tx.execute_unprepared("ROLLBACK").await.unwrap();
        tx.commit().await.unwrap_err();
    };
    let (first, ()) = tokio::join!(first.commit(), breaks);
    first.unwrap_err();
    assert_eq!(world.marks().await, [0; 0]);
    for number in 3..20 {
        world.write(number).await.unwrap();
    }
    assert_eq!(world.marks().await, (3..20).collect::<Vec<_>>());
}
