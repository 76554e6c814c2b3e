//! Every lint has a page and every page a lint; what a page shows as wrong is found, and what it shows as right is clean.
