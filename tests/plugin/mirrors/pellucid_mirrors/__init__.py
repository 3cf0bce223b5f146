"""A package that adds one of each to Pellucid, for the tests: how another package does it."""
