"""What the networks of TF-slim share: their tables, their layers, and reading their checkpoints."""
