//! Changes files, settings and data at random, and counts what is not an error that says so: panics, aborts, hangs, memory
//! without end, other weights than were saved.
//!
//! ```sh
//! cargo run --release -p damper-tests --bin torture -- --minutes 10
//! cargo run --release -p damper-tests --bin torture -- --minutes 1 --seed 7
//! cargo run --release -p damper-tests --bin torture -- --case 7:1234    # one case again, as it is printed for a fault
//! ```
//!
//! Cases are functions of the seed and their number. They run in a process of their own with a limit of memory, whose death
//! is a fault too; the exit code is 1 if there was one.

use damper::burn::tensor::TensorData;
use damper::data::{self, Data, Missing, Scaler, Targets};
use damper::prelude::*;
use damper::{InputTensor, Inputs, Progress, TrainError, load_weights};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// A case may take so long. They take milliseconds.
const LONGEST: Duration = Duration::from_mins(1);

/// Kilobytes of addresses that the cases may take, threads and their stacks included.
const MEMORY: usize = 8_000_000;

mod models {
    use damper::prelude::*;

    model! {
        /// Numbers of every kind.
        #[allow(damper::all, reason = "what is tried are the bounds, not the advice")]
        pub Rows<lr: f64 = 1e-2, l1: f64 = 1e-4, l2: f64 = 1e-3, rate: f64 = 0.2, most: f64 = 3.0, smooth: f64 = 0.1, keep: f64 = 0.9, clip: f64 = 1.0, hidden: usize = 6>
        input x: [3]
        layers {
            a: linear(hidden, bias = false) -> batch_norm -> relu with decay(l1 = l1, l2 = l2), max_norm(most);
            b: residual { linear(same) -> layer_norm -> tanh; };
            head: linear(3) with dropout(rate) before linear;
        }
        loss cross_entropy(label_smoothing = smooth)
        train { optimizer: adamw(lr = lr), epochs: 2, batch: 4, clip(norm = clip), ema(keep) }
    }

    model! {
        /// A number for each row.
        #[allow(damper::all, reason = "what is tried are the bounds, not the advice")]
        pub Line
        input x: [2]
        layers { a: linear(4) -> gelu; y: linear(1); }
        loss mse
        train { optimizer: sgd(lr = 0.01, momentum = 0.9), epochs: 2, batch: 3, early_stop(patience = 1) }
    }

    model! {
        /// Tokens and numbers.
        #[allow(damper::all, reason = "what is tried are the bounds, not the advice")]
        pub Words
        input { tokens: [5] of int(vocab = 7, pad = 0), x: [2] }
        layers {
            e: from(tokens) -> embedding(7, 4) -> lstm(4);
            l: last_step;
            c: concat(l, x) -> linear(4) -> relu;
            head: linear(2);
        }
        loss cross_entropy
        train { optimizer: adamw(lr = 1e-3), epochs: 1, batch: 2 }
    }
}
use models::{Line, Rows, RowsConfig, Words, WordsConfig};

/// Numbers of a case (Steele et al., "Fast splittable pseudorandom number generators").
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// Numbers as people write them, and those that nobody does.
    fn number(&mut self) -> f64 {
        let far = [
            f64::NAN,
            f64::INFINITY,
            f64::NEG_INFINITY,
            0.0,
            -0.0,
            -1.0,
            1.0,
            1e-300,
            1e300,
            f64::MAX,
            5e-324,
        ];
        if self.below(2) == 0 {
            self.one(&far)
        } else {
            (self.next() as f64 / u64::MAX as f64 - 0.3) * self.one(&[1.0, 1e-3, 10.0, 1e6])
        }
    }

    fn size(&mut self) -> usize {
        self.one(&[0, 1, 2, 3, 5, 7, 64, 1 << 20, 1 << 33, 1 << 53, usize::MAX])
    }
}

/// What a case saw; `Err` is a fault.
type Outcome = Result<(), String>;

