"""Files of a made-up add-on: the tests of each directive register some of them."""
