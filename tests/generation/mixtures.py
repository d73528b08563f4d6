"""Runs whose marginal is known: ensembles of distributions with a given mean."""

import numpy as np


def zipf(vocabulary, exponent=1.0):
    p_v = np.arange(1, vocabulary + 1) ** -float(exponent)
    return p_v / p_v.sum()


def entropy(p_v):
    return float(-np.sum(p_v * np.log(p_v)))


def dirichlet(vocabulary, concentration):
    """Runs about a Zipf distribution, nearly equal ones with a high concentration; and H∞."""
    p_v = zipf(vocabulary)

    def draw(rng, *shape):
        drawn_v = rng.standard_gamma(np.broadcast_to(concentration * p_v, (*shape, vocabulary)))
        return drawn_v / drawn_v.sum(axis=-1, keepdims=True)

    return draw, entropy(p_v)


def permuted(vocabulary, exponent):
    """A peaked distribution over tokens in any order: the marginal is uniform."""
    p_v = zipf(vocabulary, exponent)

    def draw(rng, *shape):
        return rng.permuted(np.broadcast_to(p_v, (*shape, vocabulary)), axis=-1)

    return draw, np.log(vocabulary)


def clusters(vocabulary, share):
    """Runs on one of two subjects, `share` of them on the first."""
    first_v = zipf(vocabulary, 1.5)
    second_v = np.random.default_rng(5).permutation(first_v)

    def draw(rng, *shape):
        subject = rng.random(shape) < share
        mean_v = np.where(subject[..., None], first_v, second_v)
        drawn_v = rng.standard_gamma(50 * mean_v)
        return drawn_v / drawn_v.sum(axis=-1, keepdims=True)

    return draw, entropy(share * first_v + (1 - share) * second_v)


MIXTURES = {
    "nearly equal": dirichlet(1000, 1000),
    "alike": dirichlet(1000, 100),
    "unlike": dirichlet(50, 1),
    "many tokens": dirichlet(20_000, 1000),
    "orders": permuted(1000, 1.2),
    "few tokens": permuted(50, 2),
    "subjects": clusters(1000, 0.5),
    "a rare subject": clusters(1000, 0.1),
}
"""Those whose runs have enough in common, 30 of them, for an extrapolation."""

APART = {"peaked orders": permuted(1000, 2), "rare tokens": dirichlet(20_000, 1)}
"""Those whose runs have not."""
