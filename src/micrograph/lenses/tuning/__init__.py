"""The lens tuning: its words, its engine, its part of a page."""
