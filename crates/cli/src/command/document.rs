//! Documents generated from the command line's own definition.

use std::io;
use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;
use hushwing_daemon::{Error, ErrorKind};

use crate::args::Cli;
use crate::output;

/// Prints completions for `shell`.
pub(super) fn completions(shell: Shell) -> Result<ExitCode, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "hushwing", &mut script);
    print(&script)
}

/// Prints the manual page in roff: the program, then each command.
pub(super) fn manual() -> Result<ExitCode, Error> {
    let mut page = Vec::new();
    let mut program = Cli::command();
    program.build();
    render(&program, &mut page).map_err(failed)?;
    for command in program
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
    {
        render(command, &mut page).map_err(failed)?;
    }
    print(&page)
}

fn render(command: &clap::Command, page: &mut Vec<u8>) -> io::Result<()> {
    clap_mangen::Man::new(command.clone()).render(page)
}

fn print(bytes: &[u8]) -> Result<ExitCode, Error> {
    match output::document(bytes) {
        // Whoever reads the beginning only, as `head` does, has what they want.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        printed => printed.map_err(failed)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn failed(error: io::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("cannot print: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
