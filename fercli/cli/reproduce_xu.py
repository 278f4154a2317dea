"""Xu's features half: the chain of steps behind `fer reproduce xu`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fercli.cli.chain import Chain, one_of_both
from fercli.cli.session import Session
from fercli.records import Outcome

if TYPE_CHECKING:
    from fercli.cli.reproduce import Asked

DRAWN = "synthetic"
SMOKE_SUBJECTS, SMOKE_IMAGES = 20, 14


def reproduce(session: Session, asked: "Asked") -> Outcome:
    """Import the sheet if one is given, train, prune and compare under three protocols, write the page."""
    from fercli.config.reproduce import OPTIMIZERS, PROTOCOLS, ReproduceXuConfig
    from fercli.report.reproduced_xu import SMOKE
    from fercli.steps import prune_bp, reproduce_xu, train_baseline, train_bp

    store, console = session.store(), session.console
    if asked.smoke:
        console.warn(f"{SMOKE}: fewer folds, units and epochs")
        config = ReproduceXuConfig.smoked(asked.seed)
    else:
        given = {} if asked.repeats is None else {"repeats": asked.repeats}
        config = ReproduceXuConfig.of(seed=asked.seed, **given)
    base = asked.name or (f"{reproduce_xu.DEFAULT_NAME}-smoke" if asked.smoke else reproduce_xu.DEFAULT_NAME)
    chain = Chain(session, asked.dry_run)
    features = _features(chain, asked)

    def train(run: Callable[..., Outcome], settings: Any, name: str) -> str:
        request = session.request(name=name, inputs={"features": features})
        chain.step("run", name, lambda: run(settings, request, store, console))
        return name

    pruned = {key: train(prune_bp.run, config.pruning(key), f"{base}-{key}") for key in PROTOCOLS}
    baselines = {
        key: [
            train(train_baseline.run, [config.yardstick(key, model)], f"{base}-{key}.model-{model}")
            for model in config.baselines
        ]
        for key in PROTOCOLS
    }
    optimizers = {
        optimizer: train(train_bp.run, config.training(optimizer), f"{base}-films.optimizer-{optimizer}")
        for optimizer in OPTIMIZERS
    }
    names = reproduce_xu.RunNames(pruned, baselines, optimizers)
    return chain.page(base, lambda: reproduce_xu.run(config, names, session.request(name=base), store, console))


def _features(chain: Chain, asked: "Asked") -> str | None:
    """The features to use: the sheet's, those named, the only ones, or in a smoke run those of drawn faces."""
    session = chain.session
    store, console = session.store(), session.console
    one_of_both(asked.source, asked.features, "--features", "a sheet")
    if asked.source is not None:
        from fercli.config.import_features import ImportFeaturesConfig
        from fercli.steps import import_features
        from fercli.workflow.sources import default_name

        sheet = asked.source
        name = default_name(sheet)
        chain.step(
            "features",
            name,
            lambda: import_features.run(sheet, ImportFeaturesConfig(), session.request(), store, console),
            feeds=True,
        )
        return name
    if asked.features is not None or store.names("features") or not asked.smoke:
        return asked.features
    from fercli.config.descriptors import DescriptorConfig
    from fercli.config.synthesize import SynthesizeConfig
    from fercli.steps import extract_features, synthesize

    console.say("no features stand here: drawing faces")
    faces = SynthesizeConfig.of(subjects=SMOKE_SUBJECTS, images_per_subject=SMOKE_IMAGES, seed=asked.seed)
    chain.step("dataset", DRAWN, lambda: synthesize.run(faces, session.request(name=DRAWN), store, console), feeds=True)
    request = session.request(inputs={"dataset": DRAWN})
    chain.step("features", DRAWN, lambda: extract_features.run(DescriptorConfig(), request, store, console), feeds=True)
    return DRAWN
