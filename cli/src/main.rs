//! `cargo damper`: the command line.

use cargo_damper::{Drawing, Error, Format};
use clap::{Parser, Subcommand, ValueEnum};
use std::io::Write;
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    bin_name = "cargo damper",
    version,
    about = "Looks at damper's models without compiling them"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Prints the page of a lint.
    Explain {
        /// Its name, as in `#[allow(..)]`.
        lint: String,
    },
    /// Lists all lints.
    Lints {
        /// Prints all pages in Markdown.
        #[arg(long)]
        markdown: bool,
    },
    /// Prints the table of layers of each model.
    Summary {
        /// A Rust source; `-` is the standard input.
        file: String,
        /// Only the model of this name.
        #[arg(long)]
        model: Option<String>,
    },
    /// Draws a model.
    Graph {
        /// A Rust source; `-` is the standard input.
        file: String,
        /// The model of this name; needed where the file has several.
        #[arg(long)]
        model: Option<String>,
        /// How to draw it.
        #[arg(long, value_enum, default_value = "svg")]
        format: GraphFormat,
    },
    /// Prints what the macro writes for each model.
    Expand {
        /// A Rust source; `-` is the standard input.
        file: String,
        /// Only the model of this name.
        #[arg(long)]
        model: Option<String>,
    },
    /// Reports what the macro would report.
    ///
    /// The exit code is 1 where there are errors, and 2 where something could not be read or no file has a model.
    Check {
        /// Rust sources; `-` is the standard input.
        #[arg(required = true)]
        files: Vec<String>,
        /// How to print reports.
        #[arg(long, value_enum, default_value = "human")]
        message_format: MessageFormat,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum GraphFormat {
    Svg,
    /// Graphviz.
    Dot,
    /// As GitHub draws it in Markdown.
    Mermaid,
}

#[derive(Clone, Copy, ValueEnum)]
enum MessageFormat {
    Human,
    Json,
}

fn main() -> ExitCode {
    // Cargo passes the name of the subcommand on.
    let passed_on = std::env::args_os()
        .nth(1)
        .is_some_and(|word| word == "damper");
    let words = std::env::args_os().enumerate();
    let words = words.filter_map(|(index, word)| (index != 1 || !passed_on).then_some(word));
    match run(Arguments::parse_from(words).command) {
        Ok((text, code)) => {
            // A reader that has seen enough, such as `head`, closes the pipe: no reason to complain.
            let _closed = std::io::stdout().write_all(text.as_bytes());
            code
        }
        Err(error) => {
            let _closed = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(command: Command) -> Result<(String, ExitCode), Error> {
    let text = match command {
        Command::Explain { lint } => cargo_damper::explain(&lint)?,
        Command::Lints { markdown: true } => cargo_damper::markdown(),
        Command::Lints { markdown: false } => cargo_damper::table(),
        Command::Summary { file, model } => {
            cargo_damper::summary(&file, &cargo_damper::read(&file)?, model.as_deref())?
        }
        Command::Graph {
            file,
            model,
            format,
        } => {
            let drawing = match format {
                GraphFormat::Svg => Drawing::Svg,
                GraphFormat::Dot => Drawing::Dot,
                GraphFormat::Mermaid => Drawing::Mermaid,
            };
            let source = cargo_damper::read(&file)?;
            cargo_damper::graph(&file, &source, model.as_deref(), drawing)?
        }
        Command::Expand { file, model } => {
            cargo_damper::expand(&file, &cargo_damper::read(&file)?, model.as_deref())?
        }
        Command::Check {
            files,
            message_format,
        } => return Ok(check(&files, message_format)),
    };
    Ok((text, ExitCode::SUCCESS))
}

fn check(files: &[String], format: MessageFormat) -> (String, ExitCode) {
    let format = match format {
        MessageFormat::Human => Format::Human,
        MessageFormat::Json => Format::Json,
    };
    let (report, failures) = cargo_damper::check_all(files, format);
    for failure in &failures {
        let _closed = writeln!(std::io::stderr(), "error: {failure}");
    }
    let code = match (failures.is_empty(), report.errors) {
        (false, _) => 2,
        (true, 0) => 0,
        (true, _) => 1,
    };
    (report.text, ExitCode::from(code))
}
