"""What a unit is built from: attribution graphs, steering, claims and their evidence."""
