"""Training: labelled samples in, a measured model bundle out."""
