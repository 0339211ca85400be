//! A browser for tests: headless Chromium behind chromedriver, spoken to by
//! the WebDriver protocol (JSON over HTTP).

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long a page may take to do what a test waits for.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running browser; it ends with this value.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one. Panics with what to install where there is none.
    pub fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver (Debian: apt-get install chromium chromium-driver)");
        let mut lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                line.split_once("started successfully on port ")
                    .map(|(_, port)| port.to_owned())
            })
            .and_then(|port| port.trim_end_matches('.').parse().ok())
            .expect("chromedriver's port");
        // A full pipe would stop the driver.
        std::thread::spawn(move || lines.for_each(drop));
        let profile = tempfile::tempdir().expect("a folder for the browser");
        let mut browser = Self {
            driver,
            port,
            session: String::new(),
            _profile: profile,
        };
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
        ];
        let folder = format!("--user-data-dir={}", browser._profile.path().display());
        let arguments: Vec<&str> = arguments.into_iter().chain([folder.as_str()]).collect();
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }}});
        let session = browser.request("POST", "/session", &wanted);
        let id = session["sessionId"].as_str().expect("a session");
        browser.session = format!("/session/{id}");
        browser
    }

    /// One request to the driver; its answer's value.
    fn request(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.try_request(method, path, body);
        let mut answer: Value = serde_json::from_slice(&answer.expect(path)).expect("JSON");
        let value = answer["value"].take();
        assert!(value.get("error").is_none(), "{path}: {value}");
        value
    }

    fn try_request(&self, method: &str, path: &str, body: &Value) -> io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(2 * PATIENCE))?;
        let body = if method == "POST" {
            body.to_string()
        } else {
            String::new()
        };
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.port,
            body.len()
        )?;
        let mut answer = BufReader::new(stream);
        let mut length = 0;
        let mut line = String::new();
        while answer.read_line(&mut line)? > 0 && line != "\r\n" {
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
            line.clear();
        }
        let mut content = vec![0; length];
        answer.read_exact(&mut content)?;
        Ok(content)
    }

    fn command(&self, path: &str, body: &Value) -> Value {
        self.request("POST", &format!("{}{path}", self.session), body)
    }

    /// A command of Chromium's own protocol.
    pub fn devtools(&self, method: &str, params: Value) -> Value {
        self.command(
            "/goog/cdp/execute",
            &json!({"cmd": method, "params": params}),
        )
    }

    /// Opens a file and waits until it is loaded.
    pub fn open(&self, file: &Path) {
        let mut url = "file://".to_owned();
        for byte in file.display().to_string().bytes() {
            if byte.is_ascii_alphanumeric() || b"/-._".contains(&byte) {
                url.push(char::from(byte));
            } else {
                url.push_str(&format!("%{byte:02X}"));
            }
        }
        self.command("/url", &json!({"url": url}));
    }

    /// How wide the window is, in CSS pixels.
    pub fn width(&self, width: u32) {
        let size = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size);
    }

    /// The medium (`screen`, `print`) and the colour scheme (`light`, `dark`).
    pub fn media(&self, medium: &str, scheme: &str) {
        let feature = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.devtools(
            "Emulation.setEmulatedMedia",
            json!({"media": medium, "features": feature}),
        );
    }

    /// What a function's body returns, run in the page.
    pub fn run(&self, body: &str) -> Value {
        self.command("/execute/sync", &json!({"script": body, "args": []}))
    }

    /// Waits until a function's body returns something true; that.
    pub fn wait_for(&self, body: &str) -> Value {
        let start = Instant::now();
        loop {
            let value = self.run(body);
            if value != Value::Null && value != Value::Bool(false) {
                return value;
            }
            assert!(start.elapsed() < PATIENCE, "in vain: {body}");
            sleep(Duration::from_millis(50));
        }
    }

    fn element(&self, selector: &str) -> String {
        let found = self.command(
            "/element",
            &json!({"using": "css selector", "value": selector}),
        );
        let id = found
            .as_object()
            .and_then(|found| found.values().next())
            .and_then(Value::as_str);
        id.expect("an element").to_owned()
    }

    /// Types into the element that a CSS selector finds.
    pub fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.command(&format!("/element/{element}/value"), &json!({"text": text}));
    }

    /// Clicks the element that a CSS selector finds.
    pub fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.run(&format!(
            "document.querySelector({}).scrollIntoView({{block: 'center'}})",
            json!(selector)
        ));
        self.command(&format!("/element/{element}/click"), &json!({}));
    }

    /// The console's lines since the last call.
    pub fn console(&self) -> Vec<String> {
        self.log("browser")
            .iter()
            .map(|entry| entry["message"].to_string())
            .collect()
    }

    /// The addresses asked for since the last call.
    pub fn requests(&self) -> Vec<String> {
        let events = self.log("performance");
        let events = events.iter().filter_map(|entry| {
            let event: Value = serde_json::from_str(entry["message"].as_str()?).ok()?;
            let message = &event["message"];
            let sent = message["method"] == "Network.requestWillBeSent";
            sent.then(|| {
                message["params"]["request"]["url"]
                    .as_str()
                    .map(str::to_owned)
            })?
        });
        events.collect()
    }

    fn log(&self, kind: &str) -> Vec<Value> {
        match self.command("/se/log", &json!({"type": kind})) {
            Value::Array(entries) => entries,
            other => panic!("no log: {other}"),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends Chromium too. A failing test must not fail again here.
        let _ = self.try_request("DELETE", &self.session, &Value::Null);
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
