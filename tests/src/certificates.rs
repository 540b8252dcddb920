//! Certificates in a folder, by openssl.

use std::path::Path;
use std::process::Command;

fn openssl(folder: &Path, args: &[&str]) {
    let out = Command::new("openssl").args(args).current_dir(folder).output().unwrap();
    assert!(out.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&out.stderr));
}

const KEY: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/// An authority, `NAME.key` and `NAME.pem`.
///
/// # Panics
/// When openssl does not run.
pub fn authority(folder: &Path, name: &str) {
    let (key, file, subject) =
        (format!("{name}.key"), format!("{name}.pem"), format!("/CN={name}"));
    let rest = ["-subj", &subject, "-days", "2", "-keyout", &key, "-out", &file];
    openssl(folder, &[&["req", "-x509"][..], &KEY, &rest].concat());
}

/// A certificate of `subject` at 127.0.0.1 by that authority, `NAME.key` and `NAME.pem`.
///
/// # Panics
/// When openssl does not run.
pub fn certificate(folder: &Path, authority: &str, name: &str, subject: &str) {
    let file = |end: &str| format!("{name}.{end}");
    let (key, request, signed) = (file("key"), file("csr"), file("pem"));
    openssl(
        folder,
        &[&["req", "-new"][..], &KEY, &["-subj", subject, "-keyout", &key, "-out", &request]]
            .concat(),
    );
    std::fs::write(
        folder.join("ext"),
        "subjectAltName=IP:127.0.0.1\nbasicConstraints=critical,CA:false\n",
    )
    .unwrap();
    let (ca, ca_key) = (format!("{authority}.pem"), format!("{authority}.key"));
    openssl(
        folder,
        &[
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            &ca,
            "-CAkey",
            &ca_key,
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            "ext",
            "-out",
            &signed,
        ],
    );
}
