"""Matrix factorisations by other people's libraries: iALS and BPR of `implicit`, LightFM.

They come with the `baselines` extra (LightFM by hand, see `LightFm`) and are imported
where they are used.
"""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from twotower.data.dataset import Dataset
from twotower.evaluation.baselines.interactions import Interactions, history_weights
from twotower.evaluation.baselines.tuning import TRIALS, drawn
from twotower.evaluation.cases import Cases
from twotower.evaluation.protocol import Scorer
from twotower.features.history import Histories

_SEED: Final = 0
_FACTORS: Final = (32, 64, 128, 256)
_PENALTIES: Final = (0.001, 0.01, 0.1, 1.0)


@dataclass(frozen=True)
class IalsConfig:
    """Settings of iALS.

    Attributes:
        factors: Width of the vectors.
        regularization: L2 penalty.
        alpha: Confidence of an event; that of no event is 1.
        iterations: Over users and items.
    """

    factors: int = 128
    regularization: float = 0.1
    alpha: float = 10.0
    iterations: int = 15


@dataclass(frozen=True)
class BprConfig:
    """Settings of BPR.

    Attributes:
        factors: Width of the vectors.
        learning_rate: Of the gradient descent.
        regularization: L2 penalty.
        iterations: Over the events.
    """

    factors: int = 64
    learning_rate: float = 0.05
    regularization: float = 0.01
    iterations: int = 100


@dataclass(frozen=True)
class LightFmConfig:
    """Settings of LightFM with the WARP loss.

    Attributes:
        no_components: Width of the vectors.
        learning_rate: Of Adagrad, at the start.
        item_alpha: L2 penalty of items; that of users is the same.
        epochs: Over the events.
    """

    no_components: int = 64
    learning_rate: float = 0.05
    item_alpha: float = 1e-6
    epochs: int = 30


IALS_GRID: Final = drawn(
    IalsConfig,
    {
        "factors": _FACTORS,
        "regularization": (0.1, 1.0, 10.0, 100.0),
        "alpha": (1.0, 3.0, 10.0, 30.0, 100.0),
    },
    TRIALS,
)
BPR_GRID: Final = drawn(
    BprConfig,
    {
        "factors": _FACTORS,
        "learning_rate": (0.01, 0.03, 0.1),
        "regularization": _PENALTIES,
        "iterations": (50, 100, 200),
    },
    TRIALS,
)
LIGHTFM_GRID: Final = drawn(
    LightFmConfig,
    {
        "no_components": _FACTORS,
        "learning_rate": (0.01, 0.03, 0.1),
        "item_alpha": (0.0, 1e-6, 1e-5),
        "epochs": (15, 30),
    },
    TRIALS,
)


class Ials:
    """Implicit alternating least squares; a visitor's vector is solved from the history.

    Args:
        dataset: With events.
        split: The split to be ranked; all that happened before it is counted.

    Source:
        Hu, Koren, Volinsky, "Collaborative filtering for implicit feedback datasets", ICDM 2008.
    """

    def __init__(self, dataset: Dataset, split: str) -> None:
        self._past = Interactions.before(dataset, split)

    def scorer(self, histories: Histories, config: IalsConfig) -> Scorer:
        """Scores for the visitors of the given histories, in their order."""
        from implicit.cpu.als import AlternatingLeastSquares

        with _one_blas_thread():
            model = AlternatingLeastSquares(**asdict(config), random_state=_SEED)
            model.fit(_classic(self._past.matrix), show_progress=False)
        below = self._past.below

        def score(cases: NDArray[np.int64]) -> NDArray[np.float32]:
            past = histories.take(cases)
            known = _classic(history_weights(past, len(below)))
            users = model.recalculate_user(np.arange(len(past)), known)
            scores: NDArray[np.float32] = users @ model.item_factors.T
            scores[past.lengths == 0] = below
            return scores

        return score


class Bpr:
    """Bayesian personalised ranking: a vector for each visitor id; unknown ones get the biases.

    Args:
        dataset: With events.
        split: The split to be ranked; all that happened before it is counted.

    Source:
        Rendle et al., "BPR: Bayesian personalized ranking from implicit feedback", UAI 2009.
    """

    def __init__(self, dataset: Dataset, split: str) -> None:
        self._past = Interactions.before(dataset, split)

    def scorer(self, cases: Cases, config: BprConfig) -> Scorer:
        """Scores for the visitors of the given cases, in their order."""
        from implicit.cpu.bpr import BayesianPersonalizedRanking

        with _one_blas_thread():
            model = BayesianPersonalizedRanking(
                **asdict(config), random_state=_SEED, num_threads=1
            )  # one thread: more of them write over each other, and no run is like another
            model.fit(_classic(self._past.matrix), show_progress=False)
        nobody = np.zeros((1, model.user_factors.shape[1]), np.float32)
        nobody[0, -1] = 1  # the place of the items' biases
        users = np.concatenate([model.user_factors, nobody])
        return _by_user_id(self._past, cases, users, model.item_factors)


class LightFm:
    """LightFM without features, by the WARP loss: a vector for each visitor id.

    It is in no extra: no wheel is published, and the original does not build with current
    setuptools. `pip install rectools-lightfm` builds one, given a C compiler.

    Args:
        dataset: With events.
        split: The split to be ranked; all that happened before it is counted.

    Source:
        Kula, "Metadata embeddings for user and item cold-start recommendations", CBRecSys 2015.
    """

    def __init__(self, dataset: Dataset, split: str) -> None:
        self._past = Interactions.before(dataset, split)

    def scorer(self, cases: Cases, config: LightFmConfig) -> Scorer:
        """Scores for the visitors of the given cases, in their order."""
        from lightfm import LightFM

        settings = asdict(config)
        epochs = settings.pop("epochs")
        model = LightFM(**settings, user_alpha=config.item_alpha, loss="warp", random_state=_SEED)
        model.fit(_classic(self._past.matrix).tocoo(), epochs=epochs, num_threads=1)
        item_biases, items = model.get_item_representations()
        users = np.pad(model.get_user_representations()[1], ((0, 1), (0, 0)))
        ones = np.ones((len(users), 1), np.float32)
        return _by_user_id(
            self._past,
            cases,
            np.concatenate([users, ones], axis=1),
            np.concatenate([items, item_biases[:, None]], axis=1),
        )


def _by_user_id(
    past: Interactions,
    cases: Cases,
    user_vectors: NDArray[np.float32],
    item_vectors: NDArray[np.float32],
) -> Scorer:
    """Inner products; the last of the user vectors is of all who are not known."""
    places = {user_id: place for place, user_id in enumerate(past.user_ids)}
    users = np.array([places.get(key, len(places)) for key in cases.keys], np.int64)
    return lambda part: user_vectors[users[part]] @ item_vectors.T


def _classic(matrix: Any) -> Any:
    """The same as scipy's older kind of sparse matrix, its places in 32 bits, as libraries ask."""
    from scipy.sparse import csr_matrix

    places = matrix.indices.astype(np.int32), matrix.indptr.astype(np.int32)
    return csr_matrix((matrix.data, *places), shape=matrix.shape)


def _one_blas_thread() -> Any:
    """The library has threads of its own, and those of the BLAS only get in their way."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1, "blas")
