#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| plugboard_tests_fuzz::stun::stun(bytes));
