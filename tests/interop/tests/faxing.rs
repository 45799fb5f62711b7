//! A fax that a program orders over HTTP goes from one switch to another, and programs of others read what came.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use plugboard_tests_interop::{Office, Plugboard, Transport, asked, tool, until};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const TOKEN: &str = "a-token-of-the-main-office";
/// Dots of a line of a fax, and lines of this page.
const PAGE: (usize, usize) = (1_728, 800);

/// What a program of others says, and that it was content.
fn told(name: &str, words: &[&str]) -> String {
    let output = Command::new(tool(name)).args(words).output().unwrap();
    assert!(output.status.success(), "{name} {words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Bytes of a page, black where a bit is set: bars, a line of dashes, a frame's left side.
fn page() -> Vec<u8> {
    let (wide, high) = PAGE;
    let dots = |x: usize, y: usize| match y {
        100..160 if (20..120).contains(&x) => 0xff,
        300..320 if (60..180).contains(&x) => 0xf0,
        50..750 if x == 10 => 0x18,
        _ => 0,
    };
    (0..high).flat_map(|y| (0..wide / 8).map(move |x| dots(x, y))).collect()
}

/// The dots of a file in the format PBM (P4).
fn dots_of(pbm: &[u8]) -> (usize, usize, Vec<u8>) {
    let mut words = pbm.splitn(3, |byte| byte.is_ascii_whitespace());
    let mut number = || String::from_utf8_lossy(words.next().unwrap()).parse::<usize>();
    assert!(number().is_err(), "P4");
    let wide = number().unwrap();
    let (high, dots) = {
        let rest = words.next().unwrap();
        let end = rest.iter().position(u8::is_ascii_whitespace).unwrap();
        (String::from_utf8_lossy(&rest[..end]).parse().unwrap(), rest[end + 1..].to_vec())
    };
    (wide, high, dots)
}

/// The page as a TIFF file that libtiff's own tool has written.
fn document(folder: &Path) -> PathBuf {
    let (pbm, tif) = (folder.join("page.pbm"), folder.join("page.tif"));
    fs::write(&pbm, [format!("P4\n{} {}\n", PAGE.0, PAGE.1).as_bytes(), &page()].concat()).unwrap();
    told("ppm2tiff", &["-c", "none", "-R", "204", pbm.to_str().unwrap(), tif.to_str().unwrap()]);
    tif
}

/// Black dots of bytes.
fn ink(dots: &[u8]) -> u32 {
    dots.iter().map(|byte| byte.count_ones()).sum()
}

#[test]
fn r73_a_fax_that_a_program_orders_is_opened_by_programs_of_others_from_call_history() {
    let scratch = tempfile::tempdir().unwrap();
    let token = scratch.path().join("token");
    fs::write(&token, TOKEN).unwrap();
    let api = format!("[[api]]\nname = \"crm\"\noffice = \"main\"\ntoken_file = {:?}\n", token.to_str().unwrap());
    let (sends, takes) = (Plugboard::empty_by(|serve| serve.configured(&api)), Plugboard::empty(&[]));
    let port = |switch: &Plugboard| switch.sip(Transport::Udp).port();
    sends.apply(&Office::new().gateway("other", port(&takes), Transport::Udp));
    let settings = format!("address: '127.0.0.1:{}', transport: udp", port(&sends));
    let office = Office::new().trunk_to("other", &settings, "faxes");
    takes.apply(&office.scenario("300", "faxes", "- receive-fax: { ident: '+49 30 300' }"));

    let document = document(scratch.path());
    let ask = |method: &str, what: &str, body: &[u8]| {
        let headers =
            format!("Authorization: Bearer {TOKEN}\r\nContent-Type: image/tiff\r\nIdempotency-Key: order-1\r\n");
        let (status, text) = asked(sends.http(), method, &format!("/api/v1/offices/main/faxes{what}"), &headers, body);
        (status, serde_json::from_str::<Value>(&text).unwrap())
    };
    let bytes = fs::read(&document).unwrap();
    let (status, ordered) = ask("POST", "?from=101&to=0300", &bytes);
    assert_eq!(status, 202, "{ordered}");
    let id = ordered["fax"]["id"].as_str().unwrap_or_else(|| panic!("{ordered}"));
    assert_eq!(ask("POST", "?from=101&to=0300", &bytes).1["fax"]["id"], id, "the same key is the same fax");
    let order = until("the fax to be sent", || {
        let order = ask("GET", &format!("/{id}"), b"").1["fax"].clone();
        assert_ne!(order["state"], "failed", "{order}");
        (order["state"] == "sent").then_some(order)
    });
    assert_eq!((&order["pages"], &order["pages_sent"]), (&1.into(), &1.into()), "{order}");

    let record = &takes.waits_for_past_calls(1)[0];
    assert_eq!(record["steps"][0]["word"], "receive-fax", "{record}");
    let kept = &takes.ask(&["fax", "list"])["faxes"][0];
    assert_eq!((&kept["end"], &kept["pages"]), (&"done".into(), &1.into()), "{kept}");
    let fax = kept["id"].as_str().unwrap();
    let (tif, pdf) = (scratch.path().join("came.tif"), scratch.path().join("came.pdf"));
    takes.succeeds(&["fax", "export", fax, tif.to_str().unwrap(), "--form", "tif"]);
    takes.succeeds(&["fax", "export", fax, pdf.to_str().unwrap()]);

    // What came is what was sent, dot by dot, as libtiff reads it.
    let about = told("tiffinfo", &[tif.to_str().unwrap()]);
    for line in ["Image Width: 1728 Image Length: 800", "Compression Scheme: CCITT Group 4", "Resolution: 204, 196"] {
        assert!(about.contains(line), "{line}: {about}");
    }
    let plain = scratch.path().join("plain.tif");
    told("tiffcp", &["-c", "none", "-f", "msb2lsb", tif.to_str().unwrap(), plain.to_str().unwrap()]);
    let came = fs::read(&plain).unwrap();
    assert!(came.windows(page().len()).any(|dots| dots == page()), "each dot is where it was");

    // The PDF shows the same page.
    let shown = scratch.path().join("shown");
    told("pdftoppm", &["-mono", "-r", "204", pdf.to_str().unwrap(), shown.to_str().unwrap()]);
    let shown = fs::read_dir(scratch.path()).unwrap().map(|file| file.unwrap().path());
    let shown: Vec<PathBuf> = shown.filter(|path| path.extension().is_some_and(|end| end == "pbm")).collect();
    let shown = shown.iter().find(|path| path.file_name().unwrap().to_string_lossy().starts_with("shown")).unwrap();
    let (wide, high, dots) = dots_of(&fs::read(shown).unwrap());
    assert!(wide.abs_diff(PAGE.0) <= 2 && high.abs_diff(PAGE.1 * 204 / 196) <= 2, "{wide} x {high}");
    let share = f64::from(ink(&dots)) / f64::from(ink(&page()));
    assert!((0.98..1.10).contains(&share), "as much ink as was sent, and the taller lines': {share}");

    // Erased by the number that it came from, whole.
    let number = record["caller"].as_str().unwrap();
    assert_eq!(takes.ask(&["fax", "erase", "--number", number])["erased"], 1);
    assert_eq!(takes.ask(&["fax", "list"])["faxes"].as_array().unwrap().len(), 0);
}
