"""What units are built from: weights between them, graphs on a picture, and claims with evidence."""
