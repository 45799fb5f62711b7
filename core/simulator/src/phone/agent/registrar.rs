//! The far side of a gateway that wants a password and keeps registrations.

use plugboard_sip::{Request, Response};
use std::net::SocketAddr;

use super::Agent;
use crate::phone::digest;

/// The one challenge of a story: its answers are looked at by their hash.
const CHALLENGE: &str = "Digest realm=\"carrier.test\", nonce=\"n0nce\", qop=\"auth\", algorithm=MD5";

impl Agent {
    /// Whether the request was answered by a challenge, or refused for a wrong password.
    pub(super) fn challenges(&mut self, from: SocketAddr, request: &Request) -> bool {
        let Some(account) = self.demands.clone() else { return false };
        let is_register = request.method == plugboard_sip::Method::Register;
        let (asks, answers, status) = if is_register {
            ("WWW-Authenticate", "Authorization", 401)
        } else {
            ("Proxy-Authenticate", "Proxy-Authorization", 407)
        };
        let told = request.headers.get(answers);
        if told.is_some_and(|told| digest::is_right(&account, CHALLENGE, told, request.method.as_str())) {
            return false;
        }
        let mut response = Response::to_request_tagged(request, status, &self.name);
        response.headers.push(asks, CHALLENGE);
        self.respond_with(from, request, response);
        true
    }

    /// Takes a registration, or takes it back.
    pub(super) fn registers(&mut self, from: SocketAddr, request: &Request) {
        let contact = request.headers.get_all("Contact").last().unwrap_or_default().to_owned();
        let expires = request.headers.expires().unwrap_or(0);
        let uri = contact.trim_start_matches('<').split('>').next().unwrap_or_default().to_owned();
        self.contact_held = (expires > 0).then_some(uri);
        let mut response = Response::to_request_tagged(request, 200, &self.name);
        if expires > 0 {
            response.headers.push("Contact", contact);
        }
        self.respond_with(from, request, response);
    }
}
