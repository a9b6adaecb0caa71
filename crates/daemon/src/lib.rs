//! The running program: roles, tasks, the local API.

pub mod relay_server;
