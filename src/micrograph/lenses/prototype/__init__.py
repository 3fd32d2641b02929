"""The lens prototype: its words, its engine, its part of a page."""
