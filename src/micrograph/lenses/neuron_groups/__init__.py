"""The lens neuron_groups: its words, its engine, its part of a page."""