/// The files that cases change: as they were saved, and the weights in them.
struct Saved {
    folder: PathBuf,
    files: Vec<(&'static str, Vec<u8>)>,
    predicted: Vec<f32>,
}

impl Saved {
    fn new() -> Result<Self, Box<dyn std::error::Error>> {
        let folder = std::env::temp_dir().join(format!("damper-torture-{}", std::process::id()));
        fs::create_dir_all(&folder)?;
        let model = RowsConfig::new().with_hidden(5).init(&damper::device()?)?;
        let mut files = Vec::new();
        for ending in ["safetensors", "bpk"] {
            let path = folder.join("saved").with_extension(ending);
            model.save(&path)?;
            files.push((ending, fs::read(&path)?));
        }
        Ok(Self {
            predicted: predicted(&model),
            folder,
            files,
        })
    }
}

impl Drop for Saved {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn predicted(model: &Rows) -> Vec<f32> {
    let x = Tensor::<2>::from_floats([[0.5, -1.0, 2.0], [3.0, 0.25, -0.5]], &Device::flex());
    model.logits(x).into_data().iter().collect()
}

/// A file with some of it changed gives its weights or an error.
fn file(chance: &mut Chance, saved: &Saved) -> Outcome {
    let (ending, bytes) = &saved.files[chance.below(saved.files.len())];
    let mut bytes = bytes.clone();
    for _ in 0..=chance.below(3) {
        change(chance, &mut bytes);
    }
    let path = saved.folder.join("changed").with_extension(ending);
    fs::write(&path, &bytes).map_err(|error| error.to_string())?;
    let device = Device::flex();
    let same = |model: &Rows| {
        if predicted(model) == saved.predicted {
            Ok(())
        } else {
            Err("other weights than were saved".to_owned())
        }
    };
    if let Ok(model) = Rows::load(&path, &device) {
        same(&model)?;
    }
    let fresh = RowsConfig::new()
        .with_hidden(5)
        .init(&device)
        .map_err(|error| error.to_string())?;
    // A file whose description is gone is one of PyTorch's, and has no sum; none is made so by so few changes.
    match load_weights(fresh, &path) {
        Ok(model) => same(&model),
        Err(_) => Ok(()),
    }
}

fn change(chance: &mut Chance, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let at = chance.below(bytes.len());
    match chance.below(7) {
        0 => bytes[at] ^= 1 << chance.below(8),
        1 => bytes.truncate(at),
        2 => bytes[at] = chance.one(&[0, b'9', b'"', b'{', b'}', b',', b'-', 0xFF]),
        3 => {
            let end = (at + chance.below(64)).min(bytes.len());
            bytes.drain(at..end);
        }
        4 => {
            let end = (at + chance.below(64)).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            let to = chance.below(bytes.len());
            bytes.splice(to..to, piece);
        }
        5 => {
            let number = chance.size() as u64;
            for (byte, new) in bytes[at..].iter_mut().zip(number.to_le_bytes()) {
                *byte = new;
            }
        }
        // A digit more or another one: sizes in the header.
        _ => {
            let digits: Vec<usize> = (0..bytes.len().min(3000))
                .filter(|place| bytes[*place].is_ascii_digit())
                .collect();
            if let Some(place) = digits.get(chance.below(digits.len())) {
                bytes.insert(*place, b'1' + chance.below(9) as u8);
            }
        }
    }
}

fn trained<M: Network>(training: damper::Training<M>, train: &Data, valid: &Data) -> Outcome {
    let training = training.progress(Progress::Silent).interruptible(false);
    match training.fit(train, valid) {
        Ok(run) if run.train_measures().loss.is_nan() => {
            Err("a loss that is NaN without an error".to_owned())
        }
        Ok(run) => {
            let _ = (
                run.diagnosis().to_string(),
                run.sparsity().to_string(),
                run.to_string(),
            );
            Ok(())
        }
        Err(TrainError::Panic { reason, .. }) => Err(reason),
        Err(error) => {
            let _ = error.to_string();
            Ok(())
        }
    }
}

/// Any settings on any data.
fn settings(chance: &mut Chance) -> Outcome {
    let mut config = RowsConfig::new();
    for _ in 0..=chance.below(3) {
        let number = chance.number();
        config = match chance.below(9) {
            0 => config.with_lr(number),
            1 => config.with_l1(number),
            2 => config.with_l2(number),
            3 => config.with_rate(number),
            4 => config.with_most(number),
            5 => config.with_smooth(number),
            6 => config.with_keep(number),
            7 => config.with_clip(number),
            _ => config.with_hidden(chance.size()),
        };
    }
    let mut training = config.training();
    for _ in 0..chance.below(3) {
        let number = chance.number();
        training = match chance.below(8) {
            0 => training.learning_rate(number),
            1 => training.clip_norm(number),
            2 => training.mixup(number),
            3 => training.ema(number),
            4 => training.layer_decay(number),
            5 => training.batch(chance.size()),
            6 => training.accumulate(chance.size()),
            _ => training.seed(chance.next()),
        };
    }
    let (Some(train), Some(valid)) = (rows(chance, 3), rows(chance, 3)) else {
        return Ok(());
    };
    trained(training, &train, &valid)
}

/// A few rows, now and then of another width, with far numbers, or with targets that are none.
fn rows(chance: &mut Chance, width: usize) -> Option<Data> {
    let width = if chance.below(8) == 0 {
        chance.below(6)
    } else {
        width
    };
    let rows = chance.one(&[0, 1, 1, 2, 3, 4, 5, 9]);
    let far = chance.below(6) == 0;
    let values: Vec<f32> = (0..rows * width)
        .map(|_| {
            if far {
                chance.number() as f32
            } else {
                chance.below(9) as f32 / 4.0 - 1.0
            }
        })
        .collect();
    let rows = if chance.below(10) == 0 {
        rows + 1
    } else {
        rows
    };
    let data = match chance.below(6) {
        0 => Data::new(
            (values, width),
            (0..rows)
                .map(|_| chance.number() as f32)
                .collect::<Vec<f32>>(),
        ),
        1 => Data::new(
            (values, width),
            (0..rows).map(|_| chance.size()).collect::<Vec<usize>>(),
        ),
        2 => {
            let names: Vec<String> = (0..rows)
                .map(|_| chance.one(&["a", "b", "ü", ""]).to_owned())
                .collect();
            Data::new(
                (values, width),
                names.iter().map(String::as_str).collect::<Vec<&str>>(),
            )
        }
        3 => Data::new(
            (values, width),
            Targets::Values {
                values: vec![0.5; rows].into(),
                width: chance.below(3),
            },
        ),
        _ => Data::new(
            (values, width),
            (0..rows).map(|_| chance.below(3)).collect::<Vec<usize>>(),
        ),
    };
    let data = data.ok()?;
    let _ = data.to_string();
    let data = match Scaler::standard(&data).and_then(|scaler| scaler.apply(&data)) {
        Ok(scaled) if chance.below(2) == 0 => scaled,
        _ => data,
    };
    if chance.below(4) == 0 {
        let _ = data.split(chance.number(), chance.next());
        let _ = data.select(&[chance.size()]);
        let _ = data.row(chance.size());
    }
    Some(data)
}

/// A table that somebody edited by hand.
fn table(chance: &mut Chance) -> Outcome {
    let mut text = "a,b,kind,y\n1,2.5,red,0.5\n3,-4,blue,1\n0,1e3,\"red\",2\n5,NA,green,-1\n"
        .to_owned()
        .into_bytes();
    for _ in 0..chance.below(6) {
        if text.is_empty() {
            break;
        }
        let at = chance.below(text.len());
        match chance.below(4) {
            0 => {
                let new = chance.one(&[
                    &b"\""[..],
                    b",",
                    b"\n",
                    b"\r\n",
                    b"\r",
                    b"NaN",
                    b"1e999",
                    b"99999999999999999999",
                    b"\0",
                    b";",
                    b"\xEF\xBB\xBF",
                    b"\xFF",
                    b"?",
                    b"inf",
                    b"-",
                ]);
                text.splice(at..at, new.iter().copied());
            }
            1 => {
                text.remove(at);
            }
            2 => text.truncate(at.max(1)),
            _ => {
                let piece: Vec<u8> = text[at..(at + 30).min(text.len())].to_vec();
                text.extend(piece);
            }
        }
    }
    let Ok(mut table) = data::csv_from("t.csv", text.as_slice()) else {
        return Ok(());
    };
    for _ in 0..chance.below(4) {
        table = match chance.below(8) {
            0 => table.header(chance.below(2) == 0),
            1 => table.categorical("kind"),
            2 => table.ignore("kind"),
            3 => table.missing(chance.one(&[
                Missing::DropRow,
                Missing::Mean,
                Missing::Zero,
                Missing::Value(f32::NAN),
                Missing::Value(1.0),
            ])),
            4 => table.classes(),
            5 => table.values(),
            6 => table.delimiter(chance.one(&[';', '\t', 'ü', '"', '\n'])),
            _ => table.categories(chance.below(5), ["red", "blue", "red"]),
        };
    }
    let again = table.clone();
    let read = if chance.below(2) == 0 {
        table.target("y")
    } else {
        table.target(chance.below(6))
    };
    let read = match read {
        Ok(data) => data,
        Err(error) => {
            let _ = error.to_string();
            return Ok(());
        }
    };
    for row in 0..read.rows() {
        let row = read.row(row).unwrap_or_default();
        if row.iter().any(|x| !x.is_finite()) {
            return Err(format!("a row of {row:?}"));
        }
    }
    if let Ok(other) = again.like(&read.schema()).target("y")
        && other.row(0) != read.row(0)
    {
        return Err("the same table gives other rows beside itself".to_owned());
    }
    trained(Line::training(), &read, &read)
}

/// Inputs of any number, shape, kind and class.
fn inputs(chance: &mut Chance) -> Outcome {
    let device = if chance.below(2) == 0 {
        Device::flex()
    } else {
        Device::flex().autodiff()
    };
    let model = WordsConfig::new()
        .init(&device)
        .map_err(|error| error.to_string())?;
    let batch = chance.below(4);
    let mut all = Vec::new();
    for wanted in [5, 2] {
        let rows = if chance.below(10) == 0 {
            chance.below(5)
        } else {
            batch
        };
        let width = if chance.below(5) == 0 {
            chance.below(8)
        } else {
            wanted
        };
        let ints = (wanted == 5) != (chance.below(10) == 0);
        let shape = if chance.below(12) == 0 {
            vec![chance.size()]
        } else {
            vec![width]
        };
        all.push(if ints {
            let tokens: Vec<i32> = (0..rows * width)
                .map(|_| {
                    if chance.below(40) == 0 {
                        chance.one(&[-1, 7, i32::MAX, i32::MIN])
                    } else {
                        chance.below(7) as i32
                    }
                })
                .collect();
            InputTensor::Int(
                Tensor::from_data(TensorData::new(tokens, [rows, width]), &device),
                shape,
            )
        } else {
            InputTensor::Float(Tensor::zeros([rows, width], &device), shape)
        });
    }
    if chance.below(10) == 0 {
        all.pop();
    }
    match model.try_predict(&Inputs(all)) {
        Ok(output)
            if output
                .clone()
                .into_data()
                .iter::<f32>()
                .any(|x| !x.is_finite()) =>
        {
            Err("a prediction that is no number".to_owned())
        }
        Ok(_) => Ok(()),
        Err(error) => {
            let _ = error.to_string();
            Ok(())
        }
    }
}

/// Sequences and numbers, as a training takes them.
fn sequences(chance: &mut Chance) -> Outcome {
    let rows = chance.one(&[0, 1, 2, 3, 6]);
    let tokens: Vec<Vec<u32>> = (0..rows)
        .map(|_| {
            let steps = chance.one(&[1, 2, 5, 5, 5, 6, 0]);
            (0..steps)
                .map(|_| {
                    if chance.below(50) == 0 {
                        chance.one(&[7, u32::MAX])
                    } else {
                        chance.below(7) as u32
                    }
                })
                .collect()
        })
        .collect();
    let classes: Vec<usize> = (0..rows).map(|_| chance.below(2)).collect();
    let Ok(data) = Data::sequences(&tokens, classes) else {
        return Ok(());
    };
    let Ok(data) = data.with_input(
        chance.one(&["x", "x", "x", "y", "tokens"]),
        (vec![0.5_f32; 2 * rows], 2),
    ) else {
        return Ok(());
    };
    trained(Words::training(), &data, &data)
}

fn case(seed: u64, number: u64, saved: &Saved) -> Outcome {
    let mut chance = Chance(seed ^ number.wrapping_mul(0xD6E8_FEB8_6659_FD93));
    let run = AssertUnwindSafe(|| match chance.below(12) {
        0..5 => file(&mut chance, saved),
        5 | 6 => settings(&mut chance),
        7 | 8 => table(&mut chance),
        9 | 10 => inputs(&mut chance),
        _ => sequences(&mut chance),
    });
    catch_unwind(run).unwrap_or_else(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        let text = text.or_else(|| {
            payload
                .downcast_ref::<&str>()
                .map(|text| (*text).to_owned())
        });
        Err(format!("panic: {}", text.unwrap_or_default()))
    })
}

/// Runs cases from this one on, and says before each which it is; a fault is a line of its own.
fn work(seed: u64, first: u64, only: bool) -> Result<bool, Box<dyn std::error::Error>> {
    if !only {
        std::panic::set_hook(Box::new(|_| {}));
    }
    let saved = Saved::new()?;
    let mut out = std::io::stdout().lock();
    for number in first.. {
        writeln!(out, "case {number}")?;
        out.flush()?;
        let outcome = case(seed, number, &saved);
        if let Err(fault) = &outcome {
            writeln!(out, "fault {}", fault.replace('\n', " | "))?;
        }
        if only {
            return Ok(outcome.is_ok());
        }
    }
    Ok(true)
}

/// A process that runs cases; its lines.
fn start(program: &Path, seed: u64, first: u64) -> std::io::Result<std::process::Child> {
    let limited = format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\"");
    Command::new("sh")
        .args(["-c", &limited])
        .arg(program)
        .args(["--worker", &seed.to_string(), &first.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}

fn supervise(minutes: f64, seed: u64) -> Result<u64, Box<dyn std::error::Error>> {
    let program = std::env::current_exe()?;
    let end = Instant::now() + Duration::from_secs_f64(minutes * 60.0);
    let (mut next, mut faults) = (0_u64, 0_u64);
    let mut fault = |number: u64, what: &str| {
        faults += 1;
        println!("fault in --case {seed}:{number}: {what}");
    };
    while Instant::now() < end {
        let mut child = start(&program, seed, next)?;
        let Some(lines) = child.stdout.take() else {
            continue;
        };
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(lines).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let mut running = None;
        loop {
            match receiver.recv_timeout(LONGEST) {
                Ok(line) => {
                    if let Some(number) = line
                        .strip_prefix("case ")
                        .and_then(|number| number.parse::<u64>().ok())
                    {
                        running = Some(number);
                        next = number + 1;
                    } else if let Some(what) = line.strip_prefix("fault ") {
                        fault(running.unwrap_or(next), what);
                    }
                    if Instant::now() >= end {
                        break;
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    fault(running.unwrap_or(next), "it does not end");
                    break;
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let status = child.wait()?;
                    fault(
                        running.unwrap_or(next),
                        &format!("the process died: {status}"),
                    );
                    next = running.map_or(next + 1, |number| number + 1);
                    break;
                }
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        // What the process could not remove itself.
        let _ =
            fs::remove_dir_all(std::env::temp_dir().join(format!("damper-torture-{}", child.id())));
    }
    println!(
        "seed {seed}: {next} tried, {} fine, {faults} faults",
        next - faults.min(next)
    );
    Ok(faults)
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (mut minutes, mut seed) = (1.0, 1);
    let mut rest = arguments.iter().map(String::as_str);
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or(format!("`{argument}` needs a value"));
        match argument {
            "--minutes" => minutes = value()?.parse()?,
            "--seed" => seed = value()?.parse()?,
            "--worker" => {
                let (seed, first) = (value()?.parse()?, value()?.parse()?);
                work(seed, first, false)?;
                return Ok(ExitCode::SUCCESS);
            }
            "--case" => {
                let (seed, number) = value()?.split_once(':').ok_or("a case is `SEED:NUMBER`")?;
                let fine = work(seed.parse()?, number.parse()?, true)?;
                return Ok(if fine {
                    ExitCode::SUCCESS
                } else {
                    ExitCode::FAILURE
                });
            }
            _ => {
                return Err(
                    format!("`{argument}` is none of `--minutes`, `--seed`, `--case`").into(),
                );
            }
        }
    }
    Ok(if supervise(minutes, seed)? == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
