//! The papers of the project: licence, changelog, links, notices, and the layout of the root.

use std::collections::BTreeSet;

use plugboard_tests_tidy::{Source, root, sources};

/// What a reader sees at the root; tool configuration is in hidden files.
const ROOT: [&str; 10] =
    ["Cargo.lock", "Cargo.toml", "LICENSE", "README.md", "benches", "core", "plugins", "sdk", "tests", "wit"];
/// Made by the two commands, and kept out of the repository by `.gitignore`.
const MADE: [&str; 2] = ["target", "plugboard-data"];

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_root_shows_what_the_layout_says() {
    let entries = std::fs::read_dir(root()).unwrap().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let seen: BTreeSet<String> =
        names.filter(|name| !name.starts_with('.') && !MADE.contains(&name.as_str())).collect();
    let expected: BTreeSet<String> = ROOT.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(seen, expected);
}

#[test]
fn the_licence_is_there_in_full() {
    let licence = read("LICENSE");
    for part in ["Apache License", "Version 2.0, January 2004", "END OF TERMS AND CONDITIONS"] {
        assert!(licence.contains(part), "{part}");
    }
    assert!(read("Cargo.toml").contains("license = \"Apache-2.0\""));
}

#[test]
fn the_changelog_tells_of_what_is_to_come() {
    assert!(read("core/CHANGELOG.md").contains("\n## Unreleased"));
}

#[test]
fn every_crate_in_the_notices_is_in_the_lock_file() {
    let (lock, notices) = (read("Cargo.lock"), read("core/server/third-party-licenses.txt"));
    let (list, _) = notices.split_once("\n-----").expect("the notices hold licence texts");
    let mut named = 0;
    for line in list.lines() {
        let Some((title, _)) = line.split_once("  (") else { continue };
        let (name, version) = title.split_once(' ').unwrap_or_else(|| panic!("{line}"));
        let entry = format!("name = \"{name}\"\nversion = \"{version}\"\n");
        assert!(lock.contains(&entry), "{title} is not in Cargo.lock; please run: cargo notices");
        named += 1;
    }
    assert!(named > 50, "only {named} crates are named");
}

#[test]
fn every_link_in_the_documents_leads_somewhere() {
    let documents = sources(&[".md"]);
    assert!(documents.iter().any(|document| document.path == "README.md"));
    let complaints: Vec<String> = documents.iter().flat_map(dead_links).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn a_dead_link_is_noticed() {
    let text =
        "# One\n[a](no-such-file.md) [b](#one) [c](#two) [d](https://example.org) [e](core)\n```\n[f](x)\n```\n".into();
    let dead = dead_links(&Source { path: "SOME.md".into(), text });
    assert_eq!(dead, ["SOME.md: no-such-file.md", "SOME.md: #two"]);
}

/// The links of one document that lead to no file or heading.
fn dead_links(document: &Source) -> Vec<String> {
    let here = root().join(&document.path);
    let folder = here.parent().unwrap_or(root());
    let mut dead = Vec::new();
    for link in links(&document.text) {
        if link.contains("://") || link.starts_with("mailto:") {
            continue;
        }
        let (path, heading) = link.split_once('#').unwrap_or((link, ""));
        let file = if path.is_empty() { here.clone() } else { folder.join(path) };
        let text =
            if path.is_empty() { document.text.clone() } else { std::fs::read_to_string(&file).unwrap_or_default() };
        let has_heading = heading.is_empty() || headings(&text).any(|known| known == heading);
        if (!path.is_empty() && !file.exists()) || !has_heading {
            dead.push(format!("{}: {link}", document.path));
        }
    }
    dead
}

/// The targets of `[text](target)`, code blocks left out.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| {
        part.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target.trim()))
    })
}

/// The anchors of a document's headings, as they are made where Markdown is shown.
fn headings(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| line.starts_with('#')).map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
        kept.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
    })
}
