//! What the machine lacks: compilers, libraries and, for the tests, programs to talk to.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::project::Project;
use crate::step::{Failure, Log, Show};

/// Something the machine must have, and the Debian package that brings it.
#[derive(Debug, Clone, Copy)]
struct Need {
    package: &'static str,
    why: &'static str,
    sign: Sign,
}

/// How to tell that it is there: by what is used of it, so that one installed by other means counts as well.
#[derive(Debug, Clone, Copy)]
enum Sign {
    Program(&'static str),
    Header(&'static str),
    LibClang,
    KamailioTls,
    PostgreSql,
    Pip,
}

/// To build the switch.
const BUILD: &[Need] = &[
    Need { package: "build-essential", why: "the C and C++ compilers for RocksDB", sign: Sign::Program("c++") },
    Need { package: "libclang-dev", why: "RocksDB's C headers are read with it", sign: Sign::LibClang },
    Need { package: "cmake", why: "libopus is built with it", sign: Sign::Program("cmake") },
    Need { package: "libtiff-dev", why: "spandsp (G.722) is built with it", sign: Sign::Header("tiffio.h") },
    Need { package: "libjpeg-dev", why: "spandsp is built with it", sign: Sign::Header("jpeglib.h") },
];

/// To fetch Node where there is none.
const PIP: Need = Need { package: "python3-pip", why: "fetches Node", sign: Sign::Pip };

/// To run every test.
const TEST: &[Need] = &[
    Need {
        package: "coturn",
        why: "the TURN server that browsers of the tests go through",
        sign: Sign::Program("turnserver"),
    },
    Need { package: "sip-tester", why: "sipp, the interop tests' callers and callees", sign: Sign::Program("sipp") },
    Need { package: "baresip-core", why: "two phones that must hear each other", sign: Sign::Program("baresip") },
    Need { package: "linphone-cli", why: "a phone that knows the SHA-256 digest", sign: Sign::Program("linphonec") },
    Need { package: "kamailio", why: "a carrier that the switch registers at", sign: Sign::Program("kamailio") },
    Need { package: "kamailio-tls-modules", why: "its TLS", sign: Sign::KamailioTls },
    Need { package: "postgresql", why: "a database that actions ask", sign: Sign::PostgreSql },
    Need { package: "mariadb-server-core", why: "another one", sign: Sign::Program("mariadbd") },
    Need { package: "chromium", why: "the browser that JsSIP runs in", sign: Sign::Program("chromium") },
    Need { package: "espeak-ng", why: "reads words aloud", sign: Sign::Program("espeak-ng") },
    Need { package: "tshark", why: "reads the packet files we write", sign: Sign::Program("tshark") },
    Need {
        package: "python3-aiosmtpd",
        why: "a mail server that keeps what it is sent",
        sign: Sign::Program("aiosmtpd"),
    },
    Need { package: "libtiff-tools", why: "reads and writes the faxes", sign: Sign::Program("tiffinfo") },
    Need { package: "poppler-utils", why: "shows the PDF files of faxes", sign: Sign::Program("pdftoppm") },
    Need { package: "debootstrap", why: "the bare machine of the set-up test", sign: Sign::Program("debootstrap") },
];

/// The packages that `cargo up` needs are there afterwards.
pub(crate) fn for_build(project: &Project, log: &mut Log) -> Result<String, Failure> {
    provide(project, log, BUILD)
}

/// The packages that `cargo verify` needs are there afterwards.
pub(crate) fn for_tests(project: &Project, log: &mut Log) -> Result<String, Failure> {
    let needs: Vec<Need> = BUILD.iter().chain(TEST).copied().collect();
    provide(project, log, &needs)
}

/// pip is there afterwards.
pub(crate) fn provide_pip(project: &Project, log: &mut Log) -> Result<(), Failure> {
    provide(project, log, &[PIP]).map(|_| ())
}

fn provide(project: &Project, log: &mut Log, needs: &[Need]) -> Result<String, Failure> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !is_there(need.sign)).collect();
    if missing.is_empty() {
        return Ok("nothing is missing".into());
    }
    for need in &missing {
        log.say(&format!("missing: {} ({})", need.package, need.why));
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    install(project, log, &packages)?;
    let still: Vec<&str> = missing.iter().filter(|need| !is_there(need.sign)).map(|need| need.package).collect();
    if still.is_empty() {
        Ok(format!("installed {}", packages.join(" ")))
    } else {
        Err(Failure::new(format!("installed, and still not found: {}", still.join(" "))))
    }
}

/// Installs Debian packages, or says which command would.
fn install(project: &Project, log: &mut Log, packages: &[&str]) -> Result<(), Failure> {
    let by_hand = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    if on_path("apt-get").is_none() {
        return Err(Failure::new(format!(
            "this machine has no apt-get; please install what Debian calls {}",
            packages.join(" ")
        )));
    }
    let Some(rights) = rights() else {
        return Err(Failure::new(format!("please run this, and then the same command again:\n\n    sudo {by_hand}\n")));
    };
    let apt = |args: &[&str]| {
        // RUNLEVEL=1 tells Debian's service scripts that nothing is to be started.
        let settings = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"];
        // Another apt at work is waited for, within reason.
        let apt = ["apt-get", "--yes", "--quiet", "--option", "DPkg::Lock::Timeout=300"];
        let mut words: Vec<&str> = rights.iter().copied().chain(settings).chain(apt).collect();
        words.extend(args);
        let (program, rest) = words.split_first().unwrap_or((&"apt-get", &[]));
        project.command(program, rest)
    };
    if log.run(&mut apt(&["update"]), Show::OnFailure).is_err() {
        // A third party's list that cannot be read must not keep Debian's packages away.
        log.say("apt-get update had a complaint; going on with the lists at hand");
    }
    let mut args = vec!["install", "--no-install-recommends"];
    args.extend(packages);
    log.run(&mut apt(&args), Show::OnFailure)
}

/// The words before a command that needs root: none for root, `sudo` where it asks no password.
fn rights() -> Option<&'static [&'static str]> {
    let uid = Command::new("id").arg("-u").output().ok()?;
    if uid.stdout.trim_ascii() == b"0" {
        return Some(&[]);
    }
    let sudo = Command::new("sudo").args(["--non-interactive", "true"]).output().ok()?;
    sudo.status.success().then_some(&["sudo", "--non-interactive"])
}

