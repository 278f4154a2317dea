"""Forgeries that `fer verify` must name although every hash in the workspace was made to fit again."""

import json
from dataclasses import replace

import numpy as np
import pytest
from forging import Forger
from verify_workspaces import BP, CLASSES, ROWS

from fercli.artifacts.store import Store
from fercli.preprocessing.columns import fit_columns, fit_log, fit_scaling
from fercli.preprocessing.foldwise import components, fit_folds

HASHES = ("files", "key and fingerprint", "parents")
COLUMNS = ("ids", "truth", "splits", "folds", "repeats", "probabilities")
ALL = ("verify", "--folds-sampled", "all")


def named(fer, *artifacts):
    """Lines of the findings; the forged hashes themselves must all fit."""
    answer = fer(*ALL, *artifacts, "--json")
    body = json.loads(answer.out)
    hashed = [entry for entry in body["checked"] if entry["check"] in HASHES]
    assert hashed
    assert {entry["result"] for entry in hashed} == {"fine"}, "the forger left a trace in the hashes"
    assert body["stale"] == []
    assert answer.code == (4 if body["findings"] else 0)
    return [finding["line"] for finding in body["findings"]]


def assert_named(lines, *parts):
    """One line says all of this."""
    assert any(all(part in line for part in parts) for line in lines), (parts, lines)


def flipped(predictions):
    """The first row's two likeliest classes change places."""
    probabilities = predictions.probabilities.copy()
    best, second = np.argsort(-probabilities[0])[:2]
    probabilities[0, [best, second]] = probabilities[0, [second, best]]
    return replace(predictions, probabilities=probabilities)


def relabelled(predictions):
    """The first row's truth is what was predicted, or the next class where that was right."""
    truth = predictions.truth.copy()
    truth[0] = predictions.predicted[0] if predictions.predicted[0] != truth[0] else (truth[0] + 1) % 3
    return replace(predictions, truth=truth)


def doubled(predictions):
    """The second row is the first one once more."""
    columns = {name: getattr(predictions, name).copy() for name in COLUMNS}
    for column in columns.values():
        column[1] = column[0]
    return replace(predictions, **columns)


@pytest.mark.parametrize("kind", ["columns", "pictures"])
def test_the_forger_without_a_change_leaves_nothing_to_find(kind, workspace, fer):
    with Forger(workspace(kind)):
        pass
    assert named(fer) == []


@pytest.mark.parametrize("run", ["bp", "pruned", "lda"])
def test_a_flipped_prediction(run, workspace, fer):
    with Forger(workspace("columns")) as forger:
        forger.predictions(f"run/{run}", flipped)
    lines = named(fer, run)
    assert_named(
        lines, f"run/{run}: a prediction is not what the fold's stored model gives", "predictions.csv, fold 0/0"
    )
    assert len(lines) == 1


def test_a_predicted_class_that_its_probabilities_do_not_give(workspace, fer):
    def flip(lines):
        lines[4]["predicted"] = next(name for name in CLASSES if name != lines[4]["predicted"])

    with Forger(workspace("columns")) as forger:
        forger.rows("run/bp", "predictions.csv", flip)
    assert_named(named(fer, "bp"), "predicted is not the most probable class", "column predicted")


