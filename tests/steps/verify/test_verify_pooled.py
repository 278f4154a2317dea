"""Whether splits were pooled is held against the rows that train."""

import pytest
from forging import Forger

LINES = [f"r{i},{'happy' if i % 2 else 'sad'},{'validation' if i % 4 > 1 else 'train'},{i % 7},{i}" for i in range(24)]


@pytest.mark.parametrize("pooled", [True, False])
def test_the_claim_turned_round_is_named(pooled, fer, tmp_path):
    (tmp_path / "rows.csv").write_text("\n".join(["id,label,split,a.x,a.y", *LINES]) + "\n")
    assert fer("import-features", "rows.csv").code == 0
    options = ("--pool-splits",) if pooled else ()
    trained = fer("train-baseline", "--model", "lda", "--k", 2, "--name", "lda", "--jobs", 1, *options)
    assert trained.code == 0, trained.err
    clean = fer("verify")
    assert clean.code == 0, clean.out
    folds = "folds/rows-stratified-2" + ("-pooled" if pooled else "")
    with Forger(tmp_path / "ws") as forger:
        forger.json("run/lda", "metrics.json", lambda metrics: metrics["protocol"].update(pooled=not pooled))
        forger.manifest(folds, lambda manifest: manifest["content"]["protocol"].update(pooled=not pooled))
    answer = fer("verify")
    assert answer.code == 4
    assert f"protocol.pooled (metrics.json, protocol.pooled): stored {not pooled}, recomputed {pooled}" in answer.out
    assert f"{folds}: the protocol states otherwise pooled" in answer.out


@pytest.mark.parametrize(("pooled", "code"), [(False, 0), (True, 4)])
@pytest.mark.parametrize("which", ["folds", "run"])
def test_artifacts_of_before_the_key_have_pooled_nothing(which, pooled, code, fer, tmp_path):
    (tmp_path / "rows.csv").write_text("\n".join(["id,label,split,a.x,a.y", *LINES]) + "\n")
    assert fer("import-features", "rows.csv").code == 0
    options = ("--k", 2, "--jobs", 1, *(("--pool-splits",) if pooled else ()))
    assert fer("train-baseline", "--model", "lda", "--name", "lda", *options).code == 0
    folds = "folds/rows-stratified-2" + ("-pooled" if pooled else "")
    with Forger(tmp_path / "ws") as forger:
        if which == "folds":
            forger.manifest(folds, lambda manifest: manifest["content"]["protocol"].pop("pooled"))
        else:
            forger.json("run/lda", "metrics.json", lambda metrics: metrics["protocol"].pop("pooled"))
    assert fer("verify").code == code
