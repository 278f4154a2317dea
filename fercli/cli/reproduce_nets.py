"""Du's networks and Xu's ResNet: the chains of steps behind `fer reproduce du` and `fer reproduce xu-resnet`."""

from typing import TYPE_CHECKING, Any

from fercli.cli.chain import Chain, one_of_both
from fercli.cli.session import Session
from fercli.errors import UsageError
from fercli.records import Outcome

if TYPE_CHECKING:
    from fercli.cli.reproduce import Asked

SMOKE_SUBJECTS, SMOKE_IMAGES = 6, 7
# Frames of a smoke run: colour, wider than high as SFEW's, and small.
SMOKE_FRAME = (72, 90)


def du(session: Session, asked: "Asked") -> Outcome:
    """Import FER-2013 if it is given, train both networks once for each seed, write the page."""
    from fercli.config.reproduce_nets import DU_VARIANTS, ReproduceDuConfig

    if asked.smoke:
        config = ReproduceDuConfig.smoked(asked.seed, with_images=asked.with_images)
    else:
        given = {} if asked.repeats is None else {"seeds": asked.repeats}
        config = ReproduceDuConfig.of(seed=asked.seed, with_images=asked.with_images, **given)
    base = _base(session, asked, "du")
    chain = Chain(session, asked.dry_run)
    dataset = _dataset(chain, asked, "faces", size=48, color="gray", face_height=0.8)
    names: dict[str, list[str]] = {variant: [] for variant in DU_VARIANTS}
    for seed in range(config.seed, config.seed + config.seeds):
        for variant in DU_VARIANTS:
            name = f"{base}-{variant}.seed-{seed}"
            names[variant].append(name)
            _train(chain, asked, config.training(variant), config.protocol(seed), dataset, name)
    return _page(chain, config, names, base)


def xu_resnet(session: Session, asked: "Asked") -> Outcome:
    """Import SFEW's frames if they are given, train the ResNet under each protocol, write the page."""
    from fercli.config.reproduce_nets import FRAME_PROTOCOLS, ReproduceFramesConfig

    if asked.repeats is not None:
        raise UsageError(
            "xu-resnet has one repeat of its folds", where=f"--repeats {asked.repeats}", next_step="leave it out"
        )
    config = ReproduceFramesConfig.smoked(asked.seed) if asked.smoke else ReproduceFramesConfig.of(seed=asked.seed)
    base = _base(session, asked, "xu-resnet")
    chain = Chain(session, asked.dry_run)
    dataset = _dataset(chain, asked, "frames", size=SMOKE_FRAME, color="rgb", face_height=0.5)
    for key in FRAME_PROTOCOLS:
        _train(chain, asked, config.training, config.protocol(key), dataset, f"{base}-{key}")
    return _page(chain, config, {key: [f"{base}-{key}"] for key in FRAME_PROTOCOLS}, base)


def _base(session: Session, asked: "Asked", paper: str) -> str:
    from fercli.report.reproduced_xu import SMOKE

    if asked.features is not None:
        raise UsageError(
            f"{paper} is about pictures", where=f"--features {asked.features}", next_step="name a --dataset"
        )
    if asked.smoke:
        session.console.warn(f"{SMOKE}: fewer folds, seeds and epochs")
    return asked.name or (f"{paper}-smoke" if asked.smoke else paper)


def _train(chain: Chain, asked: "Asked", config: Any, protocol: Any, dataset: str | None, name: str) -> None:
    from fercli.steps import train_resnet

    session = chain.session
    request = session.request(name=name, inputs={"dataset": dataset})
    chain.step(
        "run",
        name,
        lambda: train_resnet.run(config, protocol, request, session.store(), session.console, device=asked.device),
    )


def _page(chain: Chain, config: Any, names: dict[str, list[str]], base: str) -> Outcome:
    from fercli.steps import reproduce_nets

    session = chain.session
    request = session.request(name=base)
    return chain.page(base, lambda: reproduce_nets.run(config, names, request, session.store(), session.console))


def _dataset(chain: Chain, asked: "Asked", drawn: str, **picture: Any) -> str | None:
    """The data set to use: the source's, the one named, the only one, or in a smoke run drawn faces."""
    session = chain.session
    store, console = session.store(), session.console
    one_of_both(asked.source, asked.dataset, "--dataset", "a source")
    if asked.source is not None:
        from fercli.config.import_dataset import ImportDatasetConfig
        from fercli.steps import import_dataset
        from fercli.workflow.sources import default_name

        source = asked.source
        name = default_name(source)
        chain.step(
            "dataset",
            name,
            lambda: import_dataset.run(source, ImportDatasetConfig(), session.request(), store, console),
            feeds=True,
        )
        return name
    if asked.dataset is not None or not asked.smoke:
        return asked.dataset
    from fercli.config.synthesize import SynthesizeConfig
    from fercli.steps import synthesize

    faces = SynthesizeConfig.of(subjects=SMOKE_SUBJECTS, images_per_subject=SMOKE_IMAGES, seed=asked.seed, **picture)
    console.say("a smoke run draws its own faces")
    chain.step("dataset", drawn, lambda: synthesize.run(faces, session.request(name=drawn), store, console), feeds=True)
    return drawn
