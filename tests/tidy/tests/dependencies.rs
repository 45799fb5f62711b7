//! Dependencies run one way, and each foreign format has one owner (`core/ARCHITECTURE.md`).

use plugboard_tests_tidy::{Kind, Package, Source, before_tests, packages, root, sources};
use std::process::Command;

/// Who may depend on whom. A new edge is a decision: it is written here, with the reason in `core/ARCHITECTURE.md`.
const EDGES: &[(&str, &[&str])] = &[
    ("model", &[]),
    // The place-keeping reader under scenario and office documents, and what the two share.
    ("document", &["model"]),
    ("sip", &["model"]),
    ("media", &["model"]),
    // The C behind the media's seam, so that all the rest builds without a C compiler; wired by the server alone.
    ("codec", &["model", "media"]),
    // Encryption behind the media's other seam, wired by the server alone.
    ("srtp", &["model", "media"]),
    ("call", &["model"]),
    // Time zones and iCalendar, for whoever asks what day it is.
    ("calendar", &["model", "document"]),
    ("scenario", &["model", "document", "calendar"]),
    ("office", &["model", "document", "calendar"]),
    ("componentize", &[]),
    // Who made a plugin's file: neither the host nor its build asks.
    ("signature", &[]),
    // The host wraps a core module itself, so that a vendor needs cargo and nothing more.
    ("plugin", &["model", "componentize"]),
    ("store", &["model"]),
    ("metrics", &["model"]),
    (
        "switch",
        &["model", "document", "sip", "media", "call", "scenario", "office", "plugin", "store", "metrics", "recorder"],
    ),
    // Files that grow with calls: one thread that writes, and a queue that media threads never wait for.
    ("recorder", &["model", "media", "codec"]),
    // Beside the machines, and wired by the server alone: nothing that decides knows what the outside speaks.
    ("outside", &["model"]),
    // Sound files and speech: C and foreign formats, which no machine knows.
    ("sound", &["media", "codec"]),
    ("console", &["model", "metrics", "switch"]),
    // This switch in virtual time: for stories, and for whoever asks what a call would do.
    (
        "simulator",
        &[
            "model", "sip", "media", "codec", "srtp", "scenario", "office", "plugin", "store", "metrics", "recorder",
            "switch",
        ],
    ),
    (
        "server",
        &[
            "model",
            "document",
            "calendar",
            "sip",
            "media",
            "codec",
            "srtp",
            "call",
            "scenario",
            "office",
            "plugin",
            "componentize",
            "signature",
            "store",
            "metrics",
            "switch",
            "outside",
            "sound",
            "recorder",
            "console",
            "simulator",
            // `plugboard plugin test` makes the calls of a vendor's file under the real host.
            "testkit",
        ],
    ),
    ("setup", &[]),
    ("sdk-macros", &[]),
    ("sdk", &["sdk-macros"]),
    // Apart, since a component says that it may import what is in each crate that it is made of.
    ("sdk-integration", &["sdk", "sdk-macros"]),
    ("testkit", &["model", "plugin", "componentize"]),
];

/// The only package that names a foreign crate; the others see our own types.
const OWNERS: &[(&str, &str)] = &[
    ("rsip", "sip"),
    // The XML of events.
    ("roxmltree", "sip"),
    ("sdp-types", "media"),
    ("str0m", "media"),
    ("chrono", "calendar"),
    ("chrono-tz", "calendar"),
    ("calcard", "calendar"),
    ("opus", "codec"),
    ("spandsp", "codec"),
    ("rtc-srtp", "srtp"),
    ("dimpl", "srtp"),
    ("wasmtime", "plugin"),
    ("rocksdb", "store"),
    ("prometheus", "metrics"),
    ("hickory-resolver", "outside"),
    ("lettre", "outside"),
    ("reqwest", "outside"),
    ("sqlx", "outside"),
    ("tiberius", "outside"),
    ("symphonia", "sound"),
    ("rubato", "sound"),
    ("ebur128", "sound"),
    ("actix", "switch"),
    ("actix-web", "console"),
    ("clap", "server"),
];

/// What none of our packages names, and what takes its place.
const BANNED: [(&str, &str); 4] = [
    ("anyhow", "an error type that names cause and remedy"),
    ("lazy_static", "std::sync::LazyLock"),
    ("once_cell", "std::sync::OnceLock"),
    ("async-trait", "async fn in traits, or a boxed future in sight"),
];

