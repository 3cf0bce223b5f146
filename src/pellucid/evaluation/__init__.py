"""How good a map is: many maps of many images, and what each is worth by a stated protocol."""
