//! Misuse and hostile values: the answer is a typed error or the right result, never a panic, an abort, a hang, or a
//! wrong number in silence.

mod memory;
mod numbers;
mod own_loop;
mod partial;
mod rows;
mod threads;
