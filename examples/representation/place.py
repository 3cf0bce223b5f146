"""Place on the map: where do new pictures belong, on a map that was made without them?"""

import pellucid as pl

# of your own: pl.units.index("bundled", "photos/", store="photos.index")
index = pl.units.index("bundled", "samples", store="samples.index")

turned = [pl.images.read(f"sample:{name}").pictures[0].flip(2) for name in ("panda", "palace_china", "scarlet_macaw")]
mirrored = pl.Images.from_pictures(turned, ["panda, mirrored", "palace_china, mirrored", "scarlet_macaw, mirrored"])
where = pl.representation.place(index, mirrored, perplexity=20)
print(where.values)

pl.draw(where).save("place.png")
