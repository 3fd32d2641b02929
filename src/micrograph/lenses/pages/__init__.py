"""What the page parts of several lenses share."""
