"""A decision taken apart: groups of units, their maps, pictures and shares, and the ways between them."""
