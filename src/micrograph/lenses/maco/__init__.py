"""The lens maco: its words, its engine, its part of a page."""
