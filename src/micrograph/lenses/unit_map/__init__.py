"""The lens unit_map: its words, its engine, its part of a page."""
