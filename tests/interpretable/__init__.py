"""Modules that are interpretable by how they are built."""
