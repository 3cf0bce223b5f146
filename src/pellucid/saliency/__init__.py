"""Maps of where: what attribution methods are made from. Backward passes, class maps, paths, covers, superpixels."""
