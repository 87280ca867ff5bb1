"""How does the assistant reach a network without ever waiting for it?

One asyncio thread, which the loop reaches through queues of frozen values and futures with deadlines.
"""
