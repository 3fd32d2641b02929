"""The lens attribution: its words, its engine, its part of a page."""
