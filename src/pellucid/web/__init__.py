"""The explorer: everything that the catalogue holds, in a browser (`serve.serve`)."""
