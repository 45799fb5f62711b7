//! Tests of the SIP wire layer against what was not written here; all in the folder `tests`.
