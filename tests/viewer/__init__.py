"""A package, so that what its tests share (one browser, one server) is closed when they are done."""
