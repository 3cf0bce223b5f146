"""The loss of a network over labeled images, and how it changes with the weights: directions, points, curvature."""
