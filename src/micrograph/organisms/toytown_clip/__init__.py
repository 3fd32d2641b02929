"""The contrastive pair: toytown's pictures and captions of them in one space."""
