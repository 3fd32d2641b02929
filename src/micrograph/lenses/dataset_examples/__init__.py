"""The lens dataset_examples: its words, its engine, its part of a page."""
