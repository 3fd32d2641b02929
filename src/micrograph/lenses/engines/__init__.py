"""What the engines of several lenses share."""
