"""What files say, also those that are cut off, lie or are not what their names promise."""

from __future__ import annotations

import gzip
import io
import json
import pickle
import re
import sys
import tarfile
import time
import zipfile
import zlib

import pytest

from generator.cluster.artifacts.formats import facts_of
from generator.cluster.artifacts.trained import trained_with

SIGNATURE = [
    {"type": "long", "name": "age", "required": True},
    {"type": "double", "name": "price", "required": False},
    {"type": "string", "name": "city", "required": True},
]
MLMODEL = {
    "flavors": {
        "python_function": {
            "loader_module": "mlflow.sklearn",
            "model_path": "model.pkl",
            "python_version": "3.12.4",
        },
        "sklearn": {"pickled_model": "model.pkl", "serialization_format": "skops"},
    },
    "signature": {"inputs": json.dumps(SIGNATURE)},
    "saved_input_example_info": {"artifact_path": "input_example.json"},
}


def skops(**content: object) -> bytes:
    """A file of skops with one estimator."""
    schema = {
        "_skops_version": "0.16.0",
        "__module__": "sklearn.linear_model",
        "__class__": "Ridge",
        "content": content,
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
    return packed.getvalue()


def files(**changed: bytes) -> dict[str, bytes]:
    """A model of MLflow, whose file has the suffix of a pickle and the content of skops."""
    example = b'{"columns": ["age", "price", "city"], "data": [[41, NaN, "Graz"]]}'
    requirements = b"scikit-learn==1.5.2\nnumpy==1.26.4 ; python_version < '3.12'\nnumpy==2.1.0 ; python_version >= '3.12'\nrich\n"
    version = {"content": json.dumps("1.5.2")}
    return {
        "MLmodel": json.dumps(MLMODEL).encode(),
        "model.pkl": skops(_sklearn_version=version, feature_names_in_={"content": []}),
        "requirements.txt": requirements,
        "input_example.json": example,
        **changed,
    }


def test_a_model_of_mlflow():
    trained = trained_with(files())
    assert trained.lock() == {
        "frameworks": ["skops", "sklearn", "mlflow"],
        "python": "3.12",
        "inputs": {
            "age": {"type": "integer", "nullable": False, "example": 41},
            "price": {"type": "number", "nullable": True},
            "city": {"type": "string", "nullable": False, "example": "Graz"},
        },
        "texts": True,
    }
    packages = dict(line.split("==") for line in trained.packages("sklearn"))
    assert packages["scikit-learn"] == "1.5.2"
    assert packages["numpy"] == "2.1.0"
    assert {"bentoml", "pandas", "skops"} <= packages.keys()
    assert "rich" not in packages


def test_the_context_of_bentoml():
    context = b"context: {framework_versions: {scikit-learn: 1.5.2}, python_version: 3.11.9}"
    trained = trained_with({"model.yaml": context, "saved_model.pkl": pickle.dumps(zipfile.ZipInfo())})
    assert trained.python == "3.11"
    assert "scikit-learn==1.5.2" in trained.packages("sklearn")


@pytest.mark.parametrize(
    ("content", "format_"),
    [
        (b"tree\nversion=v4\nfeature_names=a b\nfeature_infos=[0:1] none\n", "lightgbm"),
        (b'{"learner":{"gradient_booster":{}},"version":[3,2,0]}', "xgboost"),
        (b"{L" + (7).to_bytes(8, "big") + b"learner{L", ""),
        (b"CBM1\0", "catboost"),
        (b"\x08\x09\x12\x08skl2onnx", "onnx"),
        (b"PK\x03\x04", ""),
        (b"\x80\x04", ""),
        (b"\x1f\x8b\x08", ""),
        (zlib.compress(b"\x80\x04."), ""),
        (gzip.compress(b"\x80\x04" + b"\0" * 1000, mtime=0), ""),
        (b"", ""),
        (b"#!/bin/sh\n", ""),
    ],
)
def test_content_decides(content, format_):
    assert facts_of("model.pkl", content).format == format_


class Boom:
    """An object whose pickle runs code when it is loaded."""

    def __reduce__(self):
        return (exec, ("raise SystemExit('loaded')",))


def test_nothing_is_loaded():
    assert facts_of("model.pkl", pickle.dumps(Boom())).format == ""
    assert (
        trained_with(
            {"MLmodel": pickle.dumps(Boom()), "model.yaml": b"[", "m.pkl": pickle.dumps(Boom())}
        ).lock()
        == {}
    )


@pytest.mark.parametrize("end", range(0, 600, 7))
def test_a_file_that_is_cut_off_says_less(end):
    whole = files()
    for name, content in whole.items():
        trained_with({**whole, name: content[:end]})


def test_two_kinds_of_models_in_one_folder_name_none():
    assert (
        trained_with({"a.txt": b"tree\nfeature_names=a\nfeature_infos=none\n", "b.cbm": b"CBM1"}).frameworks
        == ()
    )


def named(*classes: tuple[str, str], text: str = "") -> bytes:
    """A pickle that refers to classes and functions by module and name, and has a text."""

    def said(word: str) -> bytes:
        return b"\x8c" + bytes([len(word)]) + word.encode() + b"\x94"

    references = b"".join(said(module) + said(name) + b"\x93\x94" for module, name in classes)
    return b"\x80\x04" + references + said(text) + b"."


@pytest.mark.parametrize(
    ("classes", "text", "frameworks"),
    [
        ([("__main__", "score")], "", ("custom",)),
        ([("sklearn.pipeline", "Pipeline"), ("__main__", "Shorten")], "", ("custom",)),
        ([("cloudpickle.cloudpickle", "_make_function")], "", ("custom",)),
        ([("sklearn.pipeline", "Pipeline"), ("cloudpickle.cloudpickle", "_make_function")], "", ("sklearn",)),
        ([("sklearn.pipeline", "Pipeline")], "__main__", ("sklearn",)),
        ([("our_models", "Ranker")], "", ()),
    ],
)
def test_a_pickle_of_the_program_that_wrote_it_needs_a_class_of_the_team(
    classes: list[tuple[str, str]], text: str, frameworks: tuple[str, ...]
) -> None:
    assert trained_with({"model.pkl": named(*classes, text=text)}).frameworks == frameworks


def test_a_function_of_the_main_program_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def score(rows: list[float]) -> list[float]:
        return rows

    score.__module__, score.__qualname__ = "__main__", "score"
    monkeypatch.setattr(sys.modules["__main__"], "score", score, raising=False)
    assert trained_with({"model.pkl": pickle.dumps(score, protocol=4)}).frameworks == ("custom",)


ODD = (
    "5",
    "1e400",
    "null",
    "[null]",
    "[[5]]",
    '{"a": {}}',
    '"1\\n--index-url http://evil.example.com"',
    "[" * 200_000,
)


def bento(odd: str) -> bytes:
    """An exported bento whose list of packages is a link."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        head = f"service: x\nimage: {{python_version: {odd[:200]}}}\n".encode()
        file = tarfile.TarInfo("bento.yaml")
        file.size = len(head)
        archive.addfile(file, io.BytesIO(head))
        for name, kind in (("requirements.txt", tarfile.SYMTYPE), ("requirements.lock.txt", tarfile.LNKTYPE)):
            link = tarfile.TarInfo(f"env/python/{name}")
            link.type, link.linkname = kind, "/etc/passwd"
            archive.addfile(link)
    return packed.getvalue()


def keras(odd: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", "")
        archive.writestr("metadata.json", f'{{"keras_version": {odd}}}')
    return packed.getvalue()


def hostile(odd: str) -> dict[str, dict[str, bytes]]:
    """Files of every format with an unexpected value in it."""
    version = {"content": odd}
    learner = f'{{"feature_names": {odd}, "gradient_booster": {{"model": {{"cats": {{"enc": {odd}}}}}}}}}'
    mlmodel = {
        **MLMODEL,
        "signature": {"inputs": odd},
        "saved_input_example_info": {"artifact_path": [1]},
        "flavors": {"python_function": {"python_version": [1], "model_path": {"a": "b"}}},
    }
    return {
        "MLflow": {"MLmodel": json.dumps(mlmodel).encode()},
        "its example": files(**{"input_example.json": odd.encode()}),
        "Transformers": {
            "config.json": f'{{"architectures": {odd}, "transformers_version": {odd}}}'.encode()
        },
        "a configuration": {"config.json": odd.encode()},
        "BentoML": {
            "model.yaml": f"context: {{framework_versions: {{numpy: {odd[:99]}}}}}\n".encode(),
            "m.skops": skops(),
        },
        "a bento": {"m.bento": bento(odd)},
        "skops": {
            "m.skops": skops(_sklearn_version=version, feature_names_in_={"content": [{"content": odd}]})
        },
        "Keras": {"m.keras": keras(odd)},
        "XGBoost": {"m.json": f'{{"learner": {learner}, "version": {odd}}}'.encode()},
        "LightGBM": {
            "m.txt": f"tree\nfeature_names=a\nfeature_infos=1:2\n\npandas_categorical:{odd}\n".encode()
        },
    }


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_no_value_in_a_file_breaks_the_reader_or_gets_into_a_list_of_packages(odd):
    for name, content in hostile(odd).items():
        found = trained_with(content)
        json.dumps(found.lock())
        for framework in found.frameworks or ("sklearn",):
            for line in found.packages(framework):
                assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9.!+]+", line), (name, line)


def test_a_version_that_is_one_is_used_and_any_other_text_is_not():
    good, bad = (
        trained_with({"config.json": json.dumps({"transformers_version": version}).encode()})
        for version in ("4.57.1", "4.57.1\n--index-url http://evil.example.com")
    )
    assert "transformers==4.57.1" in good.packages("transformers")
    assert not [line for line in bad.packages("transformers") if "4.57.1" in line]


def test_a_column_whose_name_is_not_printable_is_not_locked():
    named = [{**SIGNATURE[0], "name": "age\nsex"}]
    assert "inputs" in trained_with(files()).lock()
    hostile = {**MLMODEL, "signature": {"inputs": json.dumps(named)}}
    assert "inputs" not in trained_with(files(MLmodel=json.dumps(hostile).encode())).lock()


def test_a_number_in_a_few_bytes_makes_no_endless_list():
    for constant in b"TFZ":
        start = b"{L" + (7).to_bytes(8) + b"learner"
        assert trained_with({"m.ubj": start + b"[$%c#L" % constant + b"\x7f" + b"\xff" * 7}).frameworks == ()


def test_an_old_pickle_names_its_classes_and_costs_its_size():
    def cost(size):
        start = time.process_time()
        assert facts_of("m.pkl", b"\x80\x02" + b"ca" * (size // 2)).format == ""
        return time.process_time() - start

    assert facts_of("m.pkl", b"\x80\x02q\x01csklearn.linear_model\nRidge\nq\x02.").format == "sklearn"
    assert facts_of("m.pkl", b"\x80\x02csklearn.linear_model\nRidge x\nq\x02.").format == ""
    few, many = (min(cost(size) for _ in range(3)) for size in (200_000, 1_600_000))
    assert many < 24 * max(few, 0.001)
