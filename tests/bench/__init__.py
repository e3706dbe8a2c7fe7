"""Speed, as ratios within one run: `make bench`, or `python -m tests.bench`.

Next: tests.bench.worker_speed
"""
