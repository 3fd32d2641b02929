"""The lens deepdream: its words, its engine, its part of a page."""
