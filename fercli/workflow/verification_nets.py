"""Networks on pictures: their normalisation from the pixels of the training rows alone."""

from fercli.resnet.batches import fit_normalisation
from fercli.workflow.verification import Covered
from fercli.workflow.verification_plan import RunView
from fercli.workflow.verification_values import difference_list

# Counted as integers, so that only the last division can round another way elsewhere.
EXACT = 1e-12
# Convolutions on a GPU may round products to 10 bits; a CPU does not.
OTHER_DEVICE = 5e-3


def normalisation_as_fitted(view: RunView, sampled: list[int]) -> Covered:
    """Mean and deviation of every channel in the sampled folds and `model/`, from their training rows alone."""
    images = view.data.array("images.npy")
    models = view.models(sampled)
    found = []
    for folder, rows in models:
        file = f"{folder}/model.json"
        again = fit_normalisation(images, rows).stored()
        what = f"the normalisation is not that of the {len(rows):,} training rows:"
        found += difference_list(what, file, view.run.json(file)["normalisation"], again, tolerance=EXACT)
    return Covered(len(models), "models", found)
