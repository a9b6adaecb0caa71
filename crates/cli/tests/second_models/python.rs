//! Python with the packages of `interop/requirements.txt`, in a virtual
//! environment below `target` that is made once per state of that file.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What to do where it is missing; the README names it among what tests need.
const ADVICE: &str = "these tests need Python 3.11 or later with its venv module \
    (Debian: apt install python3-venv)";

/// The folder of the second models.
pub(crate) fn interop() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../interop")
}

/// An interpreter with all packages.
pub(crate) struct Python {
    program: PathBuf,
}

impl Python {
    /// Makes the environment unless it is there. A test that cannot have it
    /// fails: a check that is skipped in silence is no check.
    pub(crate) fn with_packages() -> Self {
        let requirements = interop().join("requirements.txt");
        let base = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let name = format!("python-{:016x}", hash(&fs::read(&requirements).unwrap()));
        let environment = base.join(&name);
        let program = environment.join("bin/python");
        let complete = environment.join("complete");

        // Tests are processes of their own under nextest: one makes it, the
        // others wait.
        let lock = File::create(base.join(format!("{name}.lock"))).unwrap();
        lock.lock().unwrap();
        if !complete.exists() {
            make(&environment, &requirements);
            fs::write(complete, "").unwrap();
        }
        Self { program }
    }

    /// Runs in the folder of the models and gives what was printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.ended(arguments)
            .unwrap_or_else(|why| panic!("{arguments:?}: {why}"))
    }

    /// Runs what must fail and gives its complaint.
    pub(crate) fn refusal(&self, arguments: &[&str]) -> String {
        let ended = self.ended(arguments);
        ended.expect_err("it found nothing wrong")
    }

    fn ended(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        command.arg("-B").args(arguments).current_dir(interop());
        finished(command)
    }
}

fn make(environment: &Path, requirements: &Path) {
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv", "--clear"]).arg(environment);
    finished(venv).unwrap_or_else(|why| panic!("{ADVICE}\n{why}"));

    let mut install = Command::new(environment.join("bin/python"));
    install
        .args(["-m", "pip", "install", "--quiet", "--require-hashes", "-r"])
        .arg(requirements);
    finished(install).unwrap_or_else(|why| {
        panic!(
            "pip cannot install interop/requirements.txt; is the package index reachable?\n{why}"
        )
    });
}

/// What it printed if it succeeded, else what it complained about.
fn finished(mut command: Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let said = text(&output.stdout);
    if output.status.success() {
        Ok(said)
    } else {
        Err(format!("{}\n{said}{}", output.status, text(&output.stderr)))
    }
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}
