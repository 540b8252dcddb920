//! What a carrier is given to begin with: a folder that needs nothing of ours to be used. The text and the
//! programs are those of connectors/publisher/examples, which the tests follow to the letter.

use clap::ValueEnum;
use serde_json::json;
use waybill_formats::Example;
use waybill_sealing::KeyError;
use waybill_sealing::signing_key::PrivateSigningKey;

macro_rules! piece {
    ($path:literal) => {
        include_str!(concat!("../../connectors/publisher/examples/", $path))
    };
}

/// What the example program is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Language {
    Python,
    #[value(name = "javascript")]
    JavaScript,
    Java,
}

impl Language {
    /// Its files, and what its row in the table of files says.
    fn files(self) -> (&'static [(&'static str, &'static str)], &'static str) {
        match self {
            Self::Python => (
                &[
                    ("python/quickstart.py", piece!("python/quickstart.py")),
                    ("python/requirements.txt", piece!("python/requirements.txt")),
                ],
                "| `python/` | the program in Python |",
            ),
            Self::JavaScript => (
                &[
                    ("javascript/quickstart.mjs", piece!("javascript/quickstart.mjs")),
                    ("javascript/package.json", piece!("javascript/package.json")),
                    ("javascript/package-lock.json", piece!("javascript/package-lock.json")),
                ],
                "| `javascript/` | the program in JavaScript |",
            ),
            Self::Java => (
                &[
                    ("java/Quickstart.java", piece!("java/Quickstart.java")),
                    ("java/pom.xml", piece!("java/pom.xml")),
                ],
                "| `java/` | the program in Java |",
            ),
        }
    }

    fn steps(self) -> &'static str {
        match self {
            Self::Python => piece!("python/README.md"),
            Self::JavaScript => piece!("javascript/README.md"),
            Self::Java => piece!("java/README.md"),
        }
    }
}

pub struct Invitation<'a> {
    pub carrier: &'a str,
    pub audience: &'a str,
    /// Without a slash at its end.
    pub endpoint: &'a str,
    pub media_type: &'a str,
    pub example: &'a Example,
    /// In the example: events, and what is wrong in it on purpose.
    pub counts: (usize, usize),
    pub platform_keys: &'a str,
    pub api_key: &'a str,
    /// Of the link: it stays in browsers' histories, so it reads and does no more.
    pub page_key: &'a str,
    /// None: the carrier makes its own.
    pub signing_key: Option<&'a PrivateSigningKey>,
    /// Whether it may publish payloads of this type in plain.
    pub is_plain_allowed: bool,
    pub languages: &'a [Language],
}

/// A file of the folder.
pub struct File {
    pub path: String,
    pub bytes: Vec<u8>,
    /// For its owner's eyes alone.
    pub is_secret: bool,
}

impl File {
    fn open(path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { path: path.to_owned(), bytes: bytes.into(), is_secret: false }
    }

    fn secret(path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { is_secret: true, ..Self::open(path, bytes) }
    }
}

impl Invitation<'_> {
    pub fn files(&self) -> Result<Vec<File>, KeyError> {
        let example = self.example_name();
        let about = json!({
            "carrier": self.carrier,
            "audience": self.audience,
            "endpoint": self.endpoint,
            "media_type": self.media_type,
            "example": example,
        });
        let mut files = vec![
            File::open("README.md", self.readme()),
            File::open("waybill.json", format!("{about:#}\n")),
            File::open("platform.jwks.json", format!("{}\n", self.platform_keys)),
            File::open(&example, self.example.payload),
            File::secret("api-key", format!("{}\n", self.api_key)),
            File::secret("page-link", format!("{}/#key={}\n", self.endpoint, self.page_key)),
        ];
        if let Some(key) = self.signing_key {
            files.push(File::secret("signing-key.pem", key.to_pem(None)?.as_bytes()));
            files.push(File::open("signing-key.pub.pem", key.public().to_pem()?));
        }
        for language in self.languages {
            let (own, _) = language.files();
            files.extend(own.iter().map(|(path, text)| File::open(path, *text)));
        }
        Ok(files)
    }

    fn example_name(&self) -> String {
        format!("example.{}", self.example.extension)
    }

    fn contents(&self) -> String {
        let number = |n: usize, of: &str| format!("{n} {of}{}", if n == 1 { "" } else { "s" });
        match self.counts {
            (events, 0) => format!("The example has {}.", number(events, "event")),
            (events, wrong) => format!(
                "The example has {}, and {} on purpose: these stand in `rejects`.",
                number(events, "event"),
                number(wrong, "mistake")
            ),
        }
    }

    fn readme(&self) -> String {
        let mut text = piece!("invite/begin.md").to_owned();
        text.push_str(match self.signing_key {
            Some(_) => piece!("invite/key-made.md"),
            None => piece!("invite/key-own.md"),
        });
        text.push_str(piece!("invite/reach.md"));
        for language in self.languages {
            text.push_str(language.steps());
        }
        text.push_str(piece!("invite/curl.md"));
        if self.is_plain_allowed {
            text.push_str(piece!("invite/plain.md"));
        }
        text.push_str(piece!("invite/end.md"));

        let rows = self.languages.iter().map(|language| language.files().1);
        for (name, value) in [
            ("carrier", self.carrier),
            ("audience", self.audience),
            ("endpoint", self.endpoint),
            ("media_type", self.media_type),
            ("content_type", &quoted(&format!("Content-Type: {}", self.media_type))),
            ("example", &self.example_name()),
            ("contents", &self.contents()),
            ("files", &rows.collect::<Vec<_>>().join("\n")),
        ] {
            text = text.replace(&format!("{{{{{name}}}}}"), value);
        }
        text
    }
}

/// As one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;
