"""How good is a bundle?

Accuracy, robustness, regressions and retrieval, measured in the device runtime.
"""
