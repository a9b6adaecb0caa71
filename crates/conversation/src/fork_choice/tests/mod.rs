//! The rule as stories, what holds of every tree, and the vectors of the second
//! model.

mod acts;
mod bounds;
mod distance;
mod properties;
mod stories;
mod thieves;
mod validity;
mod vectors;
mod world;
