"""The model in the box: the small network that ships with the package."""

from importlib.resources import files

from fercli.errors import ArtifactError, EnvironmentFailure
from fercli.inference.model_files import FACTS, ModelFiles

PACKAGE = "fercli.pretrained"
OWNER = "the model in the box"


def boxed_model_files() -> ModelFiles:
    """`model.json` and `weights.safetensors` in `fercli/pretrained`; float16 weights become float32 when loaded.

    Raises EnvironmentFailure where this installation has no such model.
    """
    folder = files(PACKAGE)
    if not folder.joinpath(FACTS).is_file():
        raise EnvironmentFailure(
            "this installation of fercli ships no model of its own",
            where="fercli/pretrained",
            next_step="name one with --model RUN, after fer train-resnet or fer train-bp",
        )

    def read(name: str) -> bytes:
        try:
            return folder.joinpath(name).read_bytes()
        except OSError as error:
            raise ArtifactError(
                f"{OWNER} has no readable {name}: {error.strerror or error}",
                where="fercli/pretrained",
                next_step="install fercli again",
            ) from None

    return ModelFiles(OWNER, "fercli/pretrained", read)
