"""The screen: a web page over the store. It reads what transcripts and reports offer, writes nothing and knows no truth of its own."""
