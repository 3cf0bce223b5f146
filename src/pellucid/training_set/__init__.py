"""The engine of the chapter `examples`: images with labels as the last layer of a network sees them."""
