"""The bundle that answers, and the step to another one without a failed or mixed answer."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from twotower.bundle import Bundle
from twotower.errors import TwoTowerError, UnfitBundle
from twotower.releases import ReleaseFolder
from twotower.retrieval.probing import probe
from twotower.retrieval.retriever import Retriever
from twotower.server.answer_cache import AnswerCache
from twotower.server.erased import Erased
from twotower.server.following import Follower
from twotower.server.keyring import Keyring
from twotower.server.live_shop import LiveShop
from twotower.server.metrics import Metrics
from twotower.server.problems import ProblemError
from twotower.server.rulebook import Rulebook
from twotower.server.settings import ServerSettings
from twotower.server.stores import store_of
from twotower.shop.database import ShopDatabase

_log = logging.getLogger(__name__)


def open_release(folder: Path, *, even_if_worse: bool) -> Retriever:
    """Opens a bundle, every hash compared, and asks it questions whose answers are known.

    Args:
        folder: The bundle.
        even_if_worse: Take one that does not beat its baselines.

    Returns:
        What answers from it.

    Raises:
        BundleError: It is damaged, or of another version.
        UnfitBundle: It does not answer as it should, or no better than its baselines.
    """
    bundle = Bundle.load(folder)
    if not even_if_worse and not bundle.report["verdict"]["promoted"]:
        raise UnfitBundle(
            f"{folder.name} does not beat its baselines, says its report; "
            "promote a better one, or this one all the same with force"
        )
    retriever = Retriever(bundle)
    probe(retriever)
    return retriever


class _Served:
    """A live shop, and the requests that it is answering."""

    def __init__(self, shop: LiveShop) -> None:
        self.shop = shop
        self.requests = 0
        self.is_replaced = False


class Releases:
    """The live shop of one bundle at a time, and everything that outlives a bundle.

    A request takes the shop once and keeps it to its end, so an answer is of one bundle.

    Attributes:
        keyring: Who may ask what.
        metrics: What counts.
        erased: Whom nothing is told about.
        rulebook: What the shop wants in its lists.
        cache: Answers that were given before.

    Args:
        retriever: Answers from the first bundle.
        database: The live side; `close` closes it.
        settings: What to refuse, and how much to read.
        shelf: The other bundles; None where there is one for ever.
        open_bundle: `open_release`, or what stands in for it.
    """

    def __init__(
        self,
        retriever: Retriever,
        database: ShopDatabase,
        settings: ServerSettings,
        shelf: ReleaseFolder | None = None,
        open_bundle: Callable[..., Retriever] = open_release,
    ) -> None:
        self.metrics = Metrics()
        self.keyring = Keyring(database.keys, settings.api_key)
        self.erased = Erased(database.erasures)
        self.rulebook = Rulebook(database.rules)
        self.cache = AnswerCache(store_of(settings), self.metrics)
        self._database, self._settings = database, settings
        self._shelf, self._open_bundle = shelf, open_bundle
        self._served = _Served(self._shop_of(retriever))
        self._kept = [self._served]
        """Whatever still answers requests, and what is about to."""
        self._flipping, self._promoting = threading.Lock(), threading.Lock()
        self._refused: str | None = None
        self._follower = Follower("releases", "promotions", self.follow_pointer)

    @property
    def current(self) -> LiveShop:
        """The shop that answers now; a request takes a `lease` instead."""
        return self._served.shop

    def open(self) -> None:
        """Opens the first shop, then follows keys and promotions of other processes."""
        self.current.open()
        self.metrics.serving(self.current.retriever.bundle.version)
        for one in (self.keyring, self.erased, self.rulebook):
            one.follow(self._settings.follow_interval_s)
        if self._shelf is not None:
            self._follower.start(self._settings.follow_interval_s)

    def close(self) -> None:
        """Stops following, and closes the database."""
        for follower in (self._follower, self.keyring, self.erased, self.rulebook):
            follower.stop()
        for one in self._kept:
            one.shop.close()
        self.cache.close()
        self._database.close()

    @contextmanager
    def lease(self) -> Iterator[LiveShop]:
        """The current shop, kept open until the block ends, whatever is promoted meanwhile."""
        with self._flipping:
            served = self._served
            served.requests += 1
        try:
            yield served.shop
        finally:
            with self._flipping:
                served.requests -= 1
                self._let_go(served)

    # -- promotion -----------------------------------------------------------------

    @property
    def shelf(self) -> ReleaseFolder:
        """The bundles to choose from; raises `ProblemError` where there is but one."""
        if self._shelf is None:
            raise ProblemError(
                "release-refused",
                "this server serves one bundle; start it on a folder of bundles to change them",
            )
        return self._shelf

    def promote(self, name: str, *, force: bool = False) -> None:
        """Serves another release: opened beside the old one, asked, warmed up, then flipped to.

        Until that has gone well, everything stays as it was.

        Args:
            name: Of the folder.
            force: Take one that does not beat its baselines.

        Raises:
            ProblemError: Another promotion is under way, or there is but one bundle.
            BundleError: There is no such release, or it is damaged or unfit.
            OutputError: The folder cannot be written.
            StorageUnavailable: The live products cannot be read.
        """
        with self._alone():
            self._change_to(name, force=force)

    def rollback(self, name: str) -> None:
        """Serves what was served before a release; raises what `promote` does.

        Args:
            name: Of the release that is served now; another one has been rolled back already.
        """
        with self._alone():
            current = self.shelf.pointer().current
            if current != name:
                raise ProblemError(
                    "release-refused",
                    f"release to roll back must be the current one, {current}, got {name!r}",
                )
            self._change_to(self.shelf.before(), force=True)

    def follow_pointer(self) -> None:
        """Serves what another process has promoted; a release that is unfit is told of once."""
        name = self.shelf.pointer().current
        if name in (self._refused, self.current.retriever.bundle.folder.name):
            return
        if not self._promoting.acquire(blocking=False):
            return  # it was this process
        try:
            self._change_to(name, force=True, is_pointed_at=True)
        except TwoTowerError as error:
            self._refused = name
            _log.error("release %s was promoted elsewhere and is refused: %s", name, error)
        finally:
            self._promoting.release()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        if not self._promoting.acquire(blocking=False):
            raise ProblemError("promotion-running", "another promotion is under way; wait for it")
        try:
            yield
        finally:
            self._promoting.release()

    def _change_to(self, name: str, *, force: bool, is_pointed_at: bool = False) -> None:
        try:
            coming = _Served(
                self._shop_of(self._open_bundle(self.shelf.place(name), even_if_worse=force))
            )
            coming.shop.open()
            with self._up_to_date(coming):
                if not is_pointed_at:
                    self.shelf.point(name)
        except TwoTowerError:
            self.metrics.promoted("refused")
            raise
        self._refused = None
        self.metrics.promoted("done")
        self.metrics.serving(coming.shop.retriever.bundle.version)
        _log.info("release %s is served", name)

    @contextmanager
    def _up_to_date(self, coming: _Served) -> Iterator[None]:
        """Flips to a shop that lacks no product, when the block ends well.

        From the moment it is kept, who stores a product brings it up to date as well. What was
        stored before that moment is what `catch_up` reads.
        """
        with self._flipping:
            self._kept.append(coming)
        try:
            coming.shop.catch_up()
            yield
        except BaseException:
            coming.is_replaced = True
            with self._flipping:
                self._let_go(coming)
            raise
        with self._flipping:
            before, self._served = self._served, coming
            before.is_replaced = True
            self._let_go(before)

    def _let_go(self, served: _Served) -> None:
        """Ends what was replaced and has answered its last request."""
        if served.is_replaced and served.requests == 0:
            self._kept.remove(served)
            served.shop.retire()

    def _shop_of(self, retriever: Retriever) -> LiveShop:
        return LiveShop(
            retriever,
            self._database,
            self._settings,
            self.metrics,
            self._bring_up_to_date,
            self.erased,
            self.rulebook,
            self.cache,
        )

    def _bring_up_to_date(self) -> None:
        with self._flipping:
            kept = list(self._kept)
        for one in kept:
            one.shop.catch_up()
