"""The lens diversity: its words, its engine, its part of a page."""
