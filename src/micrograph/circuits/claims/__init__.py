"""Claims that a unit is built from others, and the evidence for and against them."""
