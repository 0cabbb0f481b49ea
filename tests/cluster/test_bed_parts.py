"""The parts of the test bed that need no cluster."""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from generator.routers import ROUTERS
from tests.cluster import bed, dns_standin, image, phases, programs, targets_standin
from tests.cluster.load import Answer, Load
from tests.cluster.measures import Split, fair, holds, splits
from tests.cluster.processes import Processes
from tests.cluster.waiting import TooLateError, until
from tests.cluster.watch import Moment, Watch


def moment(at: float, weight: int) -> Moment:
    return Moment(at, weight, "Paused", "", 1, False, (), ())


def test_archive_holds_a_shared_layer_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    low = image.layer_of_files(tmp_path / "low.tar", {"etc/file": tmp_path / "file"})
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inner").write_text("x")
    high = image.layer_of_folder(tmp_path / "high.tar", tmp_path / "folder", "home/model", 1034)
    images = [image.Image("r/a:1", (low,)), image.Image("r/b:1", (low, high), {"User": "1034"}, {"A": "1"})]
    with tarfile.open(image.archive(tmp_path / "images.tar", images)) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar.getmembers()}  # type: ignore[union-attr]
    manifest = json.loads(files["manifest.json"])
    assert [entry["RepoTags"] for entry in manifest] == [["r/a:1"], ["r/b:1"]]
    assert sum(name.endswith(".tar") for name in files) == 2
    for entry in manifest:
        config = json.loads(files[entry["Config"]])
        stored = [hashlib.sha256(files[layer]).hexdigest() for layer in entry["Layers"]]
        assert config["rootfs"]["diff_ids"] == [f"sha256:{digest}" for digest in stored]
    with tarfile.open(high) as tar:
        owners = {member.name: member.uid for member in tar.getmembers()}
    assert owners == {"home": 0, "home/model": 1034, "home/model/inner": 1034}


def test_layers_do_not_depend_on_time(tmp_path: Path) -> None:
    made = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "file").write_text("same")
        made.append(image.layer_of_folder(tmp_path / f"{number}.tar", folder, "app").read_bytes())
    assert made[0] == made[1]


_QUERY = (
    bytes.fromhex("abcd01000001000000000000")
    + b"\x03web\x04team\x03svc\x07cluster\x05local\x00\x00\x01\x00\x01"
)


@pytest.mark.parametrize(("service", "code", "answers"), [({"clusterIP": "10.215.3.4"}, 0, 1), (None, 3, 0)])
def test_dns_answers_services_and_nothing_else(
    service: dict[str, str] | None, code: int, answers: int
) -> None:
    asked = []

    def find(path: str) -> dict[str, object] | None:
        asked.append(path)
        return {"spec": service} if service else None

    reply = dns_standin.reply(_QUERY, SimpleNamespace(find=find))  # type: ignore[arg-type]
    assert asked == ["/api/v1/namespaces/team/services/web"]
    assert reply[:2] == b"\xab\xcd"
    assert reply[3] & 0xF == code
    assert int.from_bytes(reply[6:8], "big") == answers
    assert not answers or reply.endswith(bytes([10, 215, 3, 4]))


def test_targets_are_the_named_ports_of_selected_pods() -> None:
    def pod(name: str, label: str) -> dict[str, object]:
        container = {
            "name": "model",
            "ports": [{"name": "http", "containerPort": 3000}, {"containerPort": 1}],
        }
        metadata = {"namespace": "team", "name": name, "labels": {"a.b/c": label}}
        return {"metadata": metadata, "spec": {"containers": [container]}, "status": {"podIP": "10.0.0.1"}}

    selector = {"matchLabels": {"a.b/c": "yes"}}
    spec = {"selector": selector, "podMetricsEndpoints": [{"port": "http"}]}
    monitor = {"metadata": {"namespace": "team"}, "spec": spec}
    lists = {"pods": [pod("one", "yes"), pod("two", "no")], "podmonitors": [monitor]}
    api = SimpleNamespace(items=lambda path: lists["podmonitors" if "podmonitors" in path else "pods"])
    found = targets_standin.targets(api)  # type: ignore[arg-type]
    assert [(target["targets"], target["labels"]["pod"]) for target in found] == [(["10.0.0.1:3000"], "one")]
    assert found[0]["labels"]["__meta_kubernetes_pod_label_a_b_c"] == "yes"


def test_split_leaves_out_what_is_near_a_change() -> None:
    watch = Watch(SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]
    watch.moments = [moment(0, 0), moment(10, 5), moment(30, 5), moment(31, 0), moment(40, 0)]
    load = Load("host", 1, {})
    load.answers = [Answer(10.5, "new")] + [
        Answer(13 + i / 20, "new" if i == 7 else "old") for i in range(200)
    ]
    (split,) = splits(watch, load, "new")
    assert (split.weight, split.requests, split.canary) == (5, 200, 1)
    assert split.errors == pytest.approx((10 - 1) / (200 * 0.05 * 0.95) ** 0.5)
    del load.answers[-1]
    assert not splits(watch, load, "new")  # too few to say
    assert not splits(watch, Load("host", 1, {}, answers=[*load.answers] * 2), "new", after=10.5)


@pytest.mark.parametrize(
    ("canaries", "expected"), [((50, 50), True), ((75, 50), True), ((75, 75), False), ((85, 50), False)]
)
def test_one_share_of_many_may_be_unlucky(canaries: tuple[int, int], expected: bool) -> None:
    """At 50 of 1,000 a standard error is 6.9 requests: 75 is 3.6 of them off, 85 is 5.1."""
    assert fair([Split(5, 1000, canary) for canary in canaries]) is expected
    assert not fair([])


