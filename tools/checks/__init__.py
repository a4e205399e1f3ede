"""What checks: the runs of the tests, the linters, the fuzzer, the soak, and all of it as CI does."""
