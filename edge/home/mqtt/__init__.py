"""How does the assistant use devices on a broker, without Home Assistant?

Zigbee2mqtt's device list and Home Assistant's discovery topics, read as entities that services act on.
"""
