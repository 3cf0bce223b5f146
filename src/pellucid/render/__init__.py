"""Pictures made by optimization: what is moved, what it is moved towards, and what it is worth in the end."""
