"""The lens caricature: its words, its engine, its part of a page."""
