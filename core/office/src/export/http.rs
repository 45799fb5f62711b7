//! Services of the web, as a document.

use super::{Entries, Secrets, secret_node};
use crate::{HttpLogin, HttpSource};
use plugboard_document::{Node, write_duration};
use plugboard_model::HttpMethod;
use std::path::Path;

pub(super) fn node(source: &HttpSource, secrets: Secrets, folder: Option<&Path>) -> Node {
    let mut entry = Entries::default();
    entry.put("id", source.id.as_str());
    entry.put("url", source.base.as_str());
    if let Some(login) = &source.login {
        let secret = secret_node(login.secret(), secrets, folder);
        let mut own = Entries::default();
        match login {
            HttpLogin::Bearer(_) => own.put("bearer", secret),
            HttpLogin::Path(_) => own.put("path", secret),
            HttpLogin::Basic { user, .. } => {
                own.put("user", user.as_str());
                own.put("password", secret);
            }
            HttpLogin::Header { name, .. } => {
                own.put("header", name.as_str());
                own.put("value", secret);
            }
        }
        entry.put("login", own.node());
    }
    if source.methods != [HttpMethod::Get].into() {
        let word = |method: &HttpMethod| HttpMethod::WORDS.iter().find(|(_, known)| known == method);
        let words = source.methods.iter().filter_map(word).map(|(word, _)| Node::from(*word));
        entry.put_list("methods", words);
    }
    entry.put_unless("timeout", write_duration(source.timeout), write_duration(HttpSource::TIMEOUT));
    entry.put_unless("retries", source.retries, HttpSource::RETRIES);
    entry.put_unless("at_once", source.at_once, HttpSource::AT_ONCE);
    entry.put_unless("bytes", source.bytes_max, HttpSource::BYTES_MAX);
    entry.put_unless("private", source.private, false);
    entry.node()
}
