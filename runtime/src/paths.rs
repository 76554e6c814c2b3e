//! A visit of the weights of a module with their paths: `fc1.weight`.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

/// What is done with each parameter of real numbers.
pub(crate) trait WeightVisitor {
    /// Is called for each parameter, in the order of the module.
    fn visit<const D: usize>(&mut self, path: &str, param: &Param<Tensor<D>>);
}

/// Visits every parameter of real numbers with its path.
pub(crate) fn visit_weights<M: Module>(module: &M, visitor: &mut impl WeightVisitor) {
    struct Walk<'a, V> {
        path: String,
        /// The length of the path at each level.
        lengths: Vec<usize>,
        visitor: &'a mut V,
    }
    impl<V: WeightVisitor> ModuleVisitor for Walk<'_, V> {
        fn enter_module(&mut self, name: &str, _: &str) {
            self.lengths.push(self.path.len());
            if !self.path.is_empty() {
                self.path.push('.');
            }
            self.path.push_str(name);
        }
        fn exit_module(&mut self, _: &str, _: &str) {
            self.path.truncate(self.lengths.pop().unwrap_or_default());
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.visitor.visit(&self.path, param);
        }
    }
    module.visit(&mut Walk {
        path: String::new(),
        lengths: Vec::new(),
        visitor,
    });
}
