"""What does this board allow, and what does the process use of it?

Memory, cores, stage times and the systemd watchdog.
"""
