//! What several tests need.

use damper::Spec;
use damper::burn::module::{Module, ModuleMapper, Param};
use damper::burn::tensor::{Device, Int, Tensor, TensorData};
use damper_ir::op;
use damper_ir::{
    Id, Input, InputKind, Loss, LossKind, Model, Op, OpKind, Source, Statement, Train, Value,
    WeightRule,
};
use safetensors::{Dtype, SafeTensors};

/// The backend that the features choose.
pub fn device() -> Device {
    #[cfg(feature = "wgpu")]
    return Device::wgpu(Default::default());
    #[cfg(all(feature = "ndarray", not(feature = "wgpu")))]
    #[allow(
        deprecated,
        reason = "burn deprecates ndarray; it is a declared backend"
    )]
    return Device::ndarray();
    #[cfg(not(any(feature = "ndarray", feature = "wgpu")))]
    Device::flex()
}

/// The greatest difference from PyTorch, relative to the greater of the two numbers (and to 1 below 1).
pub const TOLERANCE: f32 = if cfg!(feature = "wgpu") { 1e-3 } else { 1e-5 };

/// The tensors of one file in `tests/fixtures`.
pub struct Fixture {
    bytes: Vec<u8>,
}

impl Fixture {
    pub fn open(name: &str) -> Self {
        let path = format!("{}/fixtures/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
        Self {
            bytes: std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}")),
        }
    }

    /// The shape and the numbers of one tensor.
    pub fn numbers(&self, name: &str) -> (Vec<usize>, Vec<f32>) {
        let all = SafeTensors::deserialize(&self.bytes).expect("a fixture is a safetensors file");
        let tensor = all
            .tensor(name)
            .unwrap_or_else(|_| panic!("the fixture has no `{name}`"));
        let numbers = match tensor.dtype() {
            Dtype::F32 => tensor
                .data()
                .as_chunks()
                .0
                .iter()
                .map(|bytes| f32::from_le_bytes(*bytes))
                .collect(),
            Dtype::I64 => tensor
                .data()
                .as_chunks()
                .0
                .iter()
                .map(|bytes| i64::from_le_bytes(*bytes) as f32)
                .collect(),
            other => panic!("`{name}` is {other:?}"),
        };
        (tensor.shape().to_vec(), numbers)
    }

    pub fn tensor<const D: usize>(&self, name: &str, device: &Device) -> Tensor<D> {
        let (shape, numbers) = self.numbers(name);
        Tensor::from_data(TensorData::new(numbers, shape), device)
    }

    pub fn classes(&self, name: &str, device: &Device) -> Tensor<1, Int> {
        let (shape, numbers) = self.numbers(name);
        let classes: Vec<i64> = numbers.iter().map(|class| *class as i64).collect();
        Tensor::from_data(TensorData::new(classes, shape), device)
    }

    /// Asserts that the tensor is what PyTorch gave.
    #[track_caller]
    pub fn assert<const D: usize>(&self, name: &str, actual: Tensor<D>) {
        self.assert_within(name, actual, TOLERANCE);
    }

    /// Asserts that the tensor is what PyTorch gave, within another tolerance.
    #[track_caller]
    pub fn assert_within<const D: usize>(&self, name: &str, actual: Tensor<D>, tolerance: f32) {
        let (shape, expected) = self.numbers(name);
        assert_eq!(actual.dims().to_vec(), shape, "shape of `{name}`");
        assert_close(name, &numbers(actual), &expected, tolerance);
    }
}

/// The numbers of a tensor, wherever it is.
pub fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.inner().into_data().iter::<f32>().collect()
}

#[track_caller]
pub fn assert_close(name: &str, actual: &[f32], expected: &[f32], tolerance: f32) {
    assert_eq!(
        actual.len(),
        expected.len(),
        "how many numbers `{name}` has"
    );
    for (index, (a, e)) in actual.iter().zip(expected).enumerate() {
        let scale = a.abs().max(e.abs()).max(1.0);
        assert!(
            (a - e).abs() <= tolerance * scale,
            "`{name}`: number {index} is {a}, wanted {e}\n  actual {actual:?}\n  wanted {expected:?}"
        );
    }
}

/// An operation called `field`.
pub fn op(id: u32, field: &str, kind: OpKind, rules: Vec<WeightRule>) -> Op {
    Op {
        id: Id(id),
        field: Some(field.to_owned()),
        kind,
        rules,
        levels: vec![],
    }
}

pub fn linear(id: u32, field: &str, out: usize, rules: Vec<WeightRule>) -> Op {
    op(
        id,
        field,
        OpKind::Linear(op::Linear {
            out: Value::known(out as f64),
            bias: Value::truth(true),
            same: false,
            tied: None,
        }),
        rules,
    )
}

/// A model of one statement.
pub fn model(inputs: usize, ops: Vec<Op>, loss: Option<LossKind>, train: Option<Train>) -> Model {
    Model {
        name: "Net".to_owned(),
        inputs: vec![Input {
            id: Id::NONE,
            name: "x".to_owned(),
            shape: vec![Value::known(inputs as f64)],
            kind: InputKind::Float,
        }],
        layers: vec![Statement {
            id: Id::NONE,
            name: "fc".to_owned(),
            source: Source::Previous,
            source_id: Id::NONE,
            ops,
            levels: vec![],
        }],
        loss: loss.map(|kind| Loss {
            id: Id::NONE,
            kind,
            target: None,
            levels: vec![],
        }),
        train,
        ..Model::default()
    }
}

/// A checked model of one statement. Lints that only warn are not asked.
#[track_caller]
pub fn spec(inputs: usize, ops: Vec<Op>, loss: Option<LossKind>, train: Option<Train>) -> Spec {
    Spec::check(model(inputs, ops, loss, train)).unwrap_or_else(|error| panic!("{error}"))
}

/// Numbers in [-1, 1) that look random and are the same everywhere.
pub fn noise(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// Whether this test has the process for itself; if not, it is run in one of its own.
///
/// A device's random numbers are one stream for the whole process, and the tests beside this one draw from it as they
/// please. (A training does not: what is random in it comes from its seed.)
pub fn alone() -> bool {
    let thread = std::thread::current();
    let name = thread.name().filter(|name| *name != "main");
    let (Some(name), None) = (name, std::env::var_os("DAMPER_TEST_ALONE")) else {
        return true;
    };
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact"])
        .env("DAMPER_TEST_ALONE", "1")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
    false
}

/// Runs among so many threads, however many cores there are: that is how many the work is cut for.
pub fn on_threads<T: Send>(count: usize, run: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new()
        .num_threads(count)
        .build()
        .expect("threads")
        .install(run)
}

/// Numbers in [-bound, bound) that look random and are the same everywhere.
pub fn random<const D: usize>(
    shape: [usize; D],
    seed: u64,
    bound: f32,
    device: &Device,
) -> Tensor<D> {
    let mut numbers = noise(shape.iter().product(), seed);
    for number in &mut numbers {
        *number *= bound;
    }
    Tensor::from_data(TensorData::new(numbers, shape), device)
}

/// The module with parameters that look random and are the same everywhere, of about the size of fresh ones.
pub fn same_everywhere<M: Module>(module: M) -> M {
    struct Numbers(u64);

    impl ModuleMapper for Numbers {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            self.0 += 1;
            let old = param.val();
            let shape = old.dims();
            let count = shape.iter().product::<usize>() as f32;
            let bound = 2.0 / count.sqrt().sqrt();
            Param::from_tensor(random(shape, self.0, bound, &old.device()))
        }
    }

    module.map(&mut Numbers(0))
}
