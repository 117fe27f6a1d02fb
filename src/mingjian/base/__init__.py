"""The ground: errors, values, keys, typesetting. Knows nothing of programmes."""
