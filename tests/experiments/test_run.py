"""A run leaves a network and a record, and goes on from its checkpoint to the same."""

import hashlib
import math

import pytest
import torch

from jensengap import data
from jensengap.data import embedded
from jensengap.experiments import (
    checkpoint,
    distributed,
    iwae_table,
    recordings,
    resumable,
    run,
)

ALONE = distributed.Group(0, 1, 0, torch.device("cpu"))
SETTINGS = resumable.Settings(
    objective="iwae", num_samples=2, seed=0, num_epochs=3, batch_size=50,
    max_rate=3e-3, warm_samples=1, warm_epochs=1, eval_samples=10,
    digits="embedded", matmul="highest",
)  # fmt: skip
NAME = "iwae-k2-seed0"
SHIPPED = sorted(iwae_table.NETWORKS.glob("*.safetensors"))
each_shipped = pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def digits():
    pixels = data.unit_pixels(embedded.mnist_5k("all").pixels[:500])
    return pixels[:200], data.binarize(pixels[200:], torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def whole(digits, tmp_path_factory):
    """The folder of a run that nobody interrupted."""
    out = tmp_path_factory.mktemp("whole")
    run.Run(SETTINGS, ALONE, out, 0.0).go(*digits)
    return out


def read(out):
    (record,) = recordings.read(out / f"{NAME}.json").runs
    return record, (out / f"{NAME}.safetensors").read_bytes()


def test_a_run_leaves_its_network_and_its_record_and_nothing_else(whole):
    assert {p.name for p in whole.iterdir()} == {f"{NAME}.json", f"{NAME}.safetensors"}
    record, network = read(whole)
    assert SETTINGS._asdict().items() <= record.items()
    assert record["sha256"] == hashlib.sha256(network).hexdigest()
    recording = recordings.read(whole / f"{NAME}.json")
    assert set(recording.versions) == {"python", "torch", "safetensors", "numpy"}
    assert recording.machine.items() >= {"device": "cpu", "num_processes": 1}.items()
    assert record["seconds"]["training"] > 0
    assert record["seconds"]["evaluation"] > 0
    assert [len(each) for each in record["train"].values()] == [3, 3]
    assert (record["num_train"], record["num_test"]) == (200, 300)


def test_the_network_in_the_file_has_the_records_likelihood(whole, digits):
    record, _ = read(whole)
    model, settings = iwae_table.load(whole / f"{NAME}.safetensors")
    assert settings == SETTINGS._asdict()
    scores = [
        iwae_table.score(model, x, 10, number).log_p
        for number, x in enumerate(digits[1].split(100))
    ]
    log_p = torch.cat(scores).double()
    assert record["nll"] == -float(log_p.mean())
    assert record["nll_stderr"] == pytest.approx(float(log_p.std()) / math.sqrt(300))
    assert record["test_elbo"] < -record["nll"]


def test_the_record_holds_a_check_that_the_network_in_the_file_passes(whole):
    record, _ = read(whole)
    model, _ = iwae_table.load(whole / f"{NAME}.safetensors")
    torch.manual_seed(7)  # whatever chance came before
    assert iwae_table.check(model) == record["check"]
    assert record["check"]["num_images"] == 200
    with torch.no_grad():
        model.decoder.net[4].bias += 1
    assert iwae_table.check(model)["nll"] > record["check"]["nll"] + 1


def test_a_network_is_shipped():
    assert SHIPPED, f"no trained network lies in {iwae_table.NETWORKS}"


@pytest.mark.exact_seeds(reason="the record is of digits drawn with its own seeds")
@each_shipped
def test_a_shipped_network_has_the_likelihood_of_its_record(path):
    model, settings = iwae_table.load(path)
    (record,) = recordings.load("iwae-table").where(**settings)
    found = iwae_table.check(model)
    assert found["nll"] == pytest.approx(record["check"].pop("nll"), abs=2e-3)
    assert found.items() > record["check"].items()


@each_shipped
def test_a_shipped_network_is_the_one_that_was_recorded(path):
    (record,) = recordings.load("iwae-table").where(**iwae_table.load(path)[1])
    assert hashlib.sha256(path.read_bytes()).hexdigest() == record["sha256"]
    assert path.stat().st_size < 2e6


class Killed(Exception):
    """What ends a run, in these tests."""


@pytest.mark.parametrize(
    "checkpoints",
    # one in each phase; the others are looked at by night
    [pytest.param(n, marks=pytest.mark.nightly) for n in (1, 4, 14)] + [7, 12, 13],
)
def test_a_killed_run_goes_on_to_the_same_result(
    whole, digits, tmp_path, monkeypatch, checkpoints
):
    # 12 steps, then 3 blocks of test images, each with a checkpoint behind it
    save, kept = checkpoint.save, []

    def kill(*arguments):
        save(*arguments)
        kept.append(arguments)
        if len(kept) == checkpoints:
            raise Killed

    monkeypatch.setattr(checkpoint, "save", kill)
    with pytest.raises(Killed):
        run.Run(SETTINGS, ALONE, tmp_path, 0.0).go(*digits)
    monkeypatch.undo()
    assert {p.name for p in tmp_path.iterdir()} == {f"{NAME}.checkpoint"}
    run.Run(SETTINGS, ALONE, tmp_path, 0.0).go(*digits)
    (record, network), (wanted, wanted_network) = read(tmp_path), read(whole)
    assert network == wanted_network
    assert (record.pop("num_resumed"), wanted.pop("num_resumed")) == (1, 0)
    assert record.pop("seconds").keys() == wanted.pop("seconds").keys()
    assert record == wanted


def test_a_finished_run_is_found_and_its_record_returned(whole):
    assert run.Run(SETTINGS, ALONE, whole, 0.0).finished() == read(whole)[0]


def test_a_finished_run_of_other_settings_is_not_overwritten(whole):
    other = run.Run(SETTINGS._replace(num_epochs=4), ALONE, whole, 0.0)
    with pytest.raises(checkpoint.CheckpointError, match="wanted num_epochs=4, got"):
        other.finished()


def test_a_record_that_is_no_recording_is_named_and_left(tmp_path):
    path = tmp_path / f"{NAME}.json"
    path.write_text('{"nll": 90.0}', "utf-8")
    with pytest.raises(ValueError, match=f"{path} is no recording: wanted"):
        run.Run(SETTINGS, ALONE, tmp_path, 0.0).finished()
    assert path.read_text("utf-8") == '{"nll": 90.0}'


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[: len(content) // 2], "is torn"),
        (lambda content: b"", "is no checkpoint"),
    ],
)
def test_a_damaged_checkpoint_stops_the_run_and_stays(
    digits, tmp_path, damage, message
):
    path = tmp_path / f"{NAME}.checkpoint"
    checkpoint.save(path, {}, {"a": torch.zeros(100)})
    path.write_bytes(damage(path.read_bytes()))
    before = path.read_bytes()
    with pytest.raises(checkpoint.CheckpointError, match=message):
        run.Run(SETTINGS, ALONE, tmp_path, 0.0).go(*digits)
    assert path.read_bytes() == before


