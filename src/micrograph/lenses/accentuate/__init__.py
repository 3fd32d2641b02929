"""The lens accentuate: its words, its engine, its part of a page."""
