"""CLIP with a ResNet as image tower (Radford et al. 2021): towers, tokenizer, names of tensors."""
