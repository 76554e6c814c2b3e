//! What nobody should do, and what happens then: an error, or the right answer; never a panic inside a library, an
//! abort, a hang, or a number in silence.

mod memory;
mod numbers;
mod own_loop;
mod partial;
mod rows;
mod threads;
