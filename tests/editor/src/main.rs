//! What an editor knows inside of `model!`: a table of half-typed models and what rust-analyzer must answer.
//!
//! ```text
//! cargo install --locked --debug ra_ap_rust-analyzer@0.0.330
//! cargo run -p damper-editor-tests
//! ```
//!
//! The server is `rust-analyzer` from PATH, or what `RUST_ANALYZER` names. One line for each check; the program fails
//! if one of them does. It loads the language's own crates without burn, so that all of it takes seconds.

mod checks;
mod server;

use checks::{CHECKS, Check, Request};
use serde_json::{Value, json};
use server::{Error, Server, uri};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};
use std::{env, fs, io};

/// Marks the pointer in a source.
const POINTER: &str = "$0";

fn main() -> ExitCode {
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(failed) => {
            eprintln!("{failed} of {} checks failed", CHECKS.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<usize, Failure> {
    let program = env::var("RUST_ANALYZER").unwrap_or_else(|_| "rust-analyzer".to_owned());
    let only = env::args().nth(1);
    let folder = tempfile::tempdir()?;
    let file = fixture(folder.path())?;
    let settings = json!({
        "checkOnSave": false,
        "cachePriming": {"enable": false},
        "procMacro": {"enable": true},
        "completion": {"limit": null},
    });
    let begin = Instant::now();
    let mut server = Server::start(&program, folder.path(), &settings)?;
    let mut editor = Editor {
        address: uri(&file),
        version: 0,
        text: String::new(),
    };
    editor.write(&mut server, "")?;
    let health = server.wait_until_quiet()?;
    println!("loaded in {:.1?}, health: {health}", begin.elapsed());
    let mut failed = 0;
    let chosen = CHECKS
        .iter()
        .filter(|check| only.as_ref().is_none_or(|only| check.about.contains(only)));
    for check in chosen {
        let answer = editor.check(&mut server, check)?;
        let missing: Vec<_> = check
            .wants
            .iter()
            .filter(|wanted| !answer.iter().any(|line| line.contains(*wanted)))
            .collect();
        if missing.is_empty() {
            println!("ok      {}", check.about);
        } else {
            failed += 1;
            println!("FAILED  {}: no {missing:?} in {answer:.400?}", check.about);
        }
    }
    println!("hover after a change, expansion included (median of 9):");
    for layers in [1, 10, 100] {
        let time = editor.expansion(&mut server, layers)?;
        println!("    a model of {layers:3} layers: {time:.1?}");
    }
    Ok(failed)
}

/// A crate that depends on the language's crates, which rust-analyzer finds without cargo; its file.
fn fixture(folder: &Path) -> Result<PathBuf, Failure> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()?;
    let library = macros(&root)?;
    let source = |path: &str| root.join(path).display().to_string();
    let krate = |name: &str, path: String, needs: &[(usize, &str)]| {
        let needs: Vec<_> = needs
            .iter()
            .map(|(place, name)| json!({"crate": place, "name": name}))
            .collect();
        json!({"display_name": name, "root_module": path, "edition": "2024", "deps": needs})
    };
    let mut shell = krate("damper_macros", source("macros/src/lib.rs"), &[]);
    shell["is_proc_macro"] = json!(true);
    shell["proc_macro_dylib_path"] = json!(library);
    let file = folder.join("lib.rs");
    fs::write(&file, "")?;
    let project = json!({
        "sysroot": said(Command::new("rustc").args(["--print", "sysroot"]))?.trim(),
        "crates": [
            krate("damper_ir", source("ir/src/lib.rs"), &[]),
            shell,
            krate("damper", source("runtime/src/lib.rs"), &[(0, "damper_ir"), (1, "damper_macros")]),
            krate("fixture", file.display().to_string(), &[(2, "damper")]),
        ],
    });
    fs::write(folder.join("rust-project.json"), project.to_string())?;
    Ok(file)
}

/// Builds the macro; its library.
fn macros(root: &Path) -> Result<String, Failure> {
    let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let messages = said(Command::new(cargo).current_dir(root).args([
        "build",
        "-p",
        "damper-macros",
        "--release",
        "--message-format",
        "json",
    ]))?;
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "damper_macros")
        .find_map(|message| message["filenames"][0].as_str().map(str::to_owned))
        .ok_or(Failure::Macros)
}

/// What a program prints.
fn said(command: &mut Command) -> Result<String, Failure> {
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(Failure::Program(format!("{command:?}")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The one file that is open.
struct Editor {
    address: String,
    version: u32,
    text: String,
}

impl Editor {
    fn write(&mut self, server: &mut Server, text: &str) -> Result<(), Error> {
        self.version += 1;
        text.clone_into(&mut self.text);
        if self.version == 1 {
            let document = json!({
                "uri": self.address, "languageId": "rust", "version": self.version, "text": text,
            });
            return server.tell("textDocument/didOpen", &json!({"textDocument": document}));
        }
        let changed = json!({
            "textDocument": {"uri": self.address, "version": self.version},
            "contentChanges": [{"text": text}],
        });
        server.tell("textDocument/didChange", &changed)
    }

    /// What is answered, in pieces: a page, lines of the source, or words.
    fn check(&mut self, server: &mut Server, check: &Check) -> Result<Vec<String>, Failure> {
        let (before, after) = check
            .source
            .split_once(POINTER)
            .ok_or_else(|| Failure::NoPointer(check.about.to_owned()))?;
        self.write(server, &format!("{before}{after}"))?;
        let (line, column) = before.lines().enumerate().last().unwrap_or((0, ""));
        let position = json!({"line": line, "character": column.chars().count()});
        let mut asked = json!({"textDocument": {"uri": self.address}, "position": position});
        let method = match check.request {
            Request::Hover => "textDocument/hover",
            Request::Definition => "textDocument/definition",
            Request::References => {
                asked["context"] = json!({"includeDeclaration": true});
                "textDocument/references"
            }
            Request::Completion => "textDocument/completion",
        };
        let answer = server.ask(method, &asked)?;
        Ok(match check.request {
            Request::Hover => {
                vec![
                    answer["contents"]["value"]
                        .as_str()
                        .unwrap_or_default()
                        .to_owned(),
                ]
            }
            Request::Definition | Request::References => {
                let many = answer.as_array().cloned();
                let all = many.unwrap_or_else(|| vec![answer]);
                all.iter().filter_map(|place| self.line_of(place)).collect()
            }
            Request::Completion => {
                let all = answer["items"].as_array().or(answer.as_array());
                let label = |item: &Value| item["label"].as_str().map(str::to_owned);
                all.into_iter().flatten().filter_map(label).collect()
            }
        })
    }

    /// The line at which an answer points, with its number if it is in the open file.
    fn line_of(&self, place: &Value) -> Option<String> {
        let address = place["uri"].as_str().or(place["targetUri"].as_str())?;
        let range = [&place["range"], &place["targetSelectionRange"]];
        let line = range
            .iter()
            .find_map(|range| range["start"]["line"].as_u64())?;
        let line = usize::try_from(line).ok()?;
        if address == self.address {
            let text = self.text.lines().nth(line)?;
            return Some(format!("{}: {}", line + 1, text.trim()));
        }
        let text = fs::read_to_string(address.strip_prefix("file://")?).ok()?;
        text.lines().nth(line).map(|text| text.trim().to_owned())
    }

    /// How long a question about a model of so many layers takes when it has changed: expansion included.
    fn expansion(&mut self, server: &mut Server, layers: usize) -> Result<Duration, Failure> {
        let mut times = Vec::new();
        for round in 0..9 {
            let mut body = String::new();
            for layer in 0..layers {
                let out = 8 + round;
                body +=
                    &format!("    l{layer}: linear({out}) -> relu with dropout(0.1) after relu;\n");
            }
            let source = format!(
                "damper::model! {{\nNet input x: [8] layers {{\n{body}    head: linear(2);\n}} loss mse\n}}\n"
            );
            self.write(server, &source)?;
            let asked = json!({
                "textDocument": {"uri": self.address},
                "position": {"line": 2, "character": 10},
            });
            let begin = Instant::now();
            server.ask("textDocument/hover", &asked)?;
            times.push(begin.elapsed());
        }
        times.sort_unstable();
        Ok(times[times.len() / 2])
    }
}

/// Why the checks could not be made.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// Of the server.
    #[error(transparent)]
    Server(#[from] Error),
    /// Of a file.
    #[error(transparent)]
    File(#[from] io::Error),
    /// Of a program that is needed.
    #[error("`{0}` failed")]
    Program(String),
    /// Cargo named no library.
    #[error("cargo built no library for `damper-macros`")]
    Macros,
    /// A check that asks nothing.
    #[error("`{0}` has no `{POINTER}`")]
    NoPointer(String),
}
