"""Each figure beside its peers: `python -m benchmarks.<work>` runs them in turn and prints ratios."""
