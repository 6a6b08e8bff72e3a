"""Long runs: they take minutes and look for what no example shows. Run by `make soak`."""
