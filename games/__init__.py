"""Games: parameters in, mathematics out. No effects. One game per file; the file's name is the game's name."""
HELPERS = ("base", "sealed_bid", "sealed_bid_words")
