"""Build path: dataset → teacher → student → quantized program → bundle."""
