"""What does a parse mean here and now, and what is answered?

Targets, questions, skills and replies.
"""
