//! The wrapper of the model for burn's `Learner`.

use super::state::Shared;
use crate::Network;
use burn::module::{Module, ModuleMapper, ModuleVisitor};
use burn::tensor::Device;
use std::fmt;
use std::sync::Arc;

/// The wrapper of the model for burn's `Learner`. Its parameters have the same paths as in the model.
pub(super) struct LearnerModel<M> {
    /// Boxed, like the model in each [`StepOutput`](super::step::StepOutput): burn moves both through its own threads,
    /// whose stacks are too small for a model with many layers.
    pub(super) network: Box<M>,
    pub(super) shared: Arc<Shared<M>>,
}

impl<M: Network> LearnerModel<M> {
    pub(super) fn new(network: M, shared: Arc<Shared<M>>) -> Self {
        Self {
            network: Box::new(network),
            shared,
        }
    }

    pub(super) fn into_network(self) -> M {
        *self.network
    }

    fn with(&self, network: M) -> Self {
        Self::new(network, Arc::clone(&self.shared))
    }

    pub(super) fn change(mut self, change: impl FnOnce(M) -> M) -> Self {
        self.network = Box::new(change(*self.network));
        self
    }
}

impl<M: Network> Clone for LearnerModel<M> {
    fn clone(&self) -> Self {
        self.with(M::clone(&self.network))
    }
}

impl<M: Network> fmt::Debug for LearnerModel<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.network, f)
    }
}

impl<M: Network> fmt::Display for LearnerModel<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&*self.network, f)
    }
}

impl<M: Network> Module for LearnerModel<M> {
    fn collect_devices(&self, devices: Vec<Device>) -> Vec<Device> {
        self.network.collect_devices(devices)
    }

    fn fork(self, device: &Device) -> Self {
        self.change(|network| network.fork(device))
    }

    fn to_device(self, device: &Device) -> Self {
        self.change(|network| network.to_device(device))
    }

    fn train(self) -> Self {
        self.change(M::train)
    }

    /// The model that is validated and returned: the average of the weights, if there is one.
    fn valid(&self) -> Self {
        let averaged = self.shared.averaged_model();
        self.with(averaged.unwrap_or_else(|| self.network.valid()))
    }

    fn materialize(self) -> Self {
        self.change(M::materialize)
    }

    fn visit<V: ModuleVisitor>(&self, visitor: &mut V) {
        self.network.visit(visitor);
    }

    fn map<Map: ModuleMapper>(self, mapper: &mut Map) -> Self {
        self.change(|network| network.map(mapper))
    }
}
