//! Call stories; all in the folder `tests`.
