"""Learning rates as a function of the step, so that a resumed run needs no scheduler state but the plateau's."""

import math
from dataclasses import dataclass

from fercli.config.resnet import ResNetConfig


@dataclass(frozen=True)
class Plateau:
    """State of the plateau schedule: lowest monitored loss so far, epochs since, and the factor on the rate."""

    best: float = math.inf
    waited: int = 0
    factor: float = 1.0

    def after(self, loss: float, config: ResNetConfig) -> "Plateau":
        """State after an epoch with this monitored loss (as Keras' ReduceLROnPlateau, with a `min_delta` of 0).

        When the loss has not fallen for `plateau_patience` epochs in a row the factor shrinks and waiting begins anew;
        the rate never falls below `min_lr`.
        """
        if loss < self.best:
            return Plateau(loss, 0, self.factor)
        if self.waited + 1 < config.plateau_patience:
            return Plateau(self.best, self.waited + 1, self.factor)
        lowest = min(1.0, config.min_lr / config.lr)
        return Plateau(self.best, 0, max(self.factor * config.plateau_factor, lowest))


def rate(config: ResNetConfig, plateau_factor: float, epoch: int, step: int, steps: int) -> float:
    """Learning rate of `step` (from 0) of `steps` in `epoch` (from 1).

    cosine: linear from lr/warm-up steps to lr over `warmup` epochs, then half a cosine that would reach 0 just after
    the last step (Loshchilov and Hutter 2017, without restarts).
    """
    if config.schedule == "plateau":
        return config.lr * plateau_factor
    if config.schedule == "constant":
        return config.lr
    warm = min(round(config.warmup * steps), config.epochs * steps - 1)
    done = (epoch - 1) * steps + step
    if done < warm:
        return config.lr * (done + 1) / (warm + 1)
    return config.lr * 0.5 * (1 + math.cos(math.pi * (done - warm) / (config.epochs * steps - warm)))
