"""Offline voice assistant for Raspberry-Pi-class boards: the device runtime."""
