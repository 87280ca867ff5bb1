"""How does the assistant talk to Home Assistant?

One WebSocket connection: registries and states come in, service calls go out.
"""
