"""Where networks run: two lanes, batched, bounded, cancellable."""
