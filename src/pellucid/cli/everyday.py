"""The commands of no chapter, by name: what most people need, whatever they look for."""

EVERYDAY = {
    "init": "Write down a network and its images for this folder",
    "explain": "Explain a prediction with several methods, on one page",
    "predict": "List the most probable classes of each image",
    "layers": "List the layers, their sizes and their receptive fields",
    "index": "Record what every unit does over a data set",
    "serve": "Explore a network in a browser",
    "report": "Explain a folder of images on one page to keep and share",
    "show": "Draw an answer that was saved as numbers",
    "methods": "List all methods, with the paper behind each",
    "doctor": "Check what works on this machine",
}
"""The commands of no chapter, each in pellucid.cli.NAME as `command()`."""
HEAVY = {"explain", "index", "show"}
"""torch is needed to say what their options are, as for the methods."""
