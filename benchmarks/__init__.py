"""Measures Almanac against public peers: ratios within one run, because machines are noisy. `make bench`."""
