"""The routes, a file for each thing that is asked for."""

from pellucid.web.routes import asks, exports, frames, indexed, jobs, layers, lines, pictures, results

ROUTES = tuple(one.routes for one in (asks, exports, frames, indexed, jobs, layers, lines, pictures, results))
"""Each takes the server and gives its routes."""
