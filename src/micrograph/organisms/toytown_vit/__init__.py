"""The vision transformer: toytown's pictures as 144 patches and a class token."""
