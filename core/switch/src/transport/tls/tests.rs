use super::*;
use rcgen::{CertificateParams, KeyPair, SanType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A folder with a certificate for these names, and its files.
struct Made {
    folder: tempfile::TempDir,
    files: TlsFiles,
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

/// Our own certificate, trusted by ourselves.
fn made(names: &[SanType]) -> Made {
    let folder = tempfile::tempdir().unwrap();
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names = names.to_vec();
    let certificate = write(folder.path(), "certificate.pem", &params.self_signed(&key).unwrap().pem());
    let key = write(folder.path(), "key.pem", &key.serialize_pem());
    let files = TlsFiles { ca: Some(certificate.clone()), certificate, key, clients: None };
    Made { folder, files }
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

const REMOTE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7)), 5061);

/// What the client sees of a handshake between these two, and of a word said over it.
async fn shake(server: &Tls, client: &Tls, name: Option<&str>) -> Result<(), String> {
    let (near, far) = tokio::io::duplex(16 << 10);
    let serving = async {
        let mut stream = server.accept(far, false).await.map_err(|error| error.to_string())?;
        stream.write_all(b"hello").await.map_err(|error| error.to_string())?;
        stream.flush().await.map_err(|error| error.to_string())
    };
    let calling = async {
        let mut stream = client.connect(near, REMOTE, name).await.map_err(|error| error.to_string())?;
        let mut word = [0; 5];
        stream.read_exact(&mut word).await.map_err(|error| error.to_string())?;
        assert_eq!(&word, b"hello");
        Ok::<_, String>(())
    };
    let (served, called) = tokio::join!(serving, calling);
    called.and(served)
}

#[tokio::test]
async fn a_peer_must_show_the_name_that_was_called() {
    let uri = |text: &str| SanType::URI(text.try_into().unwrap());
    let made = made(&[
        dns("sip.example.com"),
        SanType::IpAddress(REMOTE.ip()),
        uri("sip:example.net"),
        uri("sip:ann@example.org"),
    ]);
    let tls = Tls::load(made.files.clone()).unwrap();
    for good in [Some("sip.example.com"), Some("SIP.example.com"), Some("example.net"), None] {
        shake(&tls, &tls, good).await.unwrap_or_else(|error| panic!("{good:?}: {error}"));
    }
    // A person's URI names no domain (RFC 5922 section 7.1).
    for bad in ["example.com", "example.org", "192.0.2.8"] {
        let error = shake(&tls, &tls, Some(bad)).await.unwrap_err();
        assert!(error.contains("not valid for"), "{bad}: {error}");
    }
}

#[tokio::test]
async fn a_peer_whom_nobody_trusted_signed_is_not_spoken_to() {
    let (theirs, ours) = (made(&[dns("sip.example.com")]), made(&[dns("sip.example.com")]));
    let (server, client) = (Tls::load(theirs.files.clone()).unwrap(), Tls::load(ours.files.clone()).unwrap());
    let error = shake(&server, &client, Some("sip.example.com")).await.unwrap_err();
    assert!(error.contains("invalid peer certificate"), "{error}");
    // The system trusts neither.
    let client = Tls::load(TlsFiles { ca: None, ..ours.files.clone() }).unwrap();
    shake(&server, &client, Some("sip.example.com")).await.unwrap_err();
}

#[tokio::test]
async fn new_files_are_used_for_new_connections_and_faulty_ones_change_nothing() {
    let (first, second) = (made(&[dns("one.example")]), made(&[dns("two.example")]));
    let tls = Tls::load(first.files.clone()).unwrap();
    assert!(!tls.is_outdated());
    std::fs::write(&first.files.key, "nothing").unwrap();
    assert!(tls.is_outdated());
    assert!(matches!(tls.reload(), Err(TlsError::NoKey { .. })));
    shake(&tls, &tls, Some("one.example")).await.unwrap();
    std::fs::copy(&second.files.certificate, &first.files.certificate).unwrap();
    let mismatch = tls.reload().unwrap_err().to_string();
    assert!(mismatch.contains("key.pem"), "{mismatch}");
    std::fs::copy(&second.files.key, &first.files.key).unwrap();
    tls.reload().unwrap();
    assert!(!tls.is_outdated());
    shake(&tls, &tls, Some("two.example")).await.unwrap();
    shake(&tls, &tls, Some("one.example")).await.unwrap_err();
}

