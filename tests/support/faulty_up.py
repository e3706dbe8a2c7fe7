"""`usage-report` whose `up` runs the faulty worker in place of the real one.

Next: tests.support.faulty_worker
"""

from deploy import plan
from deploy.cli import main

if __name__ == "__main__":
    plan.MODULES["worker"] = "tests.support.faulty_worker"
    main()
