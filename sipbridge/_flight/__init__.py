"""The parts of the flight recorder."""
