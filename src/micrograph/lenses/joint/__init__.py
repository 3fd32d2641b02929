"""The lens joint: its words, its engine, its part of a page."""
