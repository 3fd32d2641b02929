"""The toytown family: networks that ship with their pictures, training and weights,
and one without weights whose compositions are known."""
