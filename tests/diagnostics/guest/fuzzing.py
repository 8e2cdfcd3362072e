"""Random examples: few of them by default, many with FUZZ=long; the seed is printed, and FUZZ_SEED
repeats a run."""

import os
import random
from collections.abc import Callable

from hypothesis import HealthCheck, seed, settings

SEED = int(os.environ.get("FUZZ_SEED") or random.SystemRandom().randrange(2**32))


def fuzz(examples: int = 2000, long: int = 0) -> Callable[[Callable], Callable]:
    """Runs the test with `examples` of them; with `long` of them where the long form is asked."""
    if os.environ.get("FUZZ") == "long":
        examples = max(examples, long)

    def prepared(test: Callable) -> Callable:
        print(f"{test.__name__}: FUZZ_SEED={SEED}")
        test = seed(SEED)(test)
        slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
        return settings(
            max_examples=examples, deadline=None, database=None, suppress_health_check=slow
        )(test)

    return prepared
