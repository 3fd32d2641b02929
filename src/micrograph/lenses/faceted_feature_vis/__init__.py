"""The lens faceted_feature_vis: its words, its engine, its part of a page."""
