"""The add-ons that come with the core: packages like those of anybody else, each on its own."""
