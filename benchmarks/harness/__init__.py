"""How is a scenario measured?

Fresh processes under a board's limits, their work and their material.
"""
