"""The pure core: from a raw message to an assessment, values in and values out."""