fn is_there(sign: Sign) -> bool {
    match sign {
        Sign::Program(name) => on_path(name).is_some(),
        Sign::Header(name) => has_header(Path::new("/usr"), name),
        Sign::LibClang => std::env::var_os("LIBCLANG_PATH").is_some() || has_libclang(Path::new("/usr/lib")),
        Sign::Pip => {
            Command::new("python3").args(["-m", "pip", "--version"]).output().is_ok_and(|pip| pip.status.success())
        }
        Sign::KamailioTls => has_kamailio_tls(Path::new("/usr")),
        Sign::PostgreSql => has_postgresql(Path::new("/usr/lib")),
    }
}

/// The file that `name` runs.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Headers lie in the folder of them all, or in that of the architecture in it.
fn has_header(usr: &Path, name: &str) -> bool {
    let mut folders = ["include", "local/include"].into_iter().map(|folder| usr.join(folder));
    folders.any(|folder| folder.join(name).exists() || entries(&folder).any(|inner| inner.join(name).exists()))
}

/// bindgen looks for the library by itself; the compiler's own headers (`stddef.h`) must lie beside it.
fn has_libclang(lib: &Path) -> bool {
    entries(lib).filter(|folder| named(folder, "llvm-")).any(|llvm| {
        let library = entries(&llvm.join("lib")).any(|file| named(&file, "libclang"));
        library && entries(&llvm.join("lib/clang")).any(|version| version.join("include/stddef.h").exists())
    })
}

/// Modules lie below the library folder, or below that of the architecture in it.
fn has_kamailio_tls(usr: &Path) -> bool {
    let libraries = || ["lib", "lib64"].into_iter().map(|name| usr.join(name));
    let mut folders = libraries().chain(libraries().flat_map(|lib| entries(&lib).collect::<Vec<_>>()));
    folders.any(|folder| folder.join("kamailio/modules/tls.so").exists())
}

/// Versions lie side by side, each with its programs; a client alone is none.
fn has_postgresql(lib: &Path) -> bool {
    entries(&lib.join("postgresql")).any(|version| version.join("bin/initdb").exists())
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}

fn named(path: &Path, start: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_on_the_path_and_a_fancy_is_not() {
        assert!(on_path("sh").is_some());
        assert_eq!(on_path("no-such-telephone"), None);
    }

    #[test]
    fn a_header_is_found_also_in_the_folder_of_the_architecture() {
        let usr = std::env::temp_dir().join(format!("plugboard-header-{}", std::process::id()));
        let folder = usr.join("include/some-linux-gnu");
        std::fs::create_dir_all(&folder).unwrap();
        assert!(!has_header(&usr, "tiffio.h"));
        std::fs::write(folder.join("tiffio.h"), "").unwrap();
        assert!(has_header(&usr, "tiffio.h"));
        std::fs::remove_dir_all(&usr).unwrap();
    }

    #[test]
    fn kamailios_tls_is_found_below_the_folder_of_the_architecture() {
        let usr = std::env::temp_dir().join(format!("plugboard-kamailio-{}", std::process::id()));
        let modules = usr.join("lib/some-linux-gnu/kamailio/modules");
        std::fs::create_dir_all(&modules).unwrap();
        assert!(!has_kamailio_tls(&usr));
        std::fs::write(modules.join("tls.so"), "").unwrap();
        assert!(has_kamailio_tls(&usr));
        std::fs::remove_dir_all(&usr).unwrap();
    }

    #[test]
    fn a_client_of_postgresql_is_no_server() {
        let lib = std::env::temp_dir().join(format!("plugboard-postgresql-{}", std::process::id()));
        let bin = lib.join("postgresql/15/bin");
        std::fs::create_dir_all(&bin).unwrap();
        std::fs::write(bin.join("psql"), "").unwrap();
        assert!(!has_postgresql(&lib));
        std::fs::write(bin.join("initdb"), "").unwrap();
        assert!(has_postgresql(&lib));
        std::fs::remove_dir_all(&lib).unwrap();
    }

    #[test]
    fn libclang_without_the_compilers_headers_does_not_count() {
        let lib = std::env::temp_dir().join(format!("plugboard-libclang-{}", std::process::id()));
        let llvm = lib.join("llvm-14/lib");
        std::fs::create_dir_all(&llvm).unwrap();
        assert!(!has_libclang(&lib));
        std::fs::write(llvm.join("libclang-14.so.1"), "").unwrap();
        assert!(!has_libclang(&lib));
        std::fs::create_dir_all(llvm.join("clang/14.0.6/include")).unwrap();
        std::fs::write(llvm.join("clang/14.0.6/include/stddef.h"), "").unwrap();
        assert!(has_libclang(&lib));
        std::fs::remove_dir_all(&lib).unwrap();
    }
}
