//! The language server protocol, as much of it as the checks need.

use serde_json::{Value, json};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

/// No answer takes longer, unless something is wrong.
const PATIENCE: Duration = Duration::from_mins(2);

/// What can go wrong while talking to a server.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be started.
    #[error(
        "`{program}` does not start: {source}\n\
         help: `cargo install --locked --debug ra_ap_rust-analyzer@0.0.330`, then put it into PATH or name it in `RUST_ANALYZER`"
    )]
    Start {
        /// What was called.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// The conversation broke off.
    #[error("rust-analyzer does not talk any more: {0}")]
    Lost(#[from] io::Error),
    /// It said no.
    #[error("rust-analyzer refused `{method}`: {message}")]
    Refused {
        /// What was asked.
        method: String,
        /// Its words.
        message: String,
    },
    /// It said nothing.
    #[error("no answer to `{0}` within {PATIENCE:?}")]
    Silent(String),
}

/// A running rust-analyzer.
pub struct Server {
    child: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    last: u64,
}

impl Server {
    /// Starts it in a folder, with its settings.
    pub fn start(program: &str, folder: &Path, settings: &Value) -> Result<Self, Error> {
        let mut child = Command::new(program)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| Error::Start {
                program: program.to_owned(),
                source,
            })?;
        let closed = || io::Error::from(io::ErrorKind::BrokenPipe);
        let input = child.stdin.take().ok_or_else(closed)?;
        let mut output = BufReader::new(child.stdout.take().ok_or_else(closed)?);
        let (sender, messages) = channel();
        thread::spawn(move || {
            while let Ok(Some(message)) = read(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut server = Self {
            child,
            input,
            messages,
            last: 0,
        };
        let root = uri(folder);
        server.ask(
            "initialize",
            &json!({
                "processId": std::process::id(),
                "rootUri": root,
                "workspaceFolders": [{"uri": root, "name": "fixture"}],
                "initializationOptions": settings,
                "capabilities": {
                    "experimental": {"serverStatusNotification": true},
                    "textDocument": {
                        "hover": {"contentFormat": ["markdown"]},
                        "completion": {"completionItem": {"documentationFormat": ["markdown"]}},
                    },
                },
            }),
        )?;
        server.tell("initialized", &json!({}))?;
        Ok(server)
    }

    /// Waits until everything is loaded; what it says of its health.
    pub fn wait_until_quiet(&mut self) -> Result<String, Error> {
        loop {
            let message = self.receive("experimental/serverStatus")?;
            let status = &message["params"];
            if message["method"] == "experimental/serverStatus" && status["quiescent"] == true {
                return Ok(format!(
                    "{} {}",
                    status["health"].as_str().unwrap_or_default(),
                    status["message"].as_str().unwrap_or_default()
                ));
            }
            self.answer(&message)?;
        }
    }

    /// A request and its answer.
    pub fn ask(&mut self, method: &str, params: &Value) -> Result<Value, Error> {
        self.last += 1;
        let id = self.last;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))?;
        loop {
            let message = self.receive(method)?;
            if message["id"] == id && message.get("method").is_none() {
                return match message.get("error") {
                    Some(error) => Err(Error::Refused {
                        method: method.to_owned(),
                        message: error["message"].to_string(),
                    }),
                    None => Ok(message["result"].clone()),
                };
            }
            self.answer(&message)?;
        }
    }

    /// A notification.
    pub fn tell(&mut self, method: &str, params: &Value) -> Result<(), Error> {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
    }

    /// The server has requests too: it gets an empty answer to each.
    fn answer(&mut self, message: &Value) -> Result<(), Error> {
        if message.get("method").is_some()
            && let Some(id) = message.get("id")
        {
            let result = match message["params"]["items"].as_array() {
                Some(items) => json!(vec![Value::Null; items.len()]),
                None => Value::Null,
            };
            self.send(&json!({"jsonrpc": "2.0", "id": id, "result": result}))?;
        }
        Ok(())
    }

    fn receive(&mut self, waiting_for: &str) -> Result<Value, Error> {
        self.messages
            .recv_timeout(PATIENCE)
            .map_err(|error| match error {
                RecvTimeoutError::Timeout => Error::Silent(waiting_for.to_owned()),
                RecvTimeoutError::Disconnected => {
                    Error::Lost(io::Error::from(io::ErrorKind::UnexpectedEof))
                }
            })
    }

    fn send(&mut self, message: &Value) -> Result<(), Error> {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len())?;
        Ok(self.input.flush()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.tell("exit", &Value::Null);
        let until = Instant::now() + Duration::from_secs(2);
        while Instant::now() < until {
            if matches!(self.child.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One message; `None` at the end.
fn read(output: &mut impl BufRead) -> io::Result<Option<Value>> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        if let Some(number) = line.strip_prefix("Content-Length: ") {
            length = number.parse().ok();
        }
    }
    let broken = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    let length: usize = length.ok_or_else(|| broken("a message without its length"))?;
    let mut body = vec![0; length];
    output.read_exact(&mut body)?;
    serde_json::from_slice(&body)
        .map(Some)
        .map_err(|error| broken(&error.to_string()))
}

/// The address of a file or folder.
pub fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}
