"""The batch door: files in, files out."""
