//! Random calls; all in the folder `tests`.
