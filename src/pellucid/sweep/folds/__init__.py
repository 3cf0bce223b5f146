"""The statistics that a sweep can keep, one file for each kind."""
