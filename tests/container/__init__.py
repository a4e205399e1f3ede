"""An engine in a container. `make image-selftest` runs these tests: they need a Docker daemon and the image."""
