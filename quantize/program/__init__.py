"""How does a student become a device program?

Quantization, export, calibration and reading a program back.
"""
