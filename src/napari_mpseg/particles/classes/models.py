"""The kinds of classifier that can be trained, in one registry."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from napari_mpseg.errors import SettingsError
from napari_mpseg.registry import Registry


@dataclass(frozen=True)
class ClassifierSettings:
    """How to train a classifier of particles.

    Attributes
    ----------
    model : str
        A name in :data:`CLASSIFIERS`.
    columns : tuple of str
        Columns to learn from; none for those of
        :func:`~napari_mpseg.particles.classes.describing.describing_columns`.
    size : bool
        Whether lengths, areas and summed brightness are looked at too, where `columns` does not say. Without them a
        class holds for particles of sizes that no example had.
    trees : int
        Number of trees of ``"random-forest"``.
    folds : int
        Of the cross-validation; fewer where a class has fewer examples.
    seed : int
        Of everything random, so that the same examples give the same classifier.

    Raises
    ------
    SettingsError, UnknownNameError
        If a setting is impossible.
    """

    model: str = "random-forest"
    columns: tuple[str, ...] = ()
    size: bool = True
    trees: int = 200
    folds: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        CLASSIFIERS[self.model]
        if not 1 <= self.trees <= 5000:
            raise SettingsError(f"{self.trees} trees are impossible. Give 1 to 5000, such as 200.")
        if not 2 <= self.folds <= 100:
            raise SettingsError(f"A cross-validation with {self.folds} folds is impossible. Give 2 to 100, such as 5.")
        if not 0 <= self.seed < 2**32:
            raise SettingsError(f"Seed {self.seed} is impossible. Give 0 or more.")


#: Each makes an untrained scikit-learn estimator that takes missing values (nan).
CLASSIFIERS: Registry[Callable[[ClassifierSettings], Any]] = Registry("classifier")


@CLASSIFIERS.register("random-forest")
def random_forest(settings: ClassifierSettings) -> Any:
    """Return a random forest (Breiman 2001): needs no scaling, bends to any border between classes."""
    from sklearn.ensemble import RandomForestClassifier

    # one thread: the sums of several threads may differ in the last digit
    return RandomForestClassifier(
        settings.trees, class_weight="balanced", min_samples_leaf=1, random_state=settings.seed, n_jobs=1
    )


@CLASSIFIERS.register("logistic-regression")
def logistic_regression(settings: ClassifierSettings) -> Any:
    """Return a logistic regression on standardised columns: straight borders, steadier with very few examples."""
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True),
        StandardScaler(),
        LogisticRegression(class_weight="balanced", max_iter=5000, random_state=settings.seed),
    )
