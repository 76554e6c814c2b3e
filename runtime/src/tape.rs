//! Frees what forward passes keep for a backward that never comes.
//!
//! Burn's autodiff keeps what a pass computed until a backward runs through the same graph, also where the result was
//! dropped long ago (0.22.1: `GraphMemoryManagement::free_unavailable_nodes` is called by `backward` alone). A pass that a
//! program asks for is therefore tied to two numbers of this thread's: a backward of the first frees all of its graph that
//! no tensor belongs to any more, the second joins the graph of the next pass to it. The values are not touched. All of
//! this may go once burn frees a graph with its last tensor.

use crate::Pass;
use burn::tensor::Tensor;
use std::cell::RefCell;

/// The numbers that the last pass on a device was tied to.
struct Tags {
    probe: Option<Tensor<1>>,
    link: Tensor<1>,
}

thread_local! {
    /// One for each device that passes were made on: a program has few.
    static TAGS: RefCell<Vec<Tags>> = const { RefCell::new(Vec::new()) };
}

/// Runs a pass, after what earlier ones on this thread left behind was freed.
///
/// The passes of a training are left alone: each has its backward.
pub fn forward<const D: usize>(
    pass: &mut Pass,
    forward: impl FnOnce(&mut Pass) -> Tensor<D>,
) -> Tensor<D> {
    if pass.is_training() {
        return forward(pass);
    }
    free();
    let output = forward(pass);
    if output.is_autodiff() && output.is_tracked() {
        tie(output)
    } else {
        output
    }
}

fn free() {
    let probes: Vec<Tensor<1>> = TAGS.with_borrow_mut(|tags| {
        tags.iter_mut()
            .filter_map(|tags| tags.probe.take())
            .collect()
    });
    for probe in probes {
        drop(probe.mul_scalar(1.0).backward());
    }
}

fn tie<const D: usize>(output: Tensor<D>) -> Tensor<D> {
    let device = output.device();
    let new = || Tensor::<1>::zeros([1], &device).require_grad();
    let (probe, link) = (new(), new());
    let last = TAGS.with_borrow_mut(|all| {
        if let Some(tags) = all.iter_mut().find(|tags| tags.link.device() == device) {
            tags.probe = Some(probe.clone());
            return std::mem::replace(&mut tags.link, link.clone());
        }
        all.push(Tags {
            probe: Some(probe.clone()),
            link: link.clone(),
        });
        link.clone()
    });
    let tags = [probe, link, last];
    let given = (output, tags);
    fused!(given => damper_flex::with_parents(given.0, given.1));
    let (output, tags) = given;
    // In burn's operations 0 is added: one by one, as what is joined by way of their sum is not freed.
    tags.into_iter()
        .fold(output, |output, tag| output + tag.reshape([1; D]))
}
