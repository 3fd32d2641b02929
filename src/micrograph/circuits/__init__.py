"""What a unit is built from: attribution graphs and steering on one picture; claims and evidence."""
