//! Pages for people. Each is one answer, whole: a gateway behind any prefix has then no further address to serve.

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// What all pages look like, and are made with.
const STYLE: &str = include_str!("page/base.css");
const SCRIPT: &str = include_str!("page/base.js");
const ICON: &[u8] = include_bytes!("page/icon.svg");

#[derive(Debug)]
pub struct Page {
    text: String,
    policy: Option<HeaderValue>,
}

impl Page {
    /// `frame` has places for style, script and icon, and for what `filled` names.
    pub fn new(frame: &str, styles: &[&str], scripts: &[&str], filled: &[(&str, String)]) -> Self {
        let style = [STYLE].iter().chain(styles).copied().collect::<Vec<_>>().join("\n");
        let script = [SCRIPT].iter().chain(scripts).copied().collect::<Vec<_>>().join("\n");
        let icon = format!("data:image/svg+xml;base64,{}", STANDARD.encode(ICON));
        let mut text = frame.to_owned();
        for (name, value) in filled {
            text = text.replace(&format!("/* {name} */"), value);
        }
        text = text.replace("/* icon */", &icon);
        text = text.replace("/* style */", &style).replace("/* script */", &script);
        Self { text, policy: policy(&style, &script) }
    }

    pub fn response(&self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.text.clone()));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        if let Some(policy) = &self.policy {
            headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
        }
        // No other site's window, frame or image has anything of it.
        for name in ["cross-origin-opener-policy", "cross-origin-resource-policy"] {
            headers.insert(name, HeaderValue::from_static("same-origin"));
        }
        response
    }
}

/// Only the script and style that are in the page run, known by their hashes; it talks to its own gateway
/// alone, and no text becomes markup.
fn policy(style: &str, script: &str) -> Option<HeaderValue> {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    let policy = format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; img-src data:; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
        hash(script),
        hash(style)
    );
    HeaderValue::from_str(&policy).ok()
}

/// A text as HTML has it.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Nothing of other hosts, and nothing by which a text could become markup.
    pub fn check(page: &Page) {
        let text = &page.text;
        for outside in ["http:", "https:", "src=", "@import", "url(", "innerHTML", "style="] {
            let at = text.find(outside);
            let found = at.and_then(|at| text.get(at..at + 60));
            assert!(found.is_none(), "{outside}: {found:?}");
        }
        for place in ["most", "options", "routes", "formats", "codes", "icon", "style", "script"] {
            assert!(!text.contains(&format!("/* {place} */")), "{place} is not filled in");
        }
        let between = |from: &str, to: &str| {
            let text = text.split(from).nth(1).unwrap();
            text.split(to).next().unwrap()
        };
        let (style, script) =
            (between("<style>", "</style>"), between("<script type=\"module\">", "</script>"));
        let policy = page.policy.as_ref().unwrap().to_str().unwrap();
        for (what, text) in [("style-src", style), ("script-src", script)] {
            let hash = STANDARD.encode(Sha256::digest(text));
            assert!(policy.contains(&format!("{what} 'sha256-{hash}';")), "{what}: {policy}");
        }
        assert!(!policy.contains("unsafe") && policy.starts_with("default-src 'none'"), "{policy}");
    }

    #[test]
    fn what_is_filled_in_is_text() {
        assert_eq!(escaped("<b a=\"&\">"), "&lt;b a=&quot;&amp;&quot;&gt;");
    }
}
