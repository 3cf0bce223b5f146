"""Watching under other libraries: the same bits with and without, and the steps that they count."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import pellucid as pl
from pellucid.errors import MissingExtra, PellucidError
from pellucid.learning.networks import CNN, seeded

INPUTS = torch.rand(24, 1, 8, 8, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(24) % 3


def made() -> nn.Module:
    return seeded(lambda: CNN(1, 3, dropout=0.2), 0)


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return len(one) > 3 and all(torch.equal(a, other[name]) for name, a in one.items())


@pytest.mark.parametrize("call", [pl.training.lightning_watch, pl.training.hugging_face_watch, pl.training.keras_watch])
def test_what_is_not_installed_is_named(
    call: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["lightning", "lightning.pytorch", "pytorch_lightning", "transformers", "keras", "keras.callbacks"]
    for name in names:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=r"needs a package that is not installed: pip install \w+$"):
        call(folder=tmp_path)


def test_a_step_is_what_the_library_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a library of a few lines: two passes for a step, an evaluation between, the run taken up at step 4."""
    library: Any = ModuleType("transformers")
    library.TrainerCallback = type("TrainerCallback", (), {"on_evaluate": lambda *_, **_more: None})
    monkeypatch.setitem(sys.modules, "transformers", library)
    with pytest.raises(PellucidError, match="every=0"):
        pl.training.hugging_face_watch(every=0, folder=tmp_path)
    seen, module = pl.training.hugging_face_watch(every=2, folder=tmp_path), made()
    assert isinstance(seen, library.TrainerCallback)
    state = SimpleNamespace(global_step=4, is_world_process_zero=True)
    optimizer = torch.optim.SGD(module.parameters(), 0.1)
    seen.on_train_begin(None, state, None, model=module)
    gradients = []
    for _ in range(4):
        seen.on_step_begin(None, state, None)
        optimizer.zero_grad()
        for part in (slice(0, 12), slice(12, 24)):
            (F.cross_entropy(module(INPUTS[part]), LABELS[part]) / 2).backward()
        gradients.append(torch.cat([p.grad.flatten() for p in module.head.parameters()]).norm())  # type: ignore[union-attr]
        optimizer.step()
        state.global_step += 1
        seen.on_log(None, state, None, logs={"loss": 1.0, "name": "x"})
    seen.on_log(None, state, None, logs={"eval_loss": 2.0})
    seen.on_log(None, state, None, logs={"train_loss": 9.0, "train_runtime": 1.0})
    seen.on_train_end(None, state, None)
    run = pl.History.of(tmp_path)
    assert run["head/std"].steps.tolist() == [5, 7]
    assert run["loss"].steps.tolist() == [5, 6, 7, 8]
    assert run["eval loss"].steps.tolist() == [8]
    assert "train loss" not in run.scalars
    assert np.allclose(run["head/weight gradient"].values, [gradients[0], gradients[2]], rtol=1e-5)
    assert not [*module._forward_hooks, *module._forward_pre_hooks, *module.head._forward_hooks]


def test_lightning(tmp_path: Path) -> None:
    library = pytest.importorskip("lightning.pytorch")

    class Module(library.LightningModule):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.inner = made()

        def training_step(self, batch: Any, _i: int) -> Tensor:
            return F.cross_entropy(self.inner(batch[0]), batch[1])

        def validation_step(self, batch: Any, _i: int) -> None:
            self.log("val_loss", F.cross_entropy(self.inner(batch[0]), batch[1]))

        def configure_optimizers(self) -> Any:
            return torch.optim.Adam(self.parameters(), 0.01)

    def trained(*callbacks: Any) -> dict[str, Tensor]:
        library.seed_everything(3, verbose=False)
        loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(INPUTS, LABELS), batch_size=6)
        module = Module()
        library.Trainer(
            max_epochs=3, accelerator="cpu", callbacks=[*callbacks], logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False, accumulate_grad_batches=2,
        ).fit(module, loader, loader)  # fmt: skip
        return module.state_dict()

    assert same(trained(), trained(pl.training.lightning_watch(every=2, folder=tmp_path)))
    run = pl.History.of(tmp_path)
    assert run["inner.head/std"].steps.tolist() == [1, 3, 5]
    assert run["train loss"].steps.tolist() == run["lr"].steps.tolist() == [1, 3, 5]
    assert run["val loss"].steps.tolist() == [2, 4, 6]


def test_hugging_face(tmp_path: Path) -> None:
    library = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")

    class Module(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = made()

        def forward(self, pixel_values: Tensor, labels: Tensor) -> dict[str, Tensor]:
            found = self.inner(pixel_values)
            return {"loss": F.cross_entropy(found, labels), "logits": found}

    rows = [{"pixel_values": x, "labels": y} for x, y in zip(INPUTS, LABELS, strict=True)]

    def trained(*callbacks: Any) -> dict[str, Tensor]:
        library.set_seed(3)
        module = Module()
        how = library.TrainingArguments(
            str(tmp_path / "out"), per_device_train_batch_size=6, gradient_accumulation_steps=2, num_train_epochs=3,
            logging_steps=1, eval_strategy="epoch", save_strategy="no", report_to=[], use_cpu=True, disable_tqdm=True,
        )  # fmt: skip
        library.Trainer(module, how, train_dataset=rows, eval_dataset=rows, callbacks=[*callbacks]).train()
        return module.state_dict()

    assert same(trained(), trained(pl.training.hugging_face_watch(every=2, folder=tmp_path / "run")))
    run = pl.History.of(tmp_path / "run")
    assert run["inner.head/std"].steps.tolist() == [1, 3, 5]
    assert run["loss"].steps.tolist() == [1, 2, 3, 4, 5, 6]
    assert run["eval loss"].steps.tolist() == [2, 4, 6]


def test_keras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras")
    if keras.backend.backend() != "torch":
        pytest.skip("Keras is there, on another backend than torch")
    images, labels = INPUTS.movedim(1, -1).numpy(), LABELS.numpy()

    def trained(*callbacks: Any) -> list[np.ndarray]:
        keras.utils.set_random_seed(3)
        layers = keras.layers
        model = keras.Sequential([
            keras.Input((8, 8, 1)), layers.Conv2D(4, 3), layers.BatchNormalization(), layers.ReLU(),
            layers.Dropout(0.2), layers.Flatten(), layers.Dense(3, name="head"),
        ])  # fmt: skip
        model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
        model.fit(images, labels, batch_size=6, epochs=2, verbose=0, validation_data=(images, labels),
                  callbacks=[*callbacks])  # fmt: skip
        assert not any("call" in vars(layer) for layer in model.layers)
        return model.get_weights()

    plain, seen = trained(), trained(pl.training.keras_watch(every=3, folder=tmp_path))
    assert all(np.array_equal(a, b) for a, b in zip(plain, seen, strict=True))
    run = pl.History.of(tmp_path)
    assert run["head/std"].steps.tolist() == [1, 4, 7]
    assert run["head/gradient"].values.min() > 0
    assert run["head/update"].values.min() > 0
    assert run["val loss"].steps.tolist() == [4, 8]
