"""Gates: what may be written, what it answers, and what a typo gets."""

import pytest

from fercli.errors import UsageError
from fercli.evaluation.gates import Gate, check_gates, parse_gates
from fercli.evaluation.metrics import score


def test_a_comma_list_of_gates():
    assert parse_gates(" accuracy >= 0.55,log_loss<1.2, recall.class_1>40%") == (
        Gate("accuracy >= 0.55", "accuracy", ">=", 0.55),
        Gate("log_loss<1.2", "log_loss", "<", 1.2),
        Gate("recall.class_1>40%", "recall.class_1", ">", 0.4),
    )


@pytest.mark.parametrize("text", ["accuracy", "accuracy=0.5", "accuracy>=", ">=0.5", "", "accuracy>=0.5,", "a>=b"])
def test_what_is_no_gate_is_refused_with_an_example(text):
    with pytest.raises(UsageError, match="not a gate") as caught:
        parse_gates(text)
    assert "accuracy>=0.55" in str(caught.value.next_step)


def test_a_misspelt_score_is_refused_with_the_legal_names():
    with pytest.raises(UsageError, match="no score is called 'acuracy'") as caught:
        parse_gates("acuracy>=0.5")
    assert "accuracy, balanced_accuracy, macro_f1" in str(caught.value.next_step)


@pytest.mark.parametrize("number", ["1e999", "1.2.3", "--1"])
def test_a_threshold_that_is_no_number_is_refused(number):
    with pytest.raises(UsageError, match="not a number"):
        parse_gates(f"accuracy>={number}")


def test_gates_answer_with_value_and_verdict_on_the_bound(made_predictions):
    metrics = score(made_predictions(rows=100)).as_json()
    value = metrics["accuracy"]
    answers = check_gates(parse_gates(f"accuracy>={value!r},accuracy>{value!r},macro_f1<=1"), metrics)
    assert [answer["passed"] for answer in answers] == [True, False, True]
    assert answers[0] == {"expression": f"accuracy>={value!r}", "value": value, "passed": True}


def test_an_undefined_score_never_passes():
    metrics = {"mcc": None, "per_class": {}}
    assert check_gates(parse_gates("mcc>=-1"), metrics)[0]["passed"] is False
    assert check_gates(parse_gates("mcc<=1"), metrics)[0]["value"] is None


def test_a_class_that_the_run_does_not_have_is_refused_with_its_classes(made_predictions):
    metrics = score(made_predictions()).as_json()
    with pytest.raises(UsageError, match="no class is called 'happy'") as caught:
        check_gates(parse_gates("recall.happy>=0.5"), metrics)
    assert "class_0, class_1" in str(caught.value.next_step)
