"""What is computed from fitted methods for the pages: rows, codes, maps, snapshots, samples."""
