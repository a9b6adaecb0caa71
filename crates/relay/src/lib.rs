#![doc = include_str!("../README.md")]

pub mod address;
pub mod client;
pub mod server;
pub mod wire;

pub use client::Client;
