"""What executors and containers share: the interface of a phase, its outputs, its cores."""
