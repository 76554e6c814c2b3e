//! Layers that burn lacks.
