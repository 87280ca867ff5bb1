"""What does the large model know?

Encoders, their adaptation, training and labels.
"""
