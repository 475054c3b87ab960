"""Features of viewer and room: linear in what is done, and blind to what cannot be."""

import weakref
from dataclasses import replace

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import one_hot

from livedqn.ope.features import CATEGORIES, SAMPLED, RequestFeatures, _thinned
from livedqn.testing import LOGS_SPEC, example_impressions
from livedqn.types import Column


def parts(seed=0):
    logs = example_impressions([6, 3], seed=seed)
    features = RequestFeatures(LOGS_SPEC, [logs])
    return features, logs, features.seen(logs.observation)


def test_sizes():
    features, logs, seen = parts()
    # s: hour; of the history real and clicked; country has 3 values besides none
    assert seen.state.shape == (len(logs), 1 + 2 + 3)
    # f: shown, heat, heat squared; the streamer is an id
    assert seen.rooms.shape == (len(logs), 4, 3)
    x = features.joint(seen.state, seen.rooms[:, 0])
    assert x.shape == (len(logs), features.size)
    assert features.size == 1 + 6 + 3 + 3 + 1 * 2  # s, squares of its three numbers, f, the hour with shown and heat
    torch.testing.assert_close(features.alone(seen.state), x[:, : features.states])


def test_no_feature_of_the_state_follows_from_the_others():
    features, _, _ = parts()
    numbers, country = torch.randn(200, 3, generator=torch.Generator().manual_seed(0)), torch.arange(200) % 4
    alone = features.alone(torch.cat([numbers, one_hot(country)[:, 1:]], dim=1))
    assert torch.linalg.matrix_rank(alone) == features.states


def test_nothing_and_masked_rooms_are_zeros():
    _, logs, seen = parts()
    assert (seen.rooms[:, 0] == 0).all()
    assert (seen.rooms[torch.from_numpy(~logs.observation["mask"])] == 0).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 99))
def test_the_mean_of_features_is_the_features_of_the_mean(seed):
    features, logs, seen = parts(seed)
    p = np.random.default_rng(seed).random(logs.observation["mask"].shape).astype(np.float32)
    p = torch.from_numpy(p / p.sum(axis=1, keepdims=True))
    of_mean = features.joint(seen.state, torch.einsum("bk,bkf->bf", p, seen.rooms))
    each = torch.stack([features.joint(seen.state, seen.rooms[:, k]) for k in range(4)], dim=1)
    torch.testing.assert_close(of_mean, torch.einsum("bk,bkd->bd", p, each), atol=1e-4, rtol=1e-4)


def test_logs_in_order_of_time_are_standardised_as_a_whole():
    early, late = example_impressions([4_000]), example_impressions([4_000], first=1)
    late.observation["context"][:, 0] += 4  # hours
    features = RequestFeatures(LOGS_SPEC, [early, late])
    hours = np.concatenate([features.seen(part.observation).state[:, 0] for part in (early, late)])
    assert abs(hours).max() < 1.1


def test_rows_from_all_over_are_kept_and_no_more_than_that():
    logs = [example_impressions([10] * 300, first=i) for i in range(10)]
    some = _thinned(logs)
    total = sum(map(len, logs))
    assert SAMPLED / 2 < len(some) <= SAMPLED
    everything = np.concatenate([part.request for part in logs])
    step = -(-total // len(some))
    np.testing.assert_array_equal(some.request, everything[::step])
    assert len(_thinned([example_impressions([3])])) == len(example_impressions([3]))
    assert _thinned([]) is None


def test_kept_rows_do_not_keep_the_parts_that_they_are_of():
    alive: list[weakref.ref] = []

    def parts():
        for i in range(30):
            part = example_impressions([10] * 30, first=i)
            alive.append(weakref.ref(part.observation["candidates"]))
            assert sum(one() is not None for one in alive) <= 2
            yield part

    assert len(_thinned(parts())) > SAMPLED / 2


def test_many_categories_are_hashed_into_a_few():
    country = next(i for i, column in enumerate(LOGS_SPEC.context) if column.kind == "category")
    context = list(LOGS_SPEC.context)
    sizes = []
    for cardinality in (1 + CATEGORIES, 100_000):
        context[country] = Column("country", "category", cardinality=cardinality)
        spec = replace(LOGS_SPEC, context=tuple(context))
        logs = example_impressions([200])
        logs.observation["context"][:, country] = np.arange(len(logs)) % CATEGORIES
        features = RequestFeatures(spec, [logs])
        sizes.append(features.size)
        hot = features.seen(logs.observation).state[:, -CATEGORIES:]
        none = torch.from_numpy(logs.observation["context"][:, country] == 0)
        torch.testing.assert_close(hot.sum(dim=1), (~none).float())
        assert (hot.sum(dim=0) > 0).sum() > CATEGORIES / 2
    assert sizes[0] == sizes[1]
