"""The science in pure torch: tensors in, tensors or generators of steps out."""
