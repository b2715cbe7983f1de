"""yanpan (研判): judges Chinese public-opinion messages for local governments."""
