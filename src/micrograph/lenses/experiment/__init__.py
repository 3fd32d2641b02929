"""Experiments: a picture of a unit with every setting at the reader's choice."""