/// Packages without socket, clock, task or random source: `handle(now, Input)`, `poll_output()`, `poll_timeout()`.
const SANS_IO: [&str; 9] =
    ["model", "document", "sip", "media", "call", "calendar", "scenario", "office", "componentize"];
/// The part of such a package that carries what it decides, on threads and sockets.
const CARRIERS: [&str; 1] = ["core/media/src/driver/"];
/// Files that name what the others do not, and why nothing of it is a clock.
const EXCEPTIONS: [(&str, &str); 2] = [
    // str0m counts from an instant that it is given; `Instant::now` stays forbidden.
    ("core/media/src/browser/mod.rs", "std::time::Instant"),
    ("core/media/src/engine/browsers.rs", "std::time::Instant"),
];
/// What such a package does not depend on.
const IO_CRATES: [&str; 8] = ["tokio", "actix", "actix-rt", "mio", "socket2", "libc", "rand", "getrandom"];
/// What such a package does not name.
const IO_NAMES: [&str; 11] = [
    "std::time::Instant",
    "std::time::SystemTime",
    "Instant::now",
    "SystemTime::now",
    "std::net::UdpSocket",
    "std::net::TcpStream",
    "std::net::TcpListener",
    "std::thread",
    "std::fs",
    "libc::",
    "socket2::",
];

fn short(name: &str) -> &str {
    name.strip_prefix("plugboard-").unwrap_or(name)
}

fn is_outermost(package: &Package) -> bool {
    ["tests/", "benches", "plugins/"].iter().any(|start| package.folder.starts_with(start))
}

fn workspace() -> Vec<Package> {
    packages().unwrap_or_else(|why| panic!("cargo metadata: {why}"))
}

/// The edges between our own packages that are not allowed.
fn forbidden(packages: &[Package]) -> Vec<String> {
    let mut complaints = Vec::new();
    for package in packages.iter().filter(|package| !is_outermost(package)) {
        let Some((_, allowed)) = EDGES.iter().find(|(name, _)| *name == short(&package.name)) else {
            complaints.push(format!("{} is not in the table", package.name));
            continue;
        };
        for (dependency, kind) in &package.dependencies {
            let Some(ours) = dependency.strip_prefix("plugboard-") else { continue };
            // A test may look at its subject through the kit that vendors use.
            let is_kit = *kind == Kind::Dev && matches!(ours, "testkit" | "simulator");
            if !is_kit && !allowed.contains(&ours) {
                complaints.push(format!("{} depends on {dependency} ({kind:?})", package.name));
            }
        }
    }
    complaints
}

