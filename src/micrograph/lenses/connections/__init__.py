"""The lens connections: its words, its engine, its part of a page."""
