//! The running program: roles, tasks, the local API.
