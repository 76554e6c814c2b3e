//! Steps of recurrent layers against the same formulas in `f64`, and their gradients against finite differences.

// Zeros and copies are exact.
#![allow(clippy::float_cmp)]

use damper_kernels::LengthMismatch;
use damper_kernels::recurrent::{self, Cell, Step, StepBackward};

const CELLS: [Cell; 3] = [Cell::Rnn, Cell::Gru, Cell::Lstm];

/// Numbers of the state: one vector and a rest, and fewer than a vector.
const HIDDEN: [usize; 2] = [21, 3];
const ROWS: usize = 2;

/// Between -2 and 2, other ones for each seed.
fn numbers(seed: usize, count: usize) -> Vec<f32> {
    (0..count)
        .map(|index| ((index + 1) * (seed + 3) * 7919 % 4001) as f32 / 1000.0 - 2.0)
        .collect()
}

fn exact(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().copied().map(f64::from).collect()
}

fn close(name: &str, found: &[f32], exact: &[f64]) {
    assert_eq!(found.len(), exact.len(), "{name}");
    for (index, (found, exact)) in found.iter().zip(exact).enumerate() {
        let error = (f64::from(*found) - exact).abs();
        assert!(
            error <= 1e-6 * exact.abs().max(1.0),
            "{name} {index}: {found}, exactly {exact}"
        );
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// What a step reads.
#[derive(Clone)]
struct Read {
    cell: Cell,
    hidden: usize,
    projected: Vec<f32>,
    product: Vec<f32>,
    bias: Vec<f32>,
    old: Vec<f32>,
    memory: Vec<f32>,
}

/// What a step gives.
struct Given {
    gates: Vec<f32>,
    inner: Vec<f32>,
    memory: Vec<f32>,
    state: Vec<f32>,
}

impl Read {
    fn new(cell: Cell, hidden: usize) -> Self {
        let (states, gates) = (ROWS * hidden, cell.gates() * hidden);
        let only = |of: Cell, count: usize| if cell == of { count } else { 0 };
        Self {
            cell,
            hidden,
            projected: numbers(1, ROWS * gates),
            product: numbers(2, ROWS * gates),
            bias: numbers(3, gates),
            old: numbers(4, only(Cell::Gru, states)),
            memory: numbers(5, only(Cell::Lstm, states)),
        }
    }

    fn forward(&self) -> Given {
        let states = ROWS * self.hidden;
        let inner = if self.cell == Cell::Rnn { 0 } else { states };
        let mut given = Given {
            gates: self.projected.clone(),
            inner: vec![f32::NAN; inner],
            memory: vec![f32::NAN; self.memory.len()],
            state: vec![f32::NAN; states],
        };
        let step = Step {
            product: &self.product,
            bias: &self.bias,
            old: &self.old,
            old_memory: &self.memory,
            gates: &mut given.gates,
            inner: &mut given.inner,
            memory: &mut given.memory,
            state: &mut given.state,
        };
        recurrent::forward(self.cell, self.hidden, step).unwrap();
        given
    }

    /// The new state and the new memory, from what the step reads in this order: the input's share and the state's
    /// share of the gates, the old state and the old memory.
    fn reference(&self, read: [&[f64]; 4]) -> [Vec<f64>; 2] {
        let [projected, product, old, memory] = read;
        let (hidden, width) = (self.hidden, self.cell.gates() * self.hidden);
        let [mut states, mut memories] = [vec![], vec![]];
        for (index, place) in (0..ROWS * hidden).map(|index| (index, index % hidden)) {
            let at = |gate: usize| index / hidden * width + gate * hidden + place;
            let bias = |gate: usize| f64::from(self.bias[gate * hidden + place]);
            let state = |gate: usize| product[at(gate)] + bias(gate);
            let sum = |gate: usize| projected[at(gate)] + state(gate);
            match self.cell {
                Cell::Rnn => states.push(sum(0).tanh()),
                Cell::Gru => {
                    let (r, z) = (sigmoid(sum(0)), sigmoid(sum(1)));
                    let n = (projected[at(2)] + r * state(2)).tanh();
                    states.push((1.0 - z) * n + z * old[index]);
                }
                Cell::Lstm => {
                    let [i, f, o] = [0, 1, 3].map(|gate| sigmoid(sum(gate)));
                    memories.push(f * memory[index] + i * sum(2).tanh());
                    states.push(o * memories[index].tanh());
                }
            }
        }
        [states, memories]
    }
}

#[test]
fn a_step_is_its_formula() {
    for (cell, hidden) in CELLS.into_iter().flat_map(|cell| HIDDEN.map(|h| (cell, h))) {
        let read = Read::new(cell, hidden);
        let given = read.forward();
        let of = [&read.projected, &read.product, &read.old, &read.memory].map(|x| exact(x));
        let [state, memory] = read.reference(of.each_ref().map(|x| &x[..]));
        close("state", &given.state, &state);
        close("memory", &given.memory, &memory);
    }
}

/// The gradients of `Σ a h' + Σ b c'`, with what the old state and memory get besides.
#[test]
fn the_way_back_is_the_derivative() {
    for (cell, hidden) in CELLS.into_iter().flat_map(|cell| HIDDEN.map(|h| (cell, h))) {
        let read = Read::new(cell, hidden);
        let given = read.forward();
        let of_state = numbers(6, given.state.len());
        let of_memory = numbers(7, given.memory.len());
        let (besides, besides_memory) = (numbers(8, read.old.len()), numbers(9, read.memory.len()));
        let (mut memory, mut direct) = (of_memory.clone(), besides.clone());
        let mut projected = given.gates.clone();
        let mut product = vec![
            f32::NAN;
            if cell == Cell::Gru {
                projected.len()
            } else {
                0
            }
        ];
        let step = StepBackward {
            gates: &mut projected,
            inner: &given.inner,
            old: &read.old,
            old_memory: &read.memory,
            state: &of_state,
            memory: &mut memory,
            direct_memory: &besides_memory,
            direct: &mut direct,
            product: &mut product,
        };
        recurrent::backward(cell, hidden, step).unwrap();

        let of = [&read.projected, &read.product, &read.old, &read.memory].map(|x| exact(x));
        let loss = |of: &[Vec<f64>; 4]| -> f64 {
            let [state, memory] = read.reference(of.each_ref().map(|x| &x[..]));
            let weigh = |x: &[f64], weights: &[f32]| -> f64 {
                x.iter().zip(weights).map(|(x, w)| x * f64::from(*w)).sum()
            };
            weigh(&state, &of_state) + weigh(&memory, &of_memory)
        };
        let slopes = |which: usize, besides: &[f32]| -> Vec<f64> {
            let slope = |index: usize| {
                let moved = |step: f64| {
                    let mut of = of.clone();
                    of[which][index] += step;
                    loss(&of)
                };
                let besides = besides.get(index).copied().unwrap_or(0.0);
                (moved(1e-5) - moved(-1e-5)) / 2e-5 + f64::from(besides)
            };
            (0..of[which].len()).map(slope).collect()
        };
        close("projected", &projected, &slopes(0, &[]));
        let of_product = if cell == Cell::Gru {
            &product
        } else {
            &projected
        };
        close("product", of_product, &slopes(1, &[]));
        close("old state", &direct, &slopes(2, &besides));
        close("old memory", &memory, &slopes(3, &besides_memory));
    }
}

#[test]
fn what_is_no_number_stays_so() {
    for cell in CELLS {
        let mut read = Read::new(cell, 3);
        read.projected[1] = f32::NAN;
        let given = read.forward();
        assert!(given.state[1].is_nan(), "{cell:?}");
        assert!(given.state[2].is_finite(), "{cell:?}");
    }
}

#[test]
fn large_sums_saturate() {
    for (cell, limit) in CELLS.into_iter().zip([1.0, 1.0, 0.0]) {
        let mut read = Read::new(cell, 3);
        read.projected.fill(-1e30);
        read.old.fill(1.0);
        let given = read.forward();
        assert!(given.state.iter().all(|x| x.abs() == limit), "{cell:?}");
    }
}

#[test]
fn as_much_is_kept_as_the_share_says() {
    // One share for each number, and for each row of three.
    for shares in [numbers(1, 6), vec![0.25, 1.0]] {
        let (new, old) = (numbers(2, 6), numbers(3, 6));
        let share = |index: usize| f64::from(shares[index * shares.len() / 6]);
        let mut mixed = new.clone();
        recurrent::blend(&mut mixed, &old, &shares).unwrap();
        let exact = |index: usize| {
            share(index) * f64::from(old[index]) + (1.0 - share(index)) * f64::from(new[index])
        };
        close("new", &mixed, &(0..6).map(exact).collect::<Vec<_>>());

        let (mut gradient, mut direct) = (numbers(4, 6), vec![f32::NAN; 6]);
        recurrent::blend_backward(&mut gradient, &mut direct, &shares).unwrap();
        let before = numbers(4, 6);
        let to_old = |index: usize| share(index) * f64::from(before[index]);
        let to_new = |index: usize| (1.0 - share(index)) * f64::from(before[index]);
        close("direct", &direct, &(0..6).map(to_old).collect::<Vec<_>>());
        close("rest", &gradient, &(0..6).map(to_new).collect::<Vec<_>>());
    }
}

#[test]
fn a_state_is_seen_through_its_mask() {
    let mut seen = [f32::NAN; 3];
    recurrent::apply_mask(&[1.0, 2.0, 3.0], &[0.0, 2.0, 1.0], &mut seen).unwrap();
    assert_eq!(seen, [0.0, 4.0, 3.0]);
    let (direct, others) = ([1.0, 2.0, 3.0], [0.5; 3]);
    let mut gradient = [1.0; 3];
    recurrent::state_gradient(&mut gradient, Some(&[0.0, 2.0, 1.0]), &direct, &others).unwrap();
    assert_eq!(gradient, [1.5, 4.5, 4.5]);
    recurrent::state_gradient(&mut gradient, None, &direct, &others).unwrap();
    assert_eq!(gradient, [3.0, 7.0, 8.0]);
}

#[test]
fn lengths_that_do_not_fit_are_errors() {
    fn name(result: Result<(), LengthMismatch>) -> &'static str {
        result.unwrap_err().name
    }
    let (mut two, mut three) = ([0.0; 2], [0.0; 3]);
    assert_eq!(name(recurrent::blend(&mut two, &[0.0; 3], &[0.0])), "old");
    assert_eq!(
        name(recurrent::blend(&mut two, &[0.0; 2], &[0.0; 3])),
        "keep"
    );
    assert_eq!(name(recurrent::blend(&mut two, &[0.0; 2], &[])), "keep");
    assert_eq!(
        name(recurrent::blend_backward(&mut two, &mut three, &[0.0])),
        "direct"
    );
    assert_eq!(
        name(recurrent::apply_mask(&[0.0; 2], &[0.0; 3], &mut two)),
        "mask"
    );
    assert_eq!(
        name(recurrent::state_gradient(&mut two, None, &[0.0; 2], &[0.0])),
        "others"
    );
    let step = Step {
        product: &[0.0; 12],
        bias: &[0.0; 12],
        old: &[],
        old_memory: &[0.0; 3],
        gates: &mut [0.0; 12],
        inner: &mut [0.0; 3],
        memory: &mut [0.0; 2],
        state: &mut three,
    };
    assert_eq!(name(recurrent::forward(Cell::Lstm, 3, step)), "memory");
    let step = StepBackward {
        gates: &mut two,
        inner: &[],
        old: &[],
        old_memory: &[],
        state: &[0.0; 3],
        memory: &mut [],
        direct_memory: &[],
        direct: &mut [],
        product: &mut [],
    };
    assert_eq!(name(recurrent::backward(Cell::Rnn, 3, step)), "gates");
}
