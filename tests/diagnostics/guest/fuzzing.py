"""Random examples whose seed is printed; FUZZ_SEED repeats a run."""

import os
import random
from collections.abc import Callable

from hypothesis import HealthCheck, seed, settings

from tests.sizes import examples

SEED = int(os.environ.get("FUZZ_SEED") or random.SystemRandom().randrange(2**32))


def fuzz(whole: int = 2000) -> Callable[[Callable], Callable]:
    """Runs the test with `whole` of them in the long form, with fewer in the quick one."""

    def prepared(test: Callable) -> Callable:
        print(f"{test.__name__}: FUZZ_SEED={SEED}")
        test = seed(SEED)(test)
        slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
        return settings(
            max_examples=examples(whole), deadline=None, database=None, suppress_health_check=slow
        )(test)

    return prepared