def test_holds_are_those_of_the_weights_in_order() -> None:
    watch = Watch(SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]
    watch.moments = [
        moment(at, weight) for at, weight in [(0, 0), (10, 5), (29, 5), (30, 50), (44, 50), (45, 100)]
    ]
    assert holds(watch, [5, 50]) == [19, 14]
    with pytest.raises(AssertionError):
        holds(watch, [5, 25, 50])


_STABLE, _CANARY = {"name": "ranker-stable", "weight": 75}, {"name": "ranker-canary", "weight": 25}
_HOSTS = [{"destination": {"host": one["name"]}, "weight": one["weight"]} for one in (_STABLE, _CANARY)]
_COHORT = {"name": "cohort", "route": [{"destination": {"host": "ranker-canary"}, "weight": 100}]}


@pytest.mark.parametrize(
    ("router", "kind", "spec"),
    [
        ("gateway-api", "httproutes", {"rules": [{"backendRefs": [_STABLE, _CANARY]}]}),
        ("istio", "virtualservices", {"http": [_COHORT, {"name": "predict", "route": _HOSTS}]}),
        ("traefik", "traefikservices", {"weighted": {"services": [_STABLE, _CANARY]}}),
    ],
)
def test_the_weight_is_read_from_the_object_of_the_router(router: str, kind: str, spec: object) -> None:
    identity = SimpleNamespace(model="ranker", namespace="shop-live")
    plan = SimpleNamespace(routing=SimpleNamespace(router=ROUTERS[router]), identity=identity)
    api = SimpleNamespace(
        address=lambda of: f"{of['kind'].lower()}s/{of['metadata']['name']}",
        find=lambda path: {"spec": spec} if path == f"{kind}/ranker" else None,
        items=lambda _: [],
    )
    assert Watch(api, plan).look().weight == 25  # type: ignore[arg-type]


def test_without_root_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(SystemExit, match="needs root on Debian Linux"):
        bed.main(["test"])


def test_an_unknown_scenario_is_told_with_the_known_ones() -> None:
    for number in ("99", "x"):
        with pytest.raises(SystemExit, match=f"no scenario {number}; there are 0, .*, 11"):
            bed.main(["test", number])


@pytest.mark.parametrize("number", range(1, 15))
def test_each_scenario_of_the_table_can_be_run_alone(number: int) -> None:
    files = bed.scenario_files(str(number))
    assert files
    assert all(f"{number:02}" in file.stem.split("_") for file in files)
    assert bed.scenario_files(f"{number:02}") == files


def test_a_file_of_two_scenarios_is_run_once(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(bed, "_up", lambda _, command: started.append(command) or 0)
    assert bed.main(["test", "1", "13", "2"]) == 0
    [[*_, first, second]] = started
    assert [Path(file).name.split("_")[1] for file in (first, second)] == ["13", "02"]
    assert len(started[0]) == 5


def test_the_official_plugin_replaces_the_stand_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    official = tmp_path / "plugin"
    monkeypatch.setenv("SLUICE_GATEWAY_PLUGIN", str(official))
    with pytest.raises(SystemExit, match="not a program"):
        programs.gateway_plugin()
    official.touch(mode=0o755)
    assert programs.gateway_plugin() == official


def test_waiting_ends() -> None:
    answers = iter([None, "", "there"])
    assert until("it", lambda: next(answers), 5, 0) == "there"
    with pytest.raises(TooLateError, match="it did not come within 0 s"):
        until("it", lambda: False, 0, 0)


def test_each_scenario_runs_once_and_none_that_measures_with_one_that_disturbs() -> None:
    files = sorted(str(file) for file in bed.SCENARIOS.glob("scenario_*.py"))
    found = phases.rounds(files)
    assert sorted(file for queues in found for queue in queues for file in queue.files) == files
    (first, _), (together,), (counting,), (disturbing, quiet) = found
    assert [Path(file).stem for file in first.files] == ["scenario_13_01_everything_at_once"]
    assert together.workers == 2
    assert [Path(file).stem for file in counting.files] == ["scenario_08_commits_in_mid_canary"]
    assert len(disturbing.files) == 3
    for file in quiet.files:
        assert "guards" not in Path(file).read_text(), f"{file} may ask Prometheus"


def test_each_environment_is_of_one_scenario() -> None:
    """Argo CD is still taking away the first one's Application when the second one begins."""
    owner: dict[str, str] = {}
    for file in sorted(bed.SCENARIOS.glob("scenario_*.py")):
        for name in set(re.findall(r'"(s\d+[a-z]?)"', file.read_text())):
            assert owner.setdefault(name, file.name) == file.name, name
    assert len(owner) > 12


def test_what_a_stopped_process_leaves_behind_is_stopped_with_it(tmp_path: Path) -> None:
    """A plugin that outlives its controller keeps the next one from writing the plugin's file."""
    processes, left = Processes(tmp_path / "processes"), tmp_path / "left"
    processes.start("parent", ["bash", "-c", f"sleep 1000 & echo $! > {left}; trap 'exit' TERM; wait"])
    until("the child", lambda: left.exists() and left.read_text().strip(), 20)
    processes.stop("parent")
    child = Path("/proc", left.read_text().strip(), "stat")
    assert not child.exists() or child.read_text().rpartition(") ")[2][0] == "Z"
