//! Offices that tests load: the people of the demo, with passwords and a gateway of their own.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

/// The menu of the demo, without a prompt to wait for.
const WELCOME: &str = "
  - scenario: welcome
    steps:
      - menu:
          extensions: true
          first_digit: 20s
          inter_digit: 2s
          keys:
            '1': [ { call-group: { group: sales, ring_for: 20s } } ]
      - hang-up
";

/// An office file.
#[derive(Debug, Clone)]
pub struct Office {
    /// Lines for single users, by number: ` digest: sha256`.
    settings: Vec<(u16, String)>,
    gateways: String,
    routes: String,
    scenarios: String,
    more: String,
}

impl Default for Office {
    fn default() -> Self {
        Self::new()
    }
}

impl Office {
    /// The users 101 to 106 with the passwords `secret-101` to `secret-106`, the group `sales` at 200, a menu at 100,
    /// the echo at *43.
    pub fn new() -> Self {
        Self {
            settings: Vec::new(),
            gateways: String::new(),
            routes: String::new(),
            scenarios: WELCOME.into(),
            more: String::new(),
        }
    }

    /// With settings of one user, such as `digest: sha256`.
    #[must_use]
    pub fn user(mut self, number: u16, setting: &str) -> Self {
        self.settings.push((number, setting.to_owned()));
        self
    }

    /// With a gateway at this port of this machine: what it sends reaches 100, numbers after a 0 go to it.
    #[must_use]
    pub fn gateway(self, name: &str, port: u16, transport: crate::Transport) -> Self {
        self.gateway_at(name, &format!("127.0.0.1:{port}"), transport)
    }

    /// The same at any address.
    #[must_use]
    pub fn gateway_at(mut self, name: &str, address: &str, transport: crate::Transport) -> Self {
        let transport = transport.name();
        writeln!(self.gateways, "  - {{ id: {name}, address: '{address}', transport: {transport} }}").unwrap();
        writeln!(self.routes, "  - {{ id: in-{name}, from: {{ gateway: {name} }}, any: true, scenario: welcome }}")
            .unwrap();
        writeln!(self.routes, "  - {{ id: out-{name}, prefix: 0, gateway: {name}, strip: 1 }}").unwrap();
        self
    }

    /// With a gateway of these settings: what it sends reaches 100.
    #[must_use]
    pub fn trunk(self, name: &str, settings: &str) -> Self {
        self.trunk_to(name, settings, "welcome")
    }

    /// The same, and what it sends comes to this scenario.
    #[must_use]
    pub fn trunk_to(mut self, name: &str, settings: &str, scenario: &str) -> Self {
        writeln!(self.gateways, "  - {{ id: {name}, {settings} }}").unwrap();
        writeln!(self.routes, "  - {{ id: in-{name}, from: {{ gateway: {name} }}, any: true, scenario: {scenario} }}")
            .unwrap();
        self
    }

    /// Numbers after a 0 go through the first of these gateways that takes the call.
    #[must_use]
    pub fn out_through(mut self, gateways: &[&str]) -> Self {
        writeln!(self.routes, "  - {{ id: out, prefix: 0, gateways: [{}], strip: 1 }}", gateways.join(", ")).unwrap();
        self
    }

    /// With a scenario of these steps at a number.
    #[must_use]
    pub fn scenario(self, number: &str, name: &str, steps: &str) -> Self {
        self.scenario_with(number, name, "title: \"\"", steps)
    }

    /// As [`Office::scenario`], with a line before its steps, such as `variables: { a: text }`.
    #[must_use]
    pub fn scenario_with(mut self, number: &str, name: &str, line: &str, steps: &str) -> Self {
        writeln!(self.routes, "  - {{ id: to-{name}, number: '{number}', scenario: {name} }}").unwrap();
        writeln!(self.scenarios, "  - scenario: {name}\n    {line}\n    steps:").unwrap();
        steps.lines().for_each(|line| writeln!(self.scenarios, "      {line}").unwrap());
        self
    }

    /// With more lines at its top level.
    #[must_use]
    pub fn lines(mut self, lines: &str) -> Self {
        writeln!(self.more, "{lines}").unwrap();
        self
    }

    /// The document.
    pub fn text(&self) -> String {
        let users: String = (101..=106).map(|number| self.user_line(number)).collect();
        let list = |key: &str, items: &str| if items.is_empty() { String::new() } else { format!("{key}:\n{items}") };
        format!(
            "office: main\ndomains: [plugboard.test]\nemergency: {{ confirmed: true }}\nusers:\n{users}groups:\n  \
             - {{ id: sales, number: 200, members: ['102', '103', '104'] }}\n{}routes:\n  \
             - {{ id: welcome, number: 100, scenario: welcome }}\n  \
             - {{ id: echo, number: '*43', scenario: echo }}\n{}scenarios:\n  \
             - {{ scenario: echo, steps: [ {{ echo: {{ max: 60s }} }} ] }}{}{}",
            list("gateways", &self.gateways),
            self.routes,
            self.scenarios,
            self.more,
        )
    }

    fn user_line(&self, number: u16) -> String {
        let own = self.settings.iter().filter(|(of, _)| *of == number).map(|(_, setting)| format!(", {setting}"));
        let own: String = own.collect();
        format!("  - {{ id: '{number}', number: {number}, name: User {number}, password: secret-{number}{own} }}\n")
    }

    /// Writes it to `office.yaml` in a folder.
    pub fn write(&self, folder: &Path) -> PathBuf {
        let file = folder.join("office.yaml");
        fs::write(&file, self.text()).unwrap();
        file
    }
}
