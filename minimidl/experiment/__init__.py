"""One experiment: a named model on a named data set, trained by a recipe, to one honest row."""
