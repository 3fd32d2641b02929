"""The lens similar: its words, its engine, its part of a page."""
