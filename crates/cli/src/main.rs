//! The `hushwing` command.

#[cfg_attr(
    not(test),
    expect(dead_code, reason = "the commands that draw and read links come next")
)]
mod qr;

fn main() {}
