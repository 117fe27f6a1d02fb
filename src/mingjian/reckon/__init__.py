"""What it amounts to: measures, indices, the release gate, claims."""
