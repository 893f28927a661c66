"""Values and rules, without I/O, clock, randomness or logging."""
