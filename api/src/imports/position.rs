//! A point on Earth.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A point in the WGS 84 system, in decimal degrees.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize, ToSchema)]
pub struct Position {
    /// North of the equator, −90 to 90.
    pub latitude: f64,
    /// East of Greenwich, −180 to 180.
    pub longitude: f64,
}

/// The parts of France, as boxes with some margin: south, north, west, east.
const FRANCE: [(f64, f64, f64, f64); 11] = [
    (41.2, 51.3, -5.4, 9.8),        // metropolitan France
    (15.7, 16.7, -61.9, -60.9),     // Guadeloupe
    (17.8, 18.2, -63.3, -62.7),     // Saint-Martin, Saint-Barthélemy
    (14.3, 15.0, -61.4, -60.7),     // Martinique
    (2.0, 6.0, -54.8, -51.5),       // French Guiana
    (-21.5, -20.8, 55.1, 55.9),     // La Réunion
    (-13.1, -12.5, 44.9, 45.4),     // Mayotte
    (46.7, 47.2, -56.6, -56.0),     // Saint-Pierre-et-Miquelon
    (-23.0, -17.5, 158.0, 169.0),   // New Caledonia
    (-28.0, -7.8, -155.0, -134.0),  // French Polynesia
    (-14.6, -13.1, -178.4, -176.0), // Wallis-et-Futuna
];

impl Position {
    /// A point within the ranges of both coordinates.
    pub(super) fn on_earth(latitude: f64, longitude: f64) -> Option<Self> {
        let within = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
        within.then_some(Self { latitude, longitude })
    }

    /// Whether the point lies in metropolitan or overseas France, with a margin of some kilometres.
    pub(super) fn is_french(self) -> bool {
        FRANCE.iter().any(|&(south, north, west, east)| {
            (south..=north).contains(&self.latitude) && (west..=east).contains(&self.longitude)
        })
    }

    /// The point with its coordinates exchanged.
    pub(super) fn swapped(self) -> Self {
        Self { latitude: self.longitude, longitude: self.latitude }
    }
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn lyon_and_overseas_are_french_and_their_mirror_is_not() {
        for (latitude, longitude) in
            [(45.76, 4.85), (-20.88, 55.45), (4.92, -52.31), (-22.27, 166.45), (-17.55, -149.56)]
        {
            let position = Position { latitude, longitude };
            assert!(position.is_french(), "{position:?}");
            assert!(!position.swapped().is_french(), "{position:?}");
        }
    }

    #[test]
    fn the_gulf_of_guinea_is_not_french() {
        assert!(!Position { latitude: 0.0, longitude: 0.0 }.is_french());
    }
}
