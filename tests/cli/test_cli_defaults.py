"""An option's default on the command line is its config's default: otherwise the two would drift apart unseen."""

import typer

from fercli.cli.app import _register, app
from fercli.config.audit import AuditConfig
from fercli.config.bench import BenchConfig
from fercli.config.evaluate import EvaluateConfig
from fercli.config.explain import ExplainConfig
from fercli.config.import_dataset import ImportDatasetConfig, parse_size
from fercli.config.predict import PredictConfig
from fercli.config.protocol import ProtocolConfig
from fercli.config.report import ReportConfig
from fercli.config.robustness import RobustnessConfig
from fercli.config.synthesize import SynthesizeConfig

CONFIGS = {
    "synthesize": (SynthesizeConfig(), {"images": "images_per_subject"}),
    "import-dataset": (ImportDatasetConfig(), {}),
    "audit": (AuditConfig(), {}),
    "make-folds": (ProtocolConfig(), {}),
    "train-resnet": (ProtocolConfig(), {}),
    "evaluate": (EvaluateConfig(), {}),
    "report": (ReportConfig(), {}),
    "robustness": (RobustnessConfig(), {"kinds": "", "levels": ""}),
    "explain": (ExplainConfig(), {}),
    "predict": (PredictConfig(), {}),
    "bench": (BenchConfig(topic="resnet"), {"topic": "", "variant": ""}),
}


def test_defaults_agree():
    if not app.registered_commands:
        _register()
    commands = typer.main.get_command(app).commands
    compared = 0
    for name, (config, renamed) in CONFIGS.items():
        for option in commands[name].params:
            field = renamed.get(option.name, option.name)
            if option.default is None or not hasattr(config, field) or field not in type(config).model_fields:
                continue
            wanted = getattr(config, field)
            shown = parse_size(option.default) if field == "size" else option.default
            assert shown == wanted, f"fer {name} {option.opts[0]}: {shown!r}, the config has {wanted!r}"
            compared += 1
    assert compared >= 25
