"""One file per architecture: each defines `CARD` and imports torch only inside its `build`."""
