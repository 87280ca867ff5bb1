"""How does the small model learn?

The network, its examples, training, distillation and what is added to it later.
"""
