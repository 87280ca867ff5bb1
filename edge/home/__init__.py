"""What is in the home, and what state is it in?

Home files, the simulated home, its timers and its store.
"""
