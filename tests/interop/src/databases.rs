//! PostgreSQL and MariaDB, as Debian has them: servers of the test's own, in a folder of its own, at a port of this machine.

use std::fs::{self, Permissions};
use std::net::{Ipv4Addr, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

use crate::{Program, free_port, program, tool, until};

/// Whom the servers know.
pub const DATABASE_USER: &str = "plugboard";
/// His password.
pub const DATABASE_PASSWORD: &str = "s3cret-words";
/// What they call the database.
pub const DATABASE: &str = "crm";

/// What the servers run as where the test runs as root: neither of them would.
const NOBODY: u32 = 65_534;

/// A running server. It is killed with the test.
#[derive(Debug)]
pub struct DatabaseServer {
    program: Program,
    port: u16,
    folder: TempDir,
}

impl DatabaseServer {
    /// A server of PostgreSQL that speaks TLS as `localhost`.
    pub fn postgresql() -> Self {
        let folder = folder();
        let data = folder.path().join("data");
        let word = folder.path().join("password");
        own(&word, DATABASE_PASSWORD);
        let mut initdb = ourselves_as_nobody(&postgresql_tool("initdb"));
        initdb.args(["-U", DATABASE_USER, "--auth=scram-sha-256", "--no-sync", "--encoding=UTF8", "--locale=C"]);
        initdb.arg("--pwfile").arg(&word).arg("-D").arg(&data);
        succeeds(initdb);
        let port = free_port(1);
        let mut server = ourselves_as_nobody(&postgresql_tool("postgres"));
        server.arg("-D").arg(&data).args([
            "-p",
            &port.to_string(),
            "-h",
            "127.0.0.1",
            "-c",
            "fsync=off",
            "-c",
            "ssl=on",
        ]);
        for (setting, file) in [("ssl_cert_file", "cert.pem"), ("ssl_key_file", "key.pem")] {
            server.arg("-c").arg(format!("{setting}={}", folder.path().join(file).display()));
        }
        server.arg("-c").arg(format!("unix_socket_directories={}", folder.path().display()));
        let program = Program::start(server, folder.path(), "postgres");
        until("PostgreSQL to be ready", || program.output().contains("ready to accept connections").then_some(()));
        let mut create = Command::new(postgresql_tool("psql"));
        create.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-U", DATABASE_USER, "-d", "postgres", "-c"]);
        create.arg(format!("create database {DATABASE}")).env("PGPASSWORD", DATABASE_PASSWORD);
        succeeds(create);
        Self { program, port, folder }
    }

    /// A server of MariaDB that speaks TLS as `localhost`.
    pub fn mariadb() -> Self {
        let folder = folder();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        give_away(&data);
        // What `mariadb-install-db` does, without the programs that it needs besides.
        let mut bootstrap = ourselves_as_nobody(&mariadbd());
        let plainly = ["--no-defaults", "--bootstrap", "--skip-log-error", "--default-storage-engine=InnoDB"];
        bootstrap.args(plainly).arg("--datadir").arg(&data);
        let mut tables =
            "create database mysql;\nuse mysql;\nset @auth_root_socket=null;\nset @skip_auth_anonymous=1;\n".to_owned();
        for file in ["mysql_system_tables.sql", "mysql_system_tables_data.sql"] {
            let file = Path::new("/usr/share/mysql").join(file);
            tables += &fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        }
        let input = folder.path().join("tables.sql");
        own(&input, &tables);
        bootstrap.stdin(Stdio::from(fs::File::open(&input).unwrap()));
        let made = bootstrap.output().unwrap();
        assert!(made.status.success(), "MariaDB's tables: {}", String::from_utf8_lossy(&made.stderr));
        let init = folder.path().join("init.sql");
        let user = format!("{DATABASE_USER}@'%'");
        own(
            &init,
            &format!(
                "create user {user} identified by '{DATABASE_PASSWORD}';\ncreate database {DATABASE} character set utf8mb4;\n\
                 grant all on {DATABASE}.* to {user};\n"
            ),
        );
        let port = free_port(1);
        let mut server = ourselves_as_nobody(&mariadbd());
        server.args(["--no-defaults", "--bind-address=127.0.0.1", "--skip-name-resolve", "--skip-log-error"]);
        server.arg(format!("--port={port}")).arg("--datadir").arg(&data);
        for (setting, file) in [
            ("socket", "socket"),
            ("pid-file", "pid"),
            ("init-file", "init.sql"),
            ("ssl-cert", "cert.pem"),
            ("ssl-key", "key.pem"),
        ] {
            server.arg(format!("--{setting}={}", folder.path().join(file).display()));
        }
        let program = Program::start(server, folder.path(), "mariadbd");
        until("MariaDB to be ready", || program.output().contains("ready for connections").then_some(()));
        until("MariaDB's port", || TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok().map(drop));
        Self { program, port, folder }
    }

    /// Its port of 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The certificate by which it is known as `localhost`.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// Stops it as fast as it goes, and waits for its end.
    pub fn stops(&mut self) {
        // PostgreSQL: the fast way to an end. MariaDB ends by it all the same.
        self.program.signal("QUIT");
        self.program.wait();
    }
}

/// A folder that the servers may look into, with a certificate for `localhost`.
fn folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("plugboard-databases-").tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    own(&folder.path().join("cert.pem"), &made.cert.pem());
    own(&folder.path().join("key.pem"), &made.signing_key.serialize_pem());
    give_away(folder.path());
    folder
}

/// A file that the server alone reads.
fn own(file: &Path, text: &str) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
    give_away(file);
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

fn give_away(path: &Path) {
    if is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

/// A program, as nobody where we are root.
fn ourselves_as_nobody(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new(tool("setpriv"));
    command.args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups", "--"]).arg(program);
    command
}

fn succeeds(mut command: Command) {
    let done = program::run(&mut command);
    let told = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?}: {told}");
}

/// Debian has several versions side by side, outside of everybody's path.
fn postgresql_tool(name: &str) -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let found = versions.map(|version| version.path().join("bin").join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| tool(name))
}

fn mariadbd() -> PathBuf {
    let usual = PathBuf::from("/usr/sbin/mariadbd");
    if usual.is_file() { usual } else { tool("mariadbd") }
}
