//! The `hushwing` command.

fn main() {}
