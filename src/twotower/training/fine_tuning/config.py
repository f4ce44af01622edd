"""How a text encoder is fine-tuned, as a frozen object; needs no PyTorch."""

import math
from dataclasses import dataclass

from twotower.errors import ConfigError

MINED_BY = ("encoder", "words", "both")


@dataclass(frozen=True)
class FineTuningConfig:
    """Settings of the fine-tuning of a text encoder.

    Attributes:
        epochs: at most; 0 leaves the encoder as it is.
        patience: epochs without a better validation NDCG@10 before it stops. The encoder as it
            was counts as epoch 0: where no epoch is better, it stays.
        epoch_queries: judged queries of one epoch, at most; drawn anew each time where there
            are more. Where nothing was judged, so many are made up from titles.
        title_queries: made up from titles, beside those of an epoch that were judged.
        batch_queries: queries in a batch; each is taught what is wrong by the items of all.
        learning_rate: of AdamW for the last layer, after the warm-up.
        layer_decay: factor of the learning rate for each layer further down. Embeddings of
            words stay: most words of a catalogue are in few training queries.
        weight_decay: of AdamW.
        warmup_share: share of all steps over which the learning rate rises from 0; then it
            falls to a tenth.
        temperature: scores are cosines divided by it.
        listwise_weight: weight of the graded listwise term of judged queries.
        sharpness: how much a gain counts in that term.
        judged_items: judged items of a query in a batch, one positive among them.
        mined_items: items of a query in a batch that are mistaken for answers.
        mined_by: who mistakes them: `encoder`, `words` (BM25), or `both`, half of them each.
        mined_skip: nearest items that are left out of those: they may well be answers.
        mined_depth: how deep in the ranking they are looked for.
        mined_margin: those with more than this share of the best positive's score are left out.
        typo_share: share of the queries of a batch that get a typing mistake.
        drop_share: share of the queries of a batch that lose a word.
        max_query_tokens: longer queries are cut, in training.
        max_item_tokens: longer texts of items are cut, in training.
        memory_tokens: tokens of a batch whose activations are held; those of the others are
            made twice, which takes a quarter longer and changes nothing.
        pool_items: items that are encoded between epochs, to validate and to mine; beside them
            all targets of validation.
        checkpoint_steps: steps between two checkpoints.
        seed: of order, draws and noise.
    """

    epochs: int = 0
    patience: int = 1
    epoch_queries: int = 8_000
    title_queries: int = 4_000
    batch_queries: int = 128
    learning_rate: float = 5e-5
    layer_decay: float = 0.9
    weight_decay: float = 0.01
    warmup_share: float = 0.05
    temperature: float = 0.05
    listwise_weight: float = 0.5
    sharpness: float = 2.0
    judged_items: int = 2
    mined_items: int = 1
    mined_by: str = "encoder"
    mined_skip: int = 10
    mined_depth: int = 100
    mined_margin: float = 0.95
    typo_share: float = 0.15
    drop_share: float = 0.15
    max_query_tokens: int = 32
    max_item_tokens: int = 64
    memory_tokens: int = 8192
    pool_items: int = 20_000
    checkpoint_steps: int = 25
    seed: int = 0

    def __post_init__(self) -> None:
        for name, (low, high) in _BOUNDS.items():
            value = getattr(self, name)
            if not low <= value <= high or math.isinf(value):
                told = f"at least {low}" if high == math.inf else f"in [{low}, {high}]"
                raise ConfigError(f"fine_tuning.{name} must be {told}, got {value}")
        for name in ("learning_rate", "temperature", "sharpness"):
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigError(
                    f"fine_tuning.{name} must be above 0, and finite, got {getattr(self, name)}"
                )
        if self.mined_by not in MINED_BY:
            raise ConfigError(
                f"fine_tuning.mined_by must be one of {', '.join(MINED_BY)}, got {self.mined_by!r}"
            )
        if self.mined_skip >= self.mined_depth:
            raise ConfigError(
                "fine_tuning.mined_skip must be below mined_depth, "
                f"got {self.mined_skip} of {self.mined_depth}"
            )


_BOUNDS = {
    **dict.fromkeys(("epochs", "title_queries", "mined_items", "mined_skip"), (0, math.inf)),
    **dict.fromkeys(("listwise_weight", "weight_decay", "seed"), (0, math.inf)),
    **dict.fromkeys(("patience", "epoch_queries", "judged_items", "mined_depth"), (1, math.inf)),
    **dict.fromkeys(("memory_tokens", "pool_items", "checkpoint_steps"), (1, math.inf)),
    **dict.fromkeys(("batch_queries",), (2, math.inf)),
    **dict.fromkeys(("max_query_tokens", "max_item_tokens"), (4, math.inf)),
    **dict.fromkeys(("layer_decay", "warmup_share", "mined_margin"), (0, 1)),
    **dict.fromkeys(("typo_share", "drop_share"), (0, 1)),
}
