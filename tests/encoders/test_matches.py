"""What is matched, by hand: two rooms, three impressions, a topic of one number and a streamer of two."""

from dataclasses import replace

import pytest
import torch

from livedqn.encoders import GRU, MLP, Attention
from livedqn.encoders.matches import Matches
from livedqn.features import Embeddings, Transform, dense_spec
from livedqn.network import QNetwork
from livedqn.testing import example_observation, example_spec, rooms_spec
from livedqn.types import Column, Spec

TOPIC = (Column("topic_0", of="topic"),)
STREAMER = tuple(Column(f"streamer_{i}", of="streamer") for i in range(2))
SPEC = replace(
    rooms_spec(num_actions=4, context=1, history=(4, 1), candidates=1),
    history=(Column("real"), *TOPIC, *STREAMER),
    candidates=(*STREAMER, Column("heat"), *TOPIC),
)
NOBODY = [0.0, 0.0]
ANN, BOB = [5.0, 6.0], [5.0, 7.0]


def rows(*each):
    return torch.tensor([[[float(x) for x in row] for row in each]])


def test_sums_over_the_impressions_of_what_a_room_is_of():
    # topics 2, 2, 3 of ann, bob, ann; the last row is padding
    history = rows([1, 2, *ANN], [1, 2, *BOB], [1, 3, *ANN], [0, 0, *NOBODY])
    candidates = rows([*NOBODY, 0, 0], [*ANN, 9, 2], [*BOB, 9, 3], [*NOBODY, 9, 0])
    values = rows([1], [10], [100], [1000])
    # streamer first, as among the candidates: ann 1 + 100, bob 10; topic 2: 1 + 10, topic 3: 100
    expected = [[0, 0], [101, 11], [10, 100], [0, 0]]
    assert Matches(SPEC)(candidates, history, values).tolist() == [expected]


def test_columns_are_shared_by_what_they_embed():
    assert SPEC.shared == [([2, 3], [0, 1]), ([1], [3])]
    assert example_spec().shared == []
    assert Matches(example_spec()).count == 0


@pytest.mark.parametrize(("encoder", "dim"), [(GRU, 2), (Attention, 3)])
def test_nothing_to_match_is_no_hindrance(encoder, dim):
    assert encoder(example_spec())(example_observation(example_spec(), 3, 0)).dim() == dim


#: A platform with topics, whose numbers say nothing of them.
RAW = Spec(
    context=(Column("x"),), context_shape=(1,), num_actions=3,
    history=(Column("real"), Column("topic", "category", cardinality=9), Column("clicked")), history_length=3,
    candidates=(Column("topic", "category", cardinality=9),),
)  # fmt: skip


def seen(count, seed):
    """Two impressions of different topics, one of them clicked; candidates are these two topics."""
    random = torch.Generator().manual_seed(seed)
    topics = torch.stack([1 + torch.randperm(8, generator=random)[:2] for _ in range(count)]).float()
    liked = torch.randint(2, (count,), generator=random)
    history, candidates = torch.zeros(count, 3, 3), torch.zeros(count, 3, 1)
    history[:, 1:, 0] = 1
    history[:, 1:, 1] = candidates[:, 1:, 0] = topics
    history[torch.arange(count), 1 + liked, 2] = 1
    mask = torch.ones(count, 3, dtype=torch.bool)
    return {"context": torch.zeros(count, 1), "history": history, "candidates": candidates, "mask": mask}, liked


def accuracy(encoder):
    """How often a network learns, in few steps, that the topic which was clicked once will be clicked again."""
    torch.manual_seed(0)
    transform = Transform(RAW)
    transform.fit(seen(200, 0)[0])
    network = QNetwork(RAW, encoder, numbers=1, hidden=32, is_dueling=False, layer_norm=False, ensemble=1)
    adam = torch.optim.Adam(network.parameters(), lr=3e-3)
    for step in range(60):
        observation, liked = seen(64, 1 + step)
        values = network(transform(observation))[0, :, 1:, 0]
        loss = torch.nn.functional.cross_entropy(values, liked)
        adam.zero_grad()
        loss.backward()
        adam.step()
    observation, liked = seen(500, 999)
    with torch.no_grad():
        values = network(transform(observation))[0, :, 1:, 0]
    return float((values.argmax(dim=1) == liked).float().mean())


def test_encoders_of_the_history_learn_whose_topic_was_clicked_and_the_mean_cannot():
    assert accuracy(Attention) > 0.95
    assert accuracy(GRU) > 0.95
    assert accuracy(MLP) < 0.6


def test_the_dense_spec_says_what_is_embedded():
    dense = dense_spec(RAW)
    ((past, of),) = dense.shared
    observation = Embeddings(RAW)(Transform(RAW)(seen(1, 0)[0]))
    assert torch.equal(observation["history"][0, 1, past], observation["candidates"][0, 1, of])
