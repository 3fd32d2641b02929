"""Directions and sparse dictionaries: units that are no channels. Importing this needs no torch."""

ATTACHED_KINDS = frozenset({"dictionary", "directions"})
"""Kinds of nodes that are none of the network's own: see `Model.attach`."""
