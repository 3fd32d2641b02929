"""The toytown family: networks that ship with their pictures, training and weights."""
