"""An add-on without content: tests put their own ``includeme`` here for the time of a test."""
