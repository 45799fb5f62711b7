//! Actors, sockets and clock: carries out what the machines decide
