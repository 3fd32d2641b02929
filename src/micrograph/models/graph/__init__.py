"""The graph of any network, found by watching one forward pass, and the names of its nodes."""
