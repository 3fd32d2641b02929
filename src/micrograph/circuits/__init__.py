"""What units are built from: claims, and the evidence for them."""
