//! The scenario document, its checker and its interpreter. Sans-IO
