"""Weights: where they lie, every form in which they are published, fetching and importing them."""
