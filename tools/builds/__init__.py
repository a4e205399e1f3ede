"""What builds: packages of the system, virtual environments, copies of the package to test."""