def test_probabilities_that_are_none(workspace, fer):
    def halve(lines):
        lines[0]["p_calm"] = "0.0"

    with Forger(workspace("columns")) as forger:
        forger.rows("run/knn", "predictions.csv", halve)
    assert_named(named(fer, "knn"), "probabilities do not sum to 1")


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("accuracy", lambda metrics: metrics.update(accuracy=0.97)),
        ("log_loss", lambda metrics: metrics.update(log_loss=0.1)),
        ("per_class.glad.recall", lambda metrics: metrics["per_class"]["glad"].update(recall=1.0)),
        ("per_class.sore.specificity", lambda metrics: metrics["per_class"]["sore"].update(specificity=None)),
        ("confusion[0][1]", lambda metrics: metrics["confusion"][0].__setitem__(1, 0)),
        ("folds[0/1].accuracy", lambda metrics: metrics["folds"][1].update(accuracy=0.97)),
        ("folds[0/2].macro_f1", lambda metrics: metrics["folds"][2].update(macro_f1=0.97)),
        ("test.accuracy.sd", lambda metrics: metrics["test"]["accuracy"].update(sd=0.0)),
        ("train.accuracy.mean", lambda metrics: metrics["train"]["accuracy"].update(mean=0.5)),
        ("majority.accuracy.pooled", lambda metrics: metrics["majority"]["accuracy"].update(pooled=0.1)),
        ("copies_in_training", lambda metrics: metrics.update(copies_in_training=3)),
        ("protocol.k", lambda metrics: metrics["protocol"].update(k=5)),
        ("protocol.leaks", lambda metrics: metrics["protocol"].update(leaks=["none at all"])),
        ("split", lambda metrics: metrics.update(split="test")),
        ("kind", lambda metrics: metrics.update(kind="bp")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_changed_metric(place, change, workspace, fer):
    with Forger(workspace("columns")) as forger:
        forger.json("run/lda", "metrics.json", change)
    lines = named(fer, "lda")
    assert_named(lines, f"run/lda: a score is not what the predictions give: {place} (metrics.json, {place})")


def test_a_changed_score_of_the_networks_beside_the_pruned_ones(workspace, fer):
    with Forger(workspace("columns")) as forger:
        forger.json("run/pruned", "metrics.json", lambda metrics: metrics["control"].update(accuracy=0.1))
    assert_named(named(fer, "pruned"), "a score of control is not what its predictions give: accuracy", "stored 0.1")


def test_a_changed_training_accuracy(workspace, fer):
    def flatter(metrics):
        for entry in metrics["folds"]:
            entry["train_accuracy"] -= 0.25
        metrics["train"]["accuracy"]["mean"] -= 0.25

    with Forger(workspace("columns")) as forger:
        forger.json("run/bp", "metrics.json", flatter)
    assert_named(named(fer, "bp"), "train_accuracy is not what the fold's stored model gives", "fold 0/0")


def test_truth_changed_in_the_predictions(workspace, fer):
    with Forger(workspace("columns")) as forger:
        forger.predictions("run/knn", relabelled)
    assert_named(named(fer, "knn"), "truth is not that of the data's row", "column truth")


def test_a_row_predicted_twice(workspace, fer):
    with Forger(workspace("columns")) as forger:
        forger.predictions("run/lda", doubled)
    lines = named(fer, "lda")
    assert_named(lines, "a row is predicted more than once (predictions.csv, fold 0/0")
    assert_named(lines, "a row that the fold holds out is not predicted (predictions.csv, fold 0/0")


def test_predictions_of_the_control_left_out(workspace, fer):
    with Forger(workspace("columns")) as forger:
        forger.rows("run/pruned", "predictions-control.csv", lambda lines: lines.pop())
    assert_named(named(fer, "pruned"), "a row that the fold holds out is not predicted (predictions-control.csv")


def test_swapped_class_order(workspace, fer):
    """Names change places everywhere in the run; only the data still knows better."""
    order = ["glad", "calm", "sore"]
    with Forger(workspace("columns")) as forger:
        path = forger.path("run/bp", "predictions.csv")
        path.write_text(path.read_text().replace("p_calm,p_glad", "p_glad,p_calm"))
        forger.manifest("run/bp", lambda manifest: manifest["content"].update(classes=order))
        files = [f"folds/0/0{fold}/model.json" for fold in range(3)] + ["model/model.json", "metrics.json"]
        for file in files:
            forger.json("run/bp", file, lambda body: body.update(classes=order))
    lines = named(fer, "bp")
    for file in ["predictions.csv, header", *(f"{file}, classes" for file in files)]:
        assert_named(
            lines, "the classes are not those of features/made in their order", f"({file})", "['glad', 'calm',"
        )


def test_weights_of_another_fold(workspace, fer):
    with Forger(workspace("columns")) as forger:
        for file in ("weights.safetensors", "preprocessing.safetensors", "model.json"):
            forger.path("run/bp", f"folds/0/00/{file}").write_bytes(
                forger.path("run/bp", f"folds/0/02/{file}").read_bytes()
            )
    lines = named(fer, "bp")
    assert_named(lines, "a prediction is not what the fold's stored model gives (predictions.csv, fold 0/0")
    assert_named(lines, "not what the 48 training rows give (folds/0/00/preprocessing.safetensors")
    assert_named(lines, "train_loss is not what the fold's stored model gives (metrics.json, fold 0/0)")


def planted(part):
    """A trainer's preprocessing that lets held-out rows into one part of it, and is right in the others."""

    def fit(features, blocks, row_sets, config):
        right = fit_folds(features, blocks, row_sets, config)
        every = np.arange(len(features))
        made = []
        for own, rows in zip(right, row_sets, strict=True):
            if part == "PCA":
                leaky = fit_folds(features, blocks, [every], config)[0]
                own = replace(own, projections=leaky.projections)
                log, scaling = fit_columns(components(own, features[rows]), None, config.scaling)
                made.append(replace(own, log=log, scaling=scaling))
            elif part == "log shift":
                held_out = np.setdiff1d(every, rows) if len(rows) < len(features) else rows
                chosen = own.log.direction != 0
                log = fit_log(components(own, features[held_out]), chosen)
                scaling = fit_scaling(log.apply(components(own, features[rows])), config.scaling)
                made.append(replace(own, log=log, scaling=scaling))
            else:
                scaling = fit_scaling(own.log.apply(components(own, features[every])), config.scaling)
                made.append(replace(own, scaling=scaling))
        return made

    return fit


@pytest.mark.parametrize("part", ["PCA", "log shift", "scaler"])
@pytest.mark.parametrize("command", ["train-bp", "prune-bp"])
def test_a_trainer_that_fits_on_rows_it_holds_out(part, command, workspace, fer, monkeypatch):
    """Its hashes are genuine from the beginning, and its predictions are what its models give."""
    workspace("columns")
    monkeypatch.setattr("fercli.bp.foldwise.fit_folds", planted(part))
    assert fer(command, *BP, "--name", "leaky", "--threads", 1, "--quiet").code == 0
    lines = named(fer, "leaky")
    for fold in range(3):
        assert_named(
            lines, f"run/leaky: {part}", "not what the 48 training rows give", f"folds/0/0{fold}/preprocessing"
        )
    assert all(line.startswith(f"run/leaky: {part}") for line in lines), "only what leaks is named"


def test_a_baseline_that_fits_its_scaler_on_all_rows(workspace, fer, monkeypatch):
    workspace("columns")
    monkeypatch.setattr(
        "fercli.baselines.training.fit",
        lambda features, blocks, rows, config: planted("scaler")(features, blocks, [rows], config)[0],
    )
    train = ("train-baseline", "--model", "logistic", "--name", "leaky", "--threads", 1, "--jobs", 1, "--quiet")
    assert fer(*train).code == 0
    assert_named(named(fer, "leaky"), "run/leaky: scaler, center: not what the 48 training rows give", "8 columns")


def test_a_stored_fit_from_other_rows_with_predictions_to_match(workspace, fer):
    """The forger takes another fold's preprocessing and scores the rows again with it."""
    root = workspace("columns")
    with Forger(root) as forger:
        for file in ("preprocessing.safetensors", "model.json"):
            forger.path("run/bp", f"folds/0/01/{file}").write_bytes(
                forger.path("run/bp", f"folds/0/02/{file}").read_bytes()
            )
    from fercli.workflow.bp_models import read_bp_model

    store = Store(root)
    run, data = store.open("run", "bp"), store.open("features", "made")
    features, ids = data.array("features.npy", mmap=False), data.samples().ids.tolist()
    model = read_bp_model(run, "folds/0/01")

    def scored(predictions):
        here = predictions.folds == 1
        rows = [ids.index(name) for name in predictions.ids[here].tolist()]
        probabilities = predictions.probabilities.copy()
        probabilities[here] = model.probabilities(features[rows])
        return replace(predictions, probabilities=probabilities)

    with Forger(root) as forger:
        forger.predictions("run/bp", scored)
    lines = named(fer, "bp")
    assert_named(lines, "not what the 48 training rows give (folds/0/01/preprocessing.safetensors")
    assert not [line for line in lines if "a prediction is not" in line]


def put_back(forger, *, receipt):
    """A removed unit returns as a twin of its partner, without outgoing weights, so that no prediction changes."""
    lines = []
    forger.rows("run/pruned", "receipts.csv", lambda found: lines.extend(dict(line) for line in found))
    line = next(one for one in reversed(lines) if one["criterion"] == "correlated")
    folder = f"folds/{line['repeat']}/{int(line['fold']):02d}"

    def widen(arrays):
        twin = arrays["units"].tolist().index(int(line["partner"]))
        arrays["w1"] = np.concatenate([arrays["w1"], arrays["w1"][:, [twin]]], axis=1)
        arrays["b1"] = np.append(arrays["b1"], arrays["b1"][twin])
        arrays["w2"] = np.concatenate([arrays["w2"], np.zeros_like(arrays["w2"][:1])])
        arrays["units"] = np.append(arrays["units"], int(line["unit"]))

    forger.tensors("run/pruned", f"{folder}/weights.safetensors", widen)
    forger.json("run/pruned", f"{folder}/model.json", lambda facts: facts.update(hidden=facts["hidden"] + 1))
    if receipt:

        def drop(found):
            found[:] = [one for one in found if one != line]

        forger.rows("run/pruned", "receipts.csv", drop)
    return folder, line["unit"]


def test_a_pruned_unit_put_back(workspace, fer):
    with Forger(workspace("columns")) as forger:
        folder, unit = put_back(forger, receipt=False)
    lines = named(fer, "pruned")
    assert_named(lines, f"a removed unit is among those saved ({folder}/weights.safetensors, unit {unit})")
    assert_named(lines, "the last receipt leaves another width than was saved", folder.removeprefix("folds/"))
    assert_named(lines, "a unit is left that is correlated", folder)
    assert_named(lines, "a count of units is not that of receipts and weights: hidden_after.mean")


def test_a_pruned_unit_put_back_and_its_receipt_gone(workspace, fer):
    with Forger(workspace("columns")) as forger:
        folder, _ = put_back(forger, receipt=True)
    lines = named(fer, "pruned")
    assert_named(lines, "a unit is left that is correlated", f"({folder}/weights.safetensors, unit", "correlated 1")
    assert_named(lines, "a count of units is not that of receipts and weights: removed.correlated")


def test_a_statistic_that_did_not_cross_its_threshold(workspace, fer):
    with Forger(workspace("columns")) as forger:
        forger.rows("run/pruned", "receipts.csv", lambda lines: lines[0].update(value="0.25"))
    lines = named(fer, "pruned")
    assert_named(
        lines, "that did not cross the threshold (receipts.csv, row 2: fold", "stored 0.25, recomputed |r| above"
    )


def test_a_stricter_threshold_than_was_pruned_by(workspace, fer):
    with Forger(workspace("columns")) as forger:
        forger.manifest("run/pruned", lambda manifest: manifest["config"].update(correlated=0.05))
    assert_named(
        named(fer, "pruned"), "a unit is left that is correlated", "over the 48 training rows", "weights.safetensors"
    )


def other_fold(row):
    return {**row, "fold": str((int(row["fold"]) + 1) % 3)}


def test_a_row_moved_to_another_fold_in_the_table(workspace, fer):
    def move(lines):
        lines[10].update(other_fold(lines[10]))

    with Forger(workspace("columns")) as forger:
        forger.rows("folds/standing", "folds.csv", move)
    lines = named(fer)
    assert_named(lines, "folds/standing: a row is not in the fold that its scheme draws (folds.csv, row 12: row_10)")
    assert_named(lines, "folds/standing: the protocol states otherwise leaks", "recomputed ['groups with rows both in")
    for run in ("bp", "pruned", "lda", "knn"):
        assert_named(lines, f"run/{run}: a row does not have its role in the fold (folds/0/0", "row_10")
        assert_named(lines, f"run/{run}: a row is predicted that the fold does not hold out", "row_10")


def test_a_whole_group_moved_in_table_roles_and_predictions(workspace, fer):
    """No group is cut and nothing in the run contradicts it, but what was fitted without these rows still is."""
    root = workspace("columns")
    table = {}
    with Forger(root) as forger:

        def move(lines):
            for line in lines[9:12]:
                line.update(other_fold(line))
            table.update({line["id"]: int(line["fold"]) for line in lines})

        forger.rows("folds/standing", "folds.csv", move)
    folds = np.array([table[f"row_{row:02}"] for row in range(ROWS)])
    with Forger(root) as forger:
        for run in ("bp", "lda"):
            for fold in range(3):

                def roles(array, fold=fold):
                    array[folds == fold] = 3
                    array[(folds != fold) & (array == 3)] = 1

                forger.array(f"run/{run}", f"folds/0/0{fold}/rows.npy", roles)
            forger.predictions(
                f"run/{run}",
                lambda predictions: replace(
                    predictions, folds=np.array([table[name] for name in predictions.ids.tolist()])
                ),
            )
    lines = named(fer, "standing", "run/bp", "run/lda")
    assert_named(
        lines, "folds/standing: a row is not in the fold that its scheme draws (folds.csv, row 11: row_09; 3 rows"
    )
    for run in ("bp", "lda"):
        assert_named(lines, f"run/{run}: scaler, center: not what the", "training rows give")
        assert_named(lines, f"run/{run}: a prediction is not what the fold's stored model gives")


def test_a_row_moved_from_held_out_to_training_in_the_roles(workspace, fer):
    def roles(array):
        array[np.flatnonzero(array == 3)[0]] = 1

    with Forger(workspace("columns")) as forger:
        forger.array("run/bp", "folds/0/02/rows.npy", roles)
    lines = named(fer, "bp")
    assert_named(
        lines, "a row does not have its role in the fold (folds/0/02/rows.npy", "stored fitted on, recomputed held"
    )


def test_folds_that_are_a_users_own_are_still_held_to_their_protocol(workspace, fer):
    root = workspace("columns")
    path = root.parent / "mine.csv"
    path.write_text("id,fold\n" + "".join(f"row_{row:02},{row // 36}\n" for row in range(ROWS)))
    assert fer("make-folds", "--from", path, "--name", "mine", "--quiet").code == 0
    assert fer("verify", "mine").code == 0
    with Forger(root) as forger:
        forger.rows("folds/mine", "folds.csv", lambda lines: lines[0].update(fold="1"))
    lines = named(fer, "mine")
    assert_named(
        lines, "folds/mine: the protocol states otherwise leaks", "groups with rows both in training and held out"
    )


def test_a_pruned_run_that_is_called_another(workspace, fer):
    """The checks of pruning are then not made, but the run's own metrics still say what it was."""

    def call(manifest):
        manifest["config"]["command"] = "train-bp"

    with Forger(workspace("columns")) as forger:
        forger.manifest("run/pruned", call)
    assert_named(named(fer, "pruned"), "kind (metrics.json, kind): stored pruned-bp, recomputed bp")


def test_a_fold_model_that_is_gone(workspace, fer):
    with Forger(workspace("columns")) as forger:
        forger.json("run/lda", "folds/0/01/model.json", lambda facts: facts.update(stored=False))
        forger.path("run/lda", "folds/0/01/weights.safetensors").unlink()
    assert_named(named(fer, "lda"), "the fold's model is not stored (folds/0/01/model.json, stored)")


def test_rows_that_vanish(workspace, fer):
    """Three rows lose their place in the folds, in every table that has them, and nowhere is it told."""
    gone = ("row_09", "row_10", "row_11")

    def drop(lines):
        lines[:] = [line for line in lines if line["id"] not in gone]

    with Forger(workspace("columns")) as forger:
        forger.rows("folds/standing", "folds.csv", drop)
        for fold in range(3):
            forger.array("run/lda", f"folds/0/0{fold}/rows.npy", lambda roles: roles.__setitem__(slice(9, 12), 0))
        forger.predictions("run/lda", lambda it: _only(it, ~np.isin(it.ids, gone)))
    lines = named(fer, "standing", "run/lda")
    assert_named(lines, "folds/standing: a row is not in the fold that its scheme draws: another number of rows")
    place = "(artifact.json, left_out): stored 0, recomputed 3"
    assert_named(lines, f"run/lda: the rows left out are not those that data and protocol leave out {place}")


def _only(predictions, mask):
    columns = {name: getattr(predictions, name)[mask] for name in COLUMNS}
    return replace(predictions, **columns)


@pytest.mark.parametrize("label", ["features/made", "dataset/made"])
def test_an_id_that_stands_twice(label, workspace, fer):
    kind = "columns" if label.startswith("features") else "pictures"
    with Forger(workspace(kind)) as forger:
        forger.rows(label, "samples.csv", lambda lines: lines[5].update(id="row_04"))
    assert_named(
        named(fer, label), f"{label}: an id stands more than once (samples.csv, id row_04): stored 2, recomputed 1"
    )


def test_a_label_changed_in_the_rows(workspace, fer):
    with Forger(workspace("columns")) as forger:
        forger.rows("features/made", "samples.csv", lambda lines: lines[0].update(label="sore"))
    lines = named(fer)
    assert_named(lines, "features/made: rows of a class none.calm", "stored 24, recomputed 23")
    assert_named(
        lines, "run/bp: truth is not that of the data's row (predictions.csv, row_00", "stored calm, recomputed sore"
    )


def test_columns_changed_after_training(workspace, fer):
    def change(features):
        features[:, 5] *= 1.5

    with Forger(workspace("columns")) as forger:
        forger.array("features/made", "features.npy", change)
    lines = named(fer, "run/bp", "run/lda")
    assert_named(lines, "run/bp: PCA, mean: not what the 48 training rows give", "b.1")
    assert_named(lines, "run/lda: scaler, scale: not what the 48 training rows give", "b.1")
    assert_named(lines, "run/lda: a prediction is not what the fold's stored model gives")


def test_a_changed_picture(workspace, fer):
    def change(images):
        images[7, 3, 3] ^= 1

    with Forger(workspace("pictures")) as forger:
        forger.array("dataset/made", "images.npy", change)
    lines = named(fer, "dataset/made")
    assert_named(lines, "dataset/made: a picture is not the one that its row names by hash (images.npy, row_07)")


def test_columns_that_the_pictures_do_not_give(workspace, fer):
    def change(features):
        features[:, 2] += 0.01

    with Forger(workspace("pictures")) as forger:
        forger.array("features/made", "features.npy", change)
    assert_named(named(fer, "features/made"), "a picture does not give its columns (features.npy, row_", "column 2")


def test_a_net_that_takes_its_normalisation_from_all_rows(workspace, fer, monkeypatch):
    from fercli.resnet.batches import fit_normalisation

    workspace("pictures")
    monkeypatch.setattr(
        "fercli.resnet.training.fit_normalisation",
        lambda images, rows: fit_normalisation(images, np.arange(len(images))),
    )
    net = ("--variant", "cnn", "--width", 4, "--epochs", 1, "--device", "cpu", "--name", "leaky", "--no-final-model")
    assert fer("train-resnet", *net, "--threads", 1, "--quiet").code == 0
    lines = named(fer, "leaky")
    for fold in range(3):
        assert_named(
            lines, "the normalisation is not that of the 48 training rows: mean[0]", f"folds/0/0{fold}/model.json"
        )
    assert not [line for line in lines if "normalisation" not in line]


def test_a_net_with_the_weights_of_another_fold(workspace, fer):
    with Forger(workspace("pictures")) as forger:
        other = forger.path("run/net", "folds/0/01/weights.safetensors").read_bytes()
        forger.path("run/net", "folds/0/00/weights.safetensors").write_bytes(other)
    lines = named(fer, "net")
    assert_named(lines, "run/net: a prediction is not what the fold's stored model gives (predictions.csv, fold 0/0")
    assert len(lines) == 1


def test_a_flipped_prediction_of_a_net(workspace, fer):
    with Forger(workspace("pictures")) as forger:
        forger.predictions("run/net", flipped)
    assert_named(
        named(fer, "net"), "a prediction is not what the fold's stored model gives (predictions.csv, fold 0/0, row_"
    )


@pytest.mark.parametrize(
    ("place", "change"),
    [
        ("intervals.accuracy.lower", lambda body: body["runs"][0]["intervals"]["accuracy"].update(lower=0.99)),
        ("macro_f1", lambda body: body["runs"][1].update(macro_f1=0.99)),
        ("worst_group", lambda body: body["runs"][1].update(worst_group={"group": "x", "rows": 10, "accuracy": 0.0})),
        ("[0].passed", lambda body: body["gates"][0].update(passed=False)),
    ],
)
def test_a_changed_evaluation(place, change, workspace, fer):
    with Forger(workspace("columns")) as forger:
        forger.json("evaluation/bp_lda", "evaluation.json", change)
    assert_named(named(fer, "evaluation/bp_lda"), "evaluation/bp_lda: ", place)


def test_truth_changed_in_an_evaluation_on_other_data(workspace, fer):
    root = workspace("columns")
    on = ("evaluate", "bp", "--on", "made", "--allow-train-rows", "--draws", 100, "--name", "elsewhere", "--quiet")
    assert fer(*on).code == 0
    assert fer("verify", "elsewhere").code == 0

    def relabel(lines):
        lines[3]["truth"] = next(name for name in CLASSES if name != lines[3]["truth"])

    with Forger(root) as forger:
        forger.rows("evaluation/elsewhere", "predictions/bp.csv", relabel)
    lines = named(fer, "elsewhere")
    assert_named(lines, "truth is not that of the data's row (predictions/bp.csv, row_03, column truth)")
    assert_named(lines, "a score is not what the predictions give: log_loss (evaluation.json, bp, log_loss)")


def test_an_artifact_of_another_form_is_named_and_ends_nothing(workspace, fer):
    with Forger(workspace("columns")) as forger:
        forger.json("run/lda", "metrics.json", lambda metrics: metrics.pop("folds"))
        forger.manifest("run/bp", lambda manifest: manifest["config"].pop("protocol"))
    lines = named(fer)
    assert_named(lines, "run/lda: folds: field required", "metrics.json)")
    assert_named(lines, "run/bp: not of the form that this release writes: KeyError 'protocol' (folds and rows)")
