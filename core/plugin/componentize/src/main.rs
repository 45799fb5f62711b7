//! `plugboard-componentize IN.wasm OUT.wasm`: a core module in, a component out.

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(from), Some(to), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        return fail(2, "usage: plugboard-componentize IN.wasm OUT.wasm");
    };
    let module = match std::fs::read(&from) {
        Ok(module) => module,
        Err(cause) => return fail(1, &format!("cannot read {}: {cause}", from.display())),
    };
    match plugboard_componentize::componentize(&module) {
        Ok(component) => match std::fs::write(&to, component) {
            Ok(()) => ExitCode::SUCCESS,
            Err(cause) => fail(1, &format!("cannot write {}: {cause}", to.display())),
        },
        Err(cause) => fail(1, &format!("{}: {cause}", from.display())),
    }
}

/// Says why on standard error; when even that is closed, the exit code alone speaks.
fn fail(code: u8, why: &str) -> ExitCode {
    drop(writeln!(std::io::stderr(), "{why}"));
    ExitCode::from(code)
}