def test_a_checkpoint_of_another_network_or_device_is_refused(digits, tmp_path):
    own = run.Run(SETTINGS, ALONE, tmp_path, 0.0)
    checkpoint.save(own.checkpoint, {**own.of, "device": "cuda"}, {})
    with pytest.raises(checkpoint.CheckpointError, match="device=cpu, got device=cuda"):
        own.go(*digits)


def test_a_checkpoint_of_another_schedule_is_refused(digits, tmp_path):
    own = run.Run(SETTINGS, ALONE, tmp_path, 0.0)
    other = run.Run(SETTINGS._replace(warm_epochs=2), ALONE, tmp_path, 0.0)
    checkpoint.save(own.checkpoint, other.of, {})
    message = "wanted warm_epochs=1, got warm_epochs=2;"
    with pytest.raises(checkpoint.CheckpointError, match=message):
        own.go(*digits)


def test_no_checkpoint_is_written_before_it_is_due(digits, tmp_path, monkeypatch):
    saved = []
    monkeypatch.setattr(checkpoint, "save", lambda *_: saved.append(1))
    run.Run(SETTINGS, ALONE, tmp_path, 1e6).go(*digits)
    assert saved == []


def test_the_precision_of_the_training_does_not_outlive_it(digits, tmp_path):
    medium = SETTINGS._replace(matmul="medium")
    run.Run(medium, ALONE, tmp_path, 1e6).go(*digits)
    assert torch.get_float32_matmul_precision() == "highest"
