"""Directions and sparse dictionaries: units that are no channels. Importing this needs no torch."""
