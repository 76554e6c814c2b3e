//! Regularisers as plain functions.
