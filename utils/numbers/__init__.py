"""Series and matrices: filters, smooth paths, clustering; pure functions on arrays."""
