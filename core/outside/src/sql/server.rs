//! Connections to servers by the drivers that take a socket's path.

use sqlx::ConnectOptions;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};

use super::connection::not_opened;
use super::line::Line;
use super::{NoRows, Server, Tls};

/// What servers' logs call us.
const OURSELVES: &str = "plugboard";

/// A connection to a server of PostgreSQL.
pub(super) async fn postgresql(server: &Server, line: Line, roots: &[u8]) -> Result<PgConnection, NoRows> {
    // The driver's own name for a socket.
    let folder = line.door(&format!(".s.PGSQL.{}", server.port))?;
    let options = PgConnectOptions::new_without_pgpass()
        .host(&server.host)
        .port(server.port)
        .socket(folder.path())
        .username(&server.user)
        .password(server.password.as_deref().unwrap_or_default())
        .database(&server.database)
        .application_name(OURSELVES)
        .extra_float_digits(None);
    let options = match server.tls {
        Tls::Verify => options.ssl_mode(PgSslMode::VerifyFull).ssl_root_cert_from_pem(roots.to_vec()),
        Tls::Encrypt => options.ssl_mode(PgSslMode::Require),
        Tls::None => options.ssl_mode(PgSslMode::Disable),
    };
    options.disable_statement_logging().connect().await.map_err(|error| not_opened(&error))
}

/// A connection to a server of MySQL or MariaDB.
pub(super) async fn mysql(server: &Server, line: Line, roots: &[u8]) -> Result<MySqlConnection, NoRows> {
    const SOCKET: &str = "socket";
    let folder = line.door(SOCKET)?;
    let options = MySqlConnectOptions::new()
        .host(&server.host)
        .port(server.port)
        .socket(folder.path().join(SOCKET))
        .username(&server.user)
        .password(server.password.as_deref().unwrap_or_default())
        .database(&server.database)
        // Its SQL is read as its own clients' is.
        .pipes_as_concat(false)
        .no_engine_substitution(false);
    let options = match server.tls {
        Tls::Verify => options.ssl_mode(MySqlSslMode::VerifyIdentity).ssl_ca_from_pem(roots.to_vec()),
        Tls::Encrypt => options.ssl_mode(MySqlSslMode::Required),
        Tls::None => options.ssl_mode(MySqlSslMode::Disabled),
    };
    options.disable_statement_logging().connect().await.map_err(|error| not_opened(&error))
}
