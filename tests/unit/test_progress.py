"""What is told of work in progress, where there is no terminal."""

from twotower.progress import PlainLines


def told(*steps):
    """The lines told of (second, stage, done, total)."""
    lines, seconds = [], iter(second for second, *_ in steps)
    progress = PlainLines(lines.append, lambda: next(seconds))
    for _, stage, done, total in steps:
        progress(stage, done, total)
    return lines


def test_a_stage_is_told_once_and_then_every_ten_seconds_with_how_far_it_is():
    steps = [(second, "encode items", second, 40) for second in range(25)]
    assert told(*steps) == ["encode items", "encode items: 25%", "encode items: 50%"]


def test_another_stage_is_told_at_once_and_another_step_of_the_same_kind_is_not():
    assert told(
        (0, "read tables", 0, 1),
        (1, "train, epoch 1 of at most 6", 10, 20),
        (2, "train, epoch 2 of at most 6", 10, 20),
        (11, "train, epoch 3 of at most 6", 10, 20),
        (12, "rank, search, bm25", 1, 4),
    ) == [
        "read tables",
        "train, epoch 1 of at most 6",
        "train, epoch 3 of at most 6: 50%",
        "rank, search, bm25",
    ]


def test_a_stage_whose_size_is_not_known_is_told_without_a_share():
    assert told((0, "export", 3, 0), (10, "export", 4, 0)) == ["export", "export"]
