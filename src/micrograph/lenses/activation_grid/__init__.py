"""The lens activation_grid: its words, its engine, its part of a page."""
