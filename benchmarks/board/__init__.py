"""Does it fit the board?

Budgets, projections to boards, and the emulated ARM board.
"""
