use std::path::{Path, PathBuf};
use std::process::Command;

/// Who signs certificates: made by openssl, in a folder.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
}

/// A certificate and its key, PEM.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub chain: PathBuf,
    pub key: PathBuf,
}

const KEY: [&str; 5] = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

impl Authority {
    /// # Panics
    /// When openssl refuses.
    pub fn new(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let authority = Self { folder: folder.to_owned() };
        let rest = ["-subj", "/CN=Waybill tests", "-days", "2", "-keyout", "ca.key"];
        authority.openssl(&[&["req", "-x509"][..], &KEY, &rest, &["-out", "ca.pem"]].concat());
        authority
    }

    fn openssl(&self, args: &[&str]) {
        let out = Command::new("openssl").args(args).current_dir(&self.folder).output().unwrap();
        assert!(out.status.success(), "openssl {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    }

    pub fn file(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// A certificate with that common name, of a server on this machine or of its client.
    ///
    /// # Panics
    /// When openssl refuses.
    pub fn sign(&self, name: &str) -> Certificate {
        let file = |end: &str| format!("{name}.{end}");
        let (key, request, chain) = (file("key"), file("csr"), file("pem"));
        let subject = format!("/CN={name}");
        let rest = ["-subj", &subject, "-keyout", &key, "-out", &request];
        self.openssl(&[&["req", "-new"][..], &KEY, &rest].concat());
        let serial = fastrand::u64(1..).to_string();
        let extensions =
            "subjectAltName=IP:127.0.0.1,DNS:localhost\nbasicConstraints=critical,CA:false\n";
        std::fs::write(self.folder.join(file("ext")), extensions).unwrap();
        self.openssl(&[
            "x509",
            "-req",
            "-in",
            &request,
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-set_serial",
            &serial,
            "-days",
            "2",
            "-extfile",
            &file("ext"),
            "-out",
            &chain,
        ]);
        Certificate { chain: self.folder.join(chain), key: self.folder.join(key) }
    }
}
