//! The command line.

/// What `--help` prints, and a wrong command line after its complaint.
pub(crate) const USAGE: &str = "\
cargo up [--setup-only] [ARGUMENTS OF plugboard serve...]
    Sets this machine up, builds plugins and switch, serves the demo office.
    --setup-only   stop before the build

cargo verify [--long] [--setup-only]
    Sets this machine up and runs every check and test.
    --long         with the full rounds, seeds and row counts
    --setup-only   stop before the first check

cargo plugins      builds the plugins only
cargo notices      writes core/server/third-party-licenses.txt anew

Built things go to CARGO_TARGET_DIR (default: target/), logs of the steps to setup/ in there.";

/// What the caller wants.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Say how to use this.
    Help,
    /// Set up, build, serve.
    Up(UpWish),
    /// Set up, check, test.
    Verify(VerifyWish),
    /// Build the plugins.
    Plugins,
    /// Write the third-party notices.
    Notices,
}

/// How `cargo up` is wanted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct UpWish {
    /// Stop when the machine is ready to build.
    pub(crate) setup_only: bool,
    /// Handed to `plugboard serve` as they are.
    pub(crate) serve: Vec<String>,
}

/// How `cargo verify` is wanted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VerifyWish {
    /// Full rounds, seeds and row counts.
    pub(crate) long: bool,
    /// Stop when the machine is ready to build.
    pub(crate) setup_only: bool,
}

/// Reads the arguments after the program's name; the error is a sentence for the caller.
pub(crate) fn parse(args: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let mut args = args.into_iter();
    let Some(command) = args.next() else { return Err("a command is missing".into()) };
    match command.as_str() {
        "up" => Ok(parse_up(args)),
        "verify" => parse_verify(args),
        "plugins" => alone("plugins", Command::Plugins, args),
        "notices" => alone("notices", Command::Notices, args),
        "help" | "--help" | "-h" => Ok(Command::Help),
        other => Err(format!("there is no command `{other}`")),
    }
}

fn parse_up(args: impl Iterator<Item = String>) -> Command {
    let mut wish = UpWish::default();
    for arg in args {
        match arg.as_str() {
            "--help" | "-h" if wish.serve.is_empty() => return Command::Help,
            "--setup-only" => wish.setup_only = true,
            _ => wish.serve.push(arg),
        }
    }
    Command::Up(wish)
}

fn parse_verify(args: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut wish = VerifyWish::default();
    for arg in args {
        match arg.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--long" => wish.long = true,
            "--setup-only" => wish.setup_only = true,
            other => return Err(format!("`verify` knows no argument `{other}`")),
        }
    }
    Ok(Command::Verify(wish))
}

fn alone(name: &str, command: Command, mut args: impl Iterator<Item = String>) -> Result<Command, String> {
    match args.next().as_deref() {
        None => Ok(command),
        Some("--help" | "-h") => Ok(Command::Help),
        Some(other) => Err(format!("`{name}` takes no argument, and got `{other}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(String::from))
    }

    #[test]
    fn up_hands_what_it_does_not_know_to_serve() {
        let wish = UpWish { setup_only: false, serve: vec!["--listen".into(), "127.0.0.1:0".into()] };
        assert_eq!(parsed("up --listen 127.0.0.1:0"), Ok(Command::Up(wish)));
    }

    #[test]
    fn verify_knows_long_and_nothing_else() {
        assert_eq!(parsed("verify --long"), Ok(Command::Verify(VerifyWish { long: true, setup_only: false })));
        assert!(parsed("verify --lnog").unwrap_err().contains("--lnog"));
    }

    #[test]
    fn an_unknown_command_is_named_in_the_complaint() {
        assert!(parsed("fly").unwrap_err().contains("`fly`"));
        assert!(parsed("").is_err());
        assert!(parsed("plugins now").is_err());
    }

    #[test]
    fn help_is_found_wherever_it_stands() {
        for line in ["--help", "help", "up --help", "verify --long -h", "plugins --help"] {
            assert_eq!(parsed(line), Ok(Command::Help), "{line}");
        }
    }
}
