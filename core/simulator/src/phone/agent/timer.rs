//! How long its sessions live (RFC 4028).

use plugboard_sip::{Headers, Method, Request, Response};

use super::Agent;

impl Agent {
    /// What its INVITEs say of it.
    pub(super) fn push_timer(&self, headers: &mut Headers) {
        if let Some((seconds, refreshes)) = self.timer {
            headers.push("Supported", "timer");
            headers.push("Session-Expires", format!("{seconds};refresher={}", if refreshes { "uac" } else { "uas" }));
        }
    }

    /// What its answers say of it.
    pub(super) fn answer_timer(&self, request: &Request, response: &mut Response) {
        if !matches!(request.method, Method::Invite | Method::Update) {
            return;
        }
        if response.status == 422 {
            response.headers.push("Min-SE", self.min_se.to_string());
        }
        if let Some((seconds, refreshes)) = self.timer.filter(|_| response.is_success()) {
            response.headers.push("Require", "timer");
            let refresher = if refreshes { "uas" } else { "uac" };
            response.headers.push("Session-Expires", format!("{seconds};refresher={refresher}"));
        }
    }

    /// Whether somebody asks for a session that is too short.
    pub(super) fn is_too_short(&self, request: &Request) -> bool {
        let asked =
            request.headers.get("Session-Expires").and_then(|value| value.split(';').next()?.parse::<u32>().ok());
        matches!(request.method, Method::Invite | Method::Update) && asked.is_some_and(|asked| asked < self.min_se)
    }
}
