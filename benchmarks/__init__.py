"""Side-by-side measurements, each printing one table."""
