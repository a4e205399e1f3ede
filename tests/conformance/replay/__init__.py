"""Recorded calls, played against the endpoint that was recorded (sipbridge._replay)."""
