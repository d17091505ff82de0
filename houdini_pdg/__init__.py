"""The synthetic data pipeline of section 3.3: a plan, stages as commands, three executors."""
