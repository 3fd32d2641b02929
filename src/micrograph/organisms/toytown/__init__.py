"""The embedded organism: procedural pictures with exact part masks, and a network of them."""
