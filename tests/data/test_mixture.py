from __future__ import annotations

import json
import math
from collections import Counter
from itertools import islice

import pytest

from scaling4d.data.mixture import Mix, MixError, MixtureSampler

LENGTHS = {"real": 7, "syn": 3}


def sampler(seed: int = 0, text: str = "real:0.9,syn:0.1") -> MixtureSampler:
    return MixtureSampler(Mix.parse(text), LENGTHS, seed)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("real:0.9,syn:-1", "positive and finite, got syn:-1"),
        ("real:0.9,syn:0", "positive and finite, got syn:0"),
        ("real", "name:weight"),
        ("real:nan", "positive and finite, got real:nan"),
        ("real:inf", "positive and finite, got real:inf"),
        ("real:0.5,real:0.5", "twice"),
        ("real:much", "not a number"),
        ("real:", "not a number"),
        (":0.5", "name:weight"),
        ("", "name:weight"),
        ("real:0.5,,syn:0.5", "name:weight"),
        ("re/al:1", "letters, digits"),
    ],
)
def test_bad_mix_is_refused_in_one_sentence_that_quotes_it(text: str, words: str) -> None:
    with pytest.raises(MixError) as caught:
        Mix.parse(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_mix_text_round_trips_and_weights_need_not_sum_to_one() -> None:
    mix = Mix.parse(" real:9 , syn : 1")
    assert Mix.parse(str(mix)) == mix
    assert mix.shares == {"real": 0.9, "syn": 0.1}


def test_weights_count_samples_within_three_sigma_over_10k_draws() -> None:
    draws = 10_000
    counts = Counter(draw.source for draw in islice(sampler(seed=5), draws))
    sigma = math.sqrt(draws * 0.9 * 0.1)
    assert abs(counts["real"] - 0.9 * draws) < 3 * sigma


def test_every_item_comes_once_per_epoch_in_an_order_that_changes() -> None:
    real = list(islice(sampler(text="real:1"), 5 * 7))
    epochs = [[d.item for d in real if d.epoch == e] for e in range(5)]
    assert all(sorted(items) == list(range(7)) for items in epochs)
    assert len({tuple(items) for items in epochs}) > 1


def test_same_seed_gives_the_same_draws_and_another_seed_others() -> None:
    first, again, other = (list(islice(sampler(seed), 200)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert len({d.seed for d in first}) == 200


@pytest.mark.parametrize("stop", [0, 1, 37, 150])
def test_resumed_order_equals_uninterrupted_order(stop: int) -> None:
    straight = list(islice(sampler(), 200))
    begun = sampler()
    head = list(islice(begun, stop))
    resumed = sampler()
    resumed.load_state_dict(json.loads(json.dumps(begun.state_dict())))
    assert head + list(islice(resumed, 200 - stop)) == straight


def test_state_of_another_mix_or_other_data_is_refused() -> None:
    state = sampler().state_dict()
    with pytest.raises(MixError, match="same mix"):
        sampler(text="real:0.5,syn:0.5").load_state_dict(state)
    with pytest.raises(MixError, match="same mix"):
        MixtureSampler(Mix.parse("real:0.9,syn:0.1"), {"real": 8, "syn": 3}, 0).load_state_dict(
            state
        )


def test_state_of_other_items_is_refused_by_the_name_of_their_source() -> None:
    def of(items: dict[str, str]) -> MixtureSampler:
        return MixtureSampler(Mix.parse("real:0.9,syn:0.1"), LENGTHS, 0, items)

    state = json.loads(json.dumps(of({"real": "a", "syn": "b"}).state_dict()))
    of({"real": "a", "syn": "b"}).load_state_dict(state)
    with pytest.raises(MixError, match=r"'syn' holds as many items .* put its files back"):
        of({"real": "a", "syn": "c"}).load_state_dict(state)
    del state["items"]  # as checkpoints were before
    of({"real": "a", "syn": "c"}).load_state_dict(state)


def test_source_without_samples_is_refused_by_name() -> None:
    with pytest.raises(MixError, match="'syn'"):
        MixtureSampler(Mix.parse("real:1,syn:1"), {"real": 3, "syn": 0}, 0)
    with pytest.raises(MixError, match="'film'"):
        MixtureSampler(Mix.parse("real:1,film:1"), LENGTHS, 0)
