//! What somebody may do to the log who has the database and not the key.

use std::time::Duration;

use attelage::audit::entity::{Column, Entity, Model, head};
use sea_orm::{ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter};
use uuid::Uuid;

use crate::support::sample;

/// Reproducible numbers.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 8).unwrap() % sides
    }
}

/// Replaces an entry.
pub async fn put(tx: &DatabaseTransaction, row: Model) {
    row.into_active_model().reset_all().update(tx).await.unwrap();
}

async fn move_head(tx: &DatabaseTransaction, change: impl FnOnce(&mut head::Model)) {
    let mut row = head::Entity::find().one(tx).await.unwrap().unwrap();
    change(&mut row);
    row.into_active_model().reset_all().update(tx).await.unwrap();
}

/// Changes one column of an entry to something else.
fn change(entry: &Model, dice: &mut Dice) -> Model {
    let mut row = entry.clone();
    match dice.below(9) {
        0 => row.at += Duration::from_micros(1 + u64::try_from(dice.below(1_000_000)).unwrap()),
        1 => row.caller.push('x'),
        2 => row.action.push('x'),
        3 => row.organisation_id = row.organisation_id.map_or(Some(Uuid::from_u128(1)), |_| None),
        4 => row.subject.insert(0, 'x'),
        5 => row.version = Some(row.version.map_or(1, |version| version + 1)),
        6 => row.request_id = Uuid::from_u128(2).to_string(),
        7 => row.details = row.details.map_or(Some("{}".to_owned()), |_| None),
        _ => row.hash = sample::noise(dice.0, 64),
    }
    row
}

/// What somebody does who has the database and not the key. Says what it was.
pub async fn tamper(tx: &DatabaseTransaction, entries: &[Model], dice: &mut Dice) -> String {
    let (one, other) = (dice.below(entries.len()), dice.below(entries.len() - 1));
    let other = if other >= one { other + 1 } else { other };
    let (entry, last) = (&entries[one], &entries[entries.len() - 1]);
    match dice.below(9) {
        0..=2 => {
            put(tx, change(entry, dice)).await;
            format!("change {}", entry.position)
        }
        3 => {
            Entity::delete_by_id(entry.position).exec(tx).await.unwrap();
            format!("delete {}", entry.position)
        }
        4 => {
            // Delete, close the gap, and step the head back.
            Entity::delete_by_id(entry.position).exec(tx).await.unwrap();
            for follower in &entries[one + 1..] {
                Entity::delete_by_id(follower.position).exec(tx).await.unwrap();
                let moved = Model { position: follower.position - 1, ..follower.clone() };
                Entity::insert(moved.into_active_model()).exec_without_returning(tx).await.unwrap();
            }
            move_head(tx, |head| head.position -= 1).await;
            format!("delete {} and renumber", entry.position)
        }
        5 => {
            Entity::delete_many().filter(Column::Position.gte(entry.position)).exec(tx).await.unwrap();
            if dice.below(2) == 0 {
                return format!("cut off at {}", entry.position);
            }
            let before = one.checked_sub(1).map(|before| entries[before].hash.clone()).unwrap_or_default();
            move_head(tx, |head| (head.position, head.hash) = (entry.position - 1, before)).await;
            format!("cut off at {} and move the head", entry.position)
        }
        6 => {
            let forged = Model { position: last.position + 1, hash: sample::noise(dice.0, 64), ..entry.clone() };
            let head = (forged.position, forged.hash.clone());
            Entity::insert(forged.into_active_model()).exec_without_returning(tx).await.unwrap();
            if dice.below(2) == 0 {
                move_head(tx, |own| (own.position, own.hash) = head).await;
            }
            "add an entry".to_owned()
        }
        7 => {
            let (a, b) = (entry, &entries[other]);
            put(tx, Model { position: a.position, ..b.clone() }).await;
            put(tx, Model { position: b.position, ..a.clone() }).await;
            format!("swap {} and {}", a.position, b.position)
        }
        _ => {
            match dice.below(4) {
                0 => move_head(tx, |head| head.position += 1).await,
                1 => move_head(tx, |head| head.hash.clone_from(&entries[0].hash)).await,
                2 => move_head(tx, |head| head.seal = sample::noise(7, 64)).await,
                _ => drop(head::Entity::delete_many().exec(tx).await.unwrap()),
            }
            "change the head".to_owned()
        }
    }
}
