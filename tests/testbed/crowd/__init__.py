"""A Home Assistant integration for tests: as many lamps as are asked for."""