#[tokio::test]
async fn a_client_shows_its_certificate_where_it_is_asked_for_one() {
    let (ours, known, stranger) = (made(&[dns("sip.example.com")]), made(&[dns("phone")]), made(&[dns("phone")]));
    let server = |required| {
        let clients = Some(ClientCertificates { ca: known.files.certificate.clone(), required });
        Tls::load(TlsFiles { clients, ..ours.files.clone() }).unwrap()
    };
    let client =
        |made: &Made| Tls::load(TlsFiles { ca: Some(ours.files.certificate.clone()), ..made.files.clone() }).unwrap();
    shake(&server(true), &client(&known), Some("sip.example.com")).await.unwrap();
    shake(&server(false), &client(&known), Some("sip.example.com")).await.unwrap();
    shake(&server(true), &client(&stranger), Some("sip.example.com")).await.unwrap_err();
    // Who shows none is let in where none is required: a browser, that is.
    let (near, far) = tokio::io::duplex(16 << 10);
    let nobody = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots(&ours.files.certificate).unwrap())
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(nobody));
    let (optional, required) = (server(false), server(true));
    let name = || ServerName::try_from("sip.example.com").unwrap();
    let (served, _called) = tokio::join!(optional.accept(far, false), connector.connect(name(), near));
    served.unwrap();
    let (near, far) = tokio::io::duplex(16 << 10);
    let (served, _called) = tokio::join!(required.accept(far, false), connector.connect(name(), near));
    served.unwrap_err();
    let (near, far) = tokio::io::duplex(16 << 10);
    let (served, _called) = tokio::join!(required.accept(far, true), connector.connect(name(), near));
    served.unwrap();
}

#[test]
fn what_is_wrong_names_the_file_and_the_reason() {
    let made = made(&[dns("sip.example.com")]);
    let at = |name: &str| made.folder.path().join(name);
    let with = |change: &dyn Fn(&mut TlsFiles)| {
        let mut files = made.files.clone();
        change(&mut files);
        Tls::load(files).err().unwrap().to_string()
    };
    let broken =
        write(made.folder.path(), "broken.pem", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
    let garbage =
        write(made.folder.path(), "garbage.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    for (said, words) in [
        (with(&|files| files.certificate = at("none.pem")), ["none.pem", "cannot be read"]),
        (with(&|files| files.certificate = at("key.pem")), ["key.pem", "no certificate"]),
        (with(&|files| files.certificate = broken.clone()), ["broken.pem", "no PEM"]),
        (with(&|files| files.key = at("certificate.pem")), ["certificate.pem", "no private key"]),
        (with(&|files| files.ca = Some(garbage.clone())), ["garbage.pem", "certificate"]),
        (
            with(&|files| files.clients = Some(ClientCertificates { ca: at("missing.pem"), required: true })),
            ["missing.pem", "cannot be read"],
        ),
    ] {
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    }
}

#[tokio::test]
async fn a_certificate_of_our_own_making_is_good_for_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let own = SelfSigned::new(vec!["localhost".into(), "192.0.2.7".into()], 2026).unwrap();
    let certificate = write(folder.path(), "certificate.pem", &own.certificate);
    let key = write(folder.path(), "key.pem", &own.key);
    let tls = Tls::load(TlsFiles { ca: Some(certificate.clone()), certificate, key, clients: None }).unwrap();
    shake(&tls, &tls, Some("localhost")).await.unwrap();
    shake(&tls, &tls, None).await.unwrap();
    assert!(SelfSigned::new(vec!["ü".into()], 2026).is_err());
}
