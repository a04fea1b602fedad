"""pass@k: the chance that one of k samples solves a problem."""

from rust_expert.common.errors import UserError


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """The unbiased estimate of pass@k from `passed` of `samples` that solve the problem.

    1 - C(n - c, k) / C(n, k), as a product that neither overflows nor cancels: Chen et al. 2021, Evaluating
    Large Language Models Trained on Code (arXiv:2107.03374), equation 1 and figure 3.

    Raises UserError where k is more than the samples: the estimate would be a guess.
    """
    if k < 1 or not 0 <= passed <= samples:
        raise ValueError(f"pass@{k} of {passed} in {samples}")
    if k > samples:
        raise UserError(
            f"pass@{k} needs {k} samples of each problem, there are {samples}; sample more or ask for less"
        )
    missed = 1.0
    for drawn in range(samples - passed + 1, samples + 1):
        missed *= max(0.0, 1.0 - k / drawn)
    return 1.0 - missed
