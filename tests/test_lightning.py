"""What Lightning is told to import later is there when it is asked for."""

import subprocess
import sys
from fractions import Fraction

import pytest
import torch
from matplotlib.figure import Figure

from livedqn import lightning
from livedqn.lightning import pl

#: Each takes a second or more to import, with what it imports; none is needed to train.
LATER = ("matplotlib", "pandas", "sympy", "torch._dynamo", "wandb")


AT_FIRST_STEP = f"""
import sys, livedqn
from livedqn.agent import DQN

def first(*_):
    print([name for name in {LATER} if name in sys.modules])
    sys.exit()

DQN.training_step = first
livedqn.train({{"plugin": "gym", "id": "CartPole-v1"}}, folder=sys.argv[1], compile="false")
"""


def test_a_run_comes_to_its_first_step_without_them(tmp_path):
    command = [sys.executable, "-c", AT_FIRST_STEP, str(tmp_path)]
    done = subprocess.run(command, text=True, capture_output=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_class_knows_its_instances_once_it_is_imported():
    assert isinstance(Fraction(1, 2), lightning._LazyClass("fractions", "Fraction"))
    assert not isinstance(0.5, lightning._LazyClass("fractions", "Fraction"))
    assert not isinstance(0.5, lightning._LazyClass("nosuch.module", "Fraction"))


def test_a_module_answers_what_it_does_not_hold():
    module = lightning._LazyModule("fractions", Decimal=None)
    assert module.Decimal is None
    assert module.Fraction is Fraction
    with pytest.raises(AttributeError, match="nosuch"):
        module.nosuch  # noqa: B018


class Logging(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def training_step(self, batch):
        loss = self.layer(batch).sum()
        self.log("loss", loss)
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


def test_compiled_modules_are_told_from_others():
    assert type(pl.utilities.compile.OptimizedModule) is lightning._LazyClass  # so this is about the stand-in
    compiled = torch.compile(Logging(), backend="eager")
    assert isinstance(pl.utilities.compile.from_compiled(compiled), Logging)
    with pytest.raises(ValueError, match="OptimizedModule"):
        pl.utilities.compile.from_compiled(Logging())


@pytest.mark.filterwarnings("ignore")  # of Lightning about torch and about loaders
def test_a_module_logs():
    trainer = pl.Trainer(
        logger=False, enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
        max_steps=1, accelerator="cpu",
    )  # fmt: skip
    trainer.fit(Logging(), torch.zeros(1, 1, 1))
    assert "loss" in trainer.callback_metrics


def test_metrics_are_plotted():
    from torchmetrics import MeanMetric

    metric = MeanMetric()
    metric.update(3.0)
    _, axes = metric.plot(ax=Figure().subplots())
    assert axes.has_data()
