//! Each requirement, and where it is shown (`README.md` beside `Cargo.toml`).