#[test]
fn dependencies_run_one_way() {
    let complaints = forbidden(&workspace());
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn a_new_edge_between_peers_is_noticed() {
    let sip = Package {
        name: "plugboard-sip".into(),
        folder: "core/sip".into(),
        dependencies: vec![("plugboard-media".into(), Kind::Normal), ("plugboard-model".into(), Kind::Normal)],
    };
    assert_eq!(forbidden(&[sip]), ["plugboard-sip depends on plugboard-media (Normal)"]);
}

#[test]
fn nothing_depends_on_tests_benches_and_plugins() {
    let packages = workspace();
    let outermost: Vec<&str> =
        packages.iter().filter(|package| is_outermost(package)).map(|package| package.name.as_str()).collect();
    for package in packages.iter().filter(|package| !is_outermost(package)) {
        for (dependency, kind) in &package.dependencies {
            let is_test = *kind == Kind::Dev;
            assert!(is_test || !outermost.contains(&dependency.as_str()), "{} depends on {dependency}", package.name);
        }
    }
}

#[test]
fn each_foreign_format_has_one_owner() {
    for package in workspace().iter().filter(|package| !is_outermost(package)) {
        for (dependency, kind) in &package.dependencies {
            let owner = OWNERS.iter().find(|(foreign, _)| foreign == dependency);
            let is_owner = owner.is_none_or(|(_, owner)| short(&package.name) == *owner);
            assert!(is_owner || *kind == Kind::Dev, "{} names {dependency}, which {owner:?} owns", package.name);
        }
    }
}

/// The dependencies that no source file of their package names.
fn unused(package: &Package, sources: &[Source]) -> Vec<String> {
    let folder = format!("{}/", package.folder);
    let own: Vec<&Source> = sources.iter().filter(|source| source.path.starts_with(&folder)).collect();
    let is_named = |name: &str| {
        // The library of `md-5` is called `md5`.
        let names = [name.replace('-', "_"), name.replace('-', "")];
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        own.iter().any(|source| {
            source.text.split(|letter| !is_word(letter)).any(|word| names.iter().any(|name| word == name))
        })
    };
    let linked = package.dependencies.iter().filter(|(_, kind)| *kind != Kind::Build);
    let names = linked.map(|(name, _)| name).filter(|name| !is_named(name));
    names.map(|name| format!("{} never names {name}", package.name)).collect()
}

#[test]
fn every_dependency_is_used() {
    let sources = sources(&[".rs"]);
    let complaints: Vec<String> = workspace().iter().flat_map(|package| unused(package, &sources)).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn a_dependency_that_nobody_names_is_noticed() {
    let dependencies = vec![("md-5".to_owned(), Kind::Normal), ("sha2".to_owned(), Kind::Normal)];
    let package = Package { name: "plugboard-sip".into(), folder: "core/sip".into(), dependencies };
    let text = "use sha2::Sha256; // not md_55".to_owned();
    let found = unused(&package, &[Source { path: "core/sip/src/lib.rs".into(), text }]);
    assert_eq!(found, ["plugboard-sip never names md-5"]);
}

#[test]
fn banned_crates_are_not_named() {
    for package in workspace() {
        for (dependency, _) in &package.dependencies {
            let banned = BANNED.iter().find(|(banned, _)| banned == dependency);
            assert!(banned.is_none(), "{} depends on {dependency}; take {banned:?}", package.name);
        }
    }
}

#[test]
fn sans_io_packages_depend_on_no_socket_clock_or_task() {
    for package in workspace().iter().filter(|package| SANS_IO.contains(&short(&package.name))) {
        for (dependency, kind) in &package.dependencies {
            let is_io = *kind == Kind::Normal && IO_CRATES.contains(&dependency.as_str());
            // What the carriers stand on is the package's; that nothing else in it names that is looked at below.
            let carried = CARRIERS.iter().any(|carrier| carrier.starts_with(&format!("{}/", package.folder)));
            let is_io = is_io && !(carried && matches!(dependency.as_str(), "libc" | "socket2"));
            assert!(!is_io, "{} depends on {dependency}", package.name);
        }
    }
}

/// What the sources of these packages name of sockets, clocks and files.
fn io_named(packages: &[Package], sources: &[Source]) -> Vec<String> {
    let folders: Vec<String> = packages
        .iter()
        .filter(|package| SANS_IO.contains(&short(&package.name)) && package.name != "plugboard-componentize")
        .map(|package| format!("{}/src/", package.folder))
        .collect();
    let mut complaints = Vec::new();
    for source in sources.iter().filter(|source| folders.iter().any(|folder| source.path.starts_with(folder))) {
        if CARRIERS.iter().any(|carrier| source.path.starts_with(carrier)) {
            continue;
        }
        let code = before_tests(&source.text).lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in code {
            let named = IO_NAMES.iter().filter(|name| line.contains(*name));
            let named = named.filter(|name| !EXCEPTIONS.contains(&(source.path.as_str(), **name)));
            complaints.extend(named.map(|name| format!("{}: {name}", source.path)));
        }
    }
    complaints
}

#[test]
fn sans_io_sources_name_no_socket_clock_or_file() {
    let complaints = io_named(&workspace(), &sources(&[".rs"]));
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn a_clock_or_socket_in_the_media_engine_is_noticed_and_one_in_its_driver_is_not() {
    let text = "let now = Instant::now();\nlibc::poll();\n".to_owned();
    let files = ["engine.rs", "driver/shard.rs", "browser/mod.rs"];
    let sources = files.map(|file| Source { path: format!("core/media/src/{file}"), text: text.clone() });
    let expected = [
        "core/media/src/engine.rs: Instant::now",
        "core/media/src/engine.rs: libc::",
        "core/media/src/browser/mod.rs: Instant::now",
        "core/media/src/browser/mod.rs: libc::",
    ];
    assert_eq!(io_named(&workspace(), &sources), expected);
}

/// Where both commands of the README begin: on a machine that has cargo and nothing else.
#[test]
fn what_sets_the_machine_up_depends_on_nothing() {
    let packages = workspace();
    let setup = packages.iter().find(|package| package.name == "plugboard-setup");
    assert_eq!(setup.map(|setup| setup.dependencies.as_slice()), Some(&[][..]));
}

/// The lines of `cargo tree` that a plain `cargo check` of a bare clone cannot build, or should not.
fn too_much_for_a_bare_clone(tree: &str) -> Vec<&str> {
    let name = |line: &str| line.split(' ').next().unwrap_or_default().to_owned();
    let wants_libclang = |name: &str| matches!(name, "clang-sys" | "bindgen");
    // aws-lc-sys names cmake for other systems; here it is built by the C compiler alone.
    let wants_cmake = |name: &str| {
        let owner = OWNERS.iter().find(|(foreign, _)| *foreign == name).map(|(_, owner)| *owner);
        matches!(owner, Some("codec" | "store" | "sound")) || name.ends_with("rocksdb-sys")
    };
    let is_action = |line: &str| line.contains("/plugins/");
    let lines = tree.lines().filter(|line| {
        let name = name(line);
        wants_libclang(&name) || wants_cmake(&name) || is_action(line)
    });
    lines.collect()
}

#[test]
fn a_plain_check_of_a_bare_clone_needs_no_libclang_no_cmake_and_no_plugin() {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["tree", "--offline", "--edges", "normal,build", "--prefix", "none"]).current_dir(root());
    let output = cargo.output().unwrap_or_else(|why| panic!("cargo could not be started: {why}"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let tree = String::from_utf8_lossy(&output.stdout);
    assert!(tree.contains("plugboard-plugin v"), "{tree}");
    let found = too_much_for_a_bare_clone(&tree);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_database_and_an_action_among_the_default_members_are_noticed() {
    let tree =
        "serde v1.0.0\nclang-sys v1.8.1\nlibrocksdb-sys v0.18.0\nplugboard-echo v0.1.0 (/w/plugins/actions/echo)";
    assert_eq!(too_much_for_a_bare_clone(tree), tree.lines().skip(1).collect::<Vec<_>>());
}

/// The lints of a `Cargo.toml` that have neither a reason above them nor stand right below one of their kind.
fn lints_without_reason(manifest: &str) -> Vec<&str> {
    let mut part = "";
    let mut has_reason = false;
    let mut bare = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            (part, has_reason) = (line, false);
        } else if line.is_empty() {
            has_reason = false;
        } else if line.starts_with('#') {
            has_reason = true;
        } else if part.starts_with("[workspace.lints.") && !has_reason {
            bare.push(line);
        }
    }
    bare
}

#[test]
fn every_lint_has_its_reason() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap_or_default();
    assert!(manifest.contains("[workspace.lints.rust]") && manifest.contains("[workspace.lints.clippy]"));
    assert_eq!(lints_without_reason(&manifest), [""; 0]);
    let bare = "[workspace.lints.rust]\nunsafe_code = \"deny\"\n\n# For people.\nmissing_docs = \"warn\"\n[profile.release]\nlto = true";
    assert_eq!(lints_without_reason(bare), ["unsafe_code = \"deny\""]);
}

/// Actions are small and wasm: what makes the switch fast would make them large, and whoever builds the switch alone builds none.
#[test]
fn actions_have_a_profile_of_their_own_and_are_no_default_members() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap_or_default();
    let (_, profile) = manifest.split_once("[profile.plugin]\n").unwrap_or_default();
    let profile = profile.split("\n[").next().unwrap_or_default();
    for line in ["inherits = \"release\"", "opt-level = \"s\"", "panic = \"abort\""] {
        assert!(profile.lines().any(|own| own == line), "{line} in {profile}");
    }
    let builder = std::fs::read_to_string(root().join("core/setup/src/plugins.rs")).unwrap_or_default();
    assert!(builder.contains("const PROFILE: &str = \"plugin\";"));
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--no-deps", "--format-version", "1", "--offline"]).current_dir(root());
    let output = cargo.output().unwrap_or_else(|why| panic!("cargo could not be started: {why}"));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let listed = |name: &str| -> Vec<String> {
        let ids = metadata.get(name).and_then(serde_json::Value::as_array).into_iter().flatten();
        ids.filter_map(|id| Some(id.as_str()?.to_owned())).filter(|id| id.contains("/plugins/")).collect()
    };
    assert!(!listed("workspace_members").is_empty());
    assert_eq!(listed("workspace_default_members"), [""; 0]);
}
