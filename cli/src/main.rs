//! `cargo damper`: the command line.

use cargo_damper::{Error, Format};
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
    },
    /// Reports what the macro would report; the exit code is 1 where there are errors.
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
        Command::Summary { file } => cargo_damper::summary(&file, &cargo_damper::read(&file)?)?,
        Command::Check {
            files,
            message_format,
        } => return check(&files, message_format),
    };
    Ok((text, ExitCode::SUCCESS))
}

fn check(files: &[String], format: MessageFormat) -> Result<(String, ExitCode), Error> {
    let format = match format {
        MessageFormat::Human => Format::Human,
        MessageFormat::Json => Format::Json,
    };
    let (mut text, mut errors) = (String::new(), 0);
    for file in files {
        let report = cargo_damper::check(file, &cargo_damper::read(file)?, format)?;
        text += &report.text;
        errors += report.errors;
    }
    Ok((text, ExitCode::from(u8::from(errors > 0))))
}
