//! What every delivery network promises, and the post office above it.
