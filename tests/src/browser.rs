//! A headless Chromium, driven over its DevTools protocol.
//!
//! The protocol is JSON between zero bytes on two pipes (`--remote-debugging-pipe`), and a test needs seven of its
//! commands. The crates that speak it (chromiumoxide, headless_chrome) bring an async runtime or a second HTTP stack, and
//! a minute of compiling what is generated from the whole protocol.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// For one answer, and for a page to be as it is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Those without which Chromium does not run in a container, or speaks to others.
const FLAGS: [&str; 13] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-pipe",
];

/// One page in a browser of its own.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    commands: File,
    said: Receiver<Value>,
    last: u64,
    session: Value,
    /// What the page asked of the network.
    pub requests: Vec<String>,
    /// What stood in the console, and what the page's policy forbade.
    pub complaints: Vec<String>,
    loaded: bool,
    _folder: tempfile::TempDir,
}

/// Debian's `chromium`, or what it is called elsewhere.
pub fn chromium() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let mut all =
        std::env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    all.find(|program| program.is_file())
}

impl Browser {
    /// # Panics
    /// When it does not start.
    pub fn open(chromium: &Path) -> Self {
        let folder = tempfile::Builder::new().prefix("waybill-browser-").tempdir().unwrap();
        let pipe = |name: &str| {
            let path = folder.path().join(name);
            assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
            path
        };
        let (commands, answers) = (pipe("commands"), pipe("answers"));
        let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
        // Chromium reads at descriptor 3, and writes at 4.
        let child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<\"$COMMANDS\" 4>\"$ANSWERS\""])
            .arg(chromium)
            .args(FLAGS)
            .args([&profile, "about:blank"])
            .env("COMMANDS", &commands)
            .env("ANSWERS", &answers)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Each waits for the other end.
        let commands = File::options().write(true).open(commands).unwrap();
        let answers = File::open(answers).unwrap();
        let (send, said) = channel();
        std::thread::spawn(move || {
            for answer in BufReader::new(answers).split(0) {
                let Ok(answer) = answer else { return };
                if send.send(serde_json::from_slice(&answer).unwrap()).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            child,
            commands,
            said,
            last: 0,
            session: Value::Null,
            requests: Vec::new(),
            complaints: Vec::new(),
            loaded: false,
            _folder: folder,
        };
        browser.attach();
        browser
    }

    fn attach(&mut self) {
        let target = self.call("Target.createTarget", json!({"url": "about:blank"}));
        let target = json!({"targetId": target["targetId"], "flatten": true});
        self.session = self.call("Target.attachToTarget", target)["sessionId"].clone();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            self.call(&format!("{domain}.enable"), json!({}));
        }
    }

    /// Sends a command, and waits for its answer.
    ///
    /// # Panics
    /// When it is refused, or no answer comes.
    pub fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let mut command = json!({"id": self.last, "method": method, "params": parameters});
        if !self.session.is_null() {
            command["sessionId"] = self.session.clone();
        }
        self.commands.write_all(format!("{command}\0").as_bytes()).unwrap();
        let until = Instant::now() + PATIENCE;
        loop {
            let mut answer = self.next(until).unwrap_or_else(|| panic!("{method}: no answer"));
            if answer["id"] == self.last {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].take();
            }
        }
    }

    /// What it says next; what is told of the page is kept.
    fn next(&mut self, until: Instant) -> Option<Value> {
        let said = self.said.recv_timeout(until.saturating_duration_since(Instant::now())).ok()?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let parameters = &said["params"];
        match said["method"].as_str().unwrap_or_default() {
            "Network.requestWillBeSent" => self.requests.push(text(&parameters["request"]["url"])),
            "Log.entryAdded" if parameters["entry"]["level"] != "verbose" => {
                self.complaints.push(text(&parameters["entry"]["text"]));
            }
            "Runtime.consoleAPICalled" => self.complaints.push(parameters["args"].to_string()),
            "Runtime.exceptionThrown" => {
                self.complaints.push(parameters["exceptionDetails"].to_string());
            }
            "Page.loadEventFired" => self.loaded = true,
            _ => {}
        }
        Some(said)
    }

    /// Goes to an address, and waits until the page is there.
    ///
    /// # Panics
    /// When it does not come.
    pub fn go(&mut self, url: &str) {
        // Only the part behind # would be another: then nothing is loaded.
        self.loaded = false;
        self.call("Page.navigate", json!({"url": "about:blank"}));
        self.wait_loaded();
        self.loaded = false;
        let answer = self.call("Page.navigate", json!({"url": url}));
        assert!(answer["errorText"].is_null(), "{url}: {answer}");
        self.wait_loaded();
    }

    fn wait_loaded(&mut self) {
        let until = Instant::now() + PATIENCE;
        while !self.loaded {
            assert!(self.next(until).is_some(), "the page did not load");
        }
    }

    /// The value of an expression, or of what it promises.
    ///
    /// # Panics
    /// When it throws.
    pub fn value(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut answer = self.call("Runtime.evaluate", asked);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].take()
    }

    /// The text that a person sees of an element.
    ///
    /// # Panics
    /// When there is none.
    pub fn text(&mut self, selector: &str) -> String {
        let text = self.value(&format!("document.querySelector({}).innerText", json!(selector)));
        text.as_str().unwrap().to_owned()
    }

    /// Waits until the text of an element has `part`.
    ///
    /// # Panics
    /// When it does not come.
    pub fn wait_text(&mut self, selector: &str, part: &str) -> String {
        let began = Instant::now();
        let selected = json!(selector);
        loop {
            let text = self.value(&format!("document.querySelector({selected})?.innerText ?? ''"));
            let text = text.as_str().unwrap_or_default().to_owned();
            if text.contains(part) {
                return text;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{selector} has no {part:?}: {text:?}\n{:?}",
                self.complaints
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Drops a file upon an element, as a person does.
    ///
    /// # Panics
    /// When there is no such element.
    pub fn drop_file(&mut self, selector: &str, file: &Path) {
        let selected = json!(selector);
        let place = self.value(&format!(
            "(() => {{ const element = document.querySelector({selected}); element.scrollIntoView({{block: 'center', behavior: 'instant'}});
            const {{x, y, width, height}} = element.getBoundingClientRect(); return [x + width / 2, y + height / 2]; }})()"
        ));
        for kind in ["dragEnter", "dragOver", "drop"] {
            let data = json!({"items": [], "files": [file], "dragOperationsMask": 1});
            let event = json!({"type": kind, "x": place[0], "y": place[1], "data": data});
            self.call("Input.dispatchDragEvent", event);
        }
    }

    /// How the screen is: its size, and whether colours are dark.
    pub fn screen(&mut self, width: u32, height: u32, scheme: &str) {
        let metrics =
            json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", metrics);
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.call("Emulation.setEmulatedMedia", json!({"features": features}));
    }

    /// What is on the screen, as a PNG.
    ///
    /// # Panics
    /// When none comes.
    pub fn picture(&mut self) -> Vec<u8> {
        let asked = json!({"format": "png", "optimizeForSpeed": false});
        let picture = self.call("Page.captureScreenshot", asked);
        STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.session = Value::Null;
        let close = json!({"id": 0, "method": "Browser.close"});
        let _ = self.commands.write_all(format!("{close}\0").as_bytes());
        let began = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && began.elapsed() < Duration::from_secs(5)
        {
            std::thread::sleep(Duration::from_millis(20));
        }
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
