"""Real servers for tests: Home Assistant, Mosquitto and zigbee2mqtt, built once and started once per test session."""
