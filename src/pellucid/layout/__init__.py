"""Rows of numbers in a plane: where each lies, in a grid or freely, and how far the map can be trusted."""
