"""What a unit is built from: questions about a model's weights, and about it on one picture."""
