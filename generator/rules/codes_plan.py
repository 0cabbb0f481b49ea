"""Codes of `plan`, which may not import the engine: references between files, and locks."""

from __future__ import annotations

from typing import Final

from generator.lint.engine import Code, declare

_PIN: Final = "Run `sluice pin` and commit the lock."

declare(
    Code(
        "REF201",
        "error",
        "the team is unknown",
        "A team's namespace, quota and tiers are declared in the platform file.",
        "Correct the name, or ask the platform team to add the team.",
        example="# specs/search/ranker.yaml\nmetadata: {team: search}",
        instead="""
# specs/platform.yaml
spec: {teams: {search: {owners: [search@example.com], tiers: [standard]}}}
# specs/search/ranker.yaml
metadata: {team: search}
""",
    ),
    Code(
        "REF202",
        "error",
        "the tier is unknown",
        "Defaults and ceilings of a model come from its tier.",
        "Correct the name; the message lists the tiers.",
        example="spec: {tier: regulated}",
        instead="spec: {tier: standard}",
    ),
    Code(
        "REF203",
        "error",
        "the team may not use the tier",
        "The platform decides which classes of models a team releases.",
        "Use one of the team's tiers, or ask the platform team.",
        example="""
# specs/platform.yaml
spec:
  tiers: {regulated: {requires: {noData: [fail]}}}
  teams: {shop: {tiers: [standard]}}
# specs/shop/ranker.yaml
spec: {tier: regulated}
""",
        instead="""
# specs/platform.yaml
spec:
  tiers: {regulated: {requires: {noData: [fail, pause]}}}
  teams: {shop: {tiers: [standard, regulated]}}
# specs/shop/ranker.yaml
spec: {tier: standard}
""",
    ),
    Code(
        "REF204",
        "error",
        "a guard watches an outcome that is not declared",
        "The service counts only declared outcomes, so the guard has no data.",
        "Declare it under `outcomes`, or correct the name.",
        example="spec: {rollout: {guards: [{outcome: ctrr, detect: {drop: 10%}}]}}",
        instead="spec: {rollout: {guards: [{outcome: ctr, detect: {drop: 10%}}]}}",
    ),
    Code(
        "REF205",
        "error",
        "a sensitive attribute has no declared values",
        "Only declared values form groups; every other value counts as `other`.",
        "List its values under `service.attributes`, or in the platform's `attributes`.",
        example="spec: {rollout: {guards: [{fairness: demographic-parity-difference, sensitive: [age], atMost: 0.1}]}}",
        instead="""
spec:
  service: {attributes: {age: [young, old]}}
  rollout: {guards: [{fairness: demographic-parity-difference, sensitive: [age, gender], atMost: 0.1}]}
""",
    ),
    Code(
        "REF216",
        "error",
        "groups are compared, and `service.positive` is missing",
        "The service counts a prediction as positive if it is in this list. With a list that never matches, no group "
        "has positive predictions, and an unfair model looks fair.",
        "List the predictions that are in favor of a person, in the type that the model answers with.",
        example="spec: {service: {attributes: {age: [young, old]}, positive: []}}",
        instead='spec: {service: {attributes: {age: [young, old]}, positive: ["yes"]}}',
    ),
    Code(
        "REF217",
        "error",
        "the data of a gate names no engine that can read it",
        "Tables and queries are in an engine that the platform declares, with its address in a Secret. Files are read "
        "by the gate itself.",
        "Name an engine of `gates.engines` in platform.yaml, next to `table` or `query` only.",
        example="""
# specs/shop/ranker.yaml
spec:
  gates: [{name: drift, drift: {reference: a.csv, current: {table: seen, engine: lake}, features: [x, y]}}]
# specs/shop/ranker.lock.yaml
data:
  a.csv: {digest: "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", resolved: a.csv}
  "table:seen@lake":
    digest: "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    resolved: "table:seen@lake"
""",
        instead="""
# specs/platform.yaml
spec: {gates: {engines: {lake: trino}}}
# specs/shop/ranker.yaml
spec:
  gates: [{name: drift, drift: {reference: a.csv, current: {table: seen, engine: lake}, features: [x, y]}}]
# specs/shop/ranker.lock.yaml
data:
  a.csv: {digest: "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", resolved: a.csv}
  "table:seen@lake":
    digest: "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    resolved: "table:seen@lake"
""",
    ),
    Code(
        "REF206",
        "error",
        "an address has no digest",
        "The bytes at an address can change after the review.",
        "Add `sha256:` with the digest that the producer published.",
        example='spec: {model: {ref: "https://models.example.com/ranker.onnx", framework: onnx}}',
        instead="""
# specs/shop/ranker.yaml
spec:
  model:
    ref: "https://models.example.com/ranker.onnx"
    sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    framework: onnx
# specs/shop/ranker.lock.yaml
model:
  ref: "https://models.example.com/ranker.onnx"
  resolved: "https://models.example.com/ranker.onnx#sha256=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
  version: aaaaaaaaaaaa
""",
    ),
    Code(
        "REF207",
        "error",
        "`load` or `endpoints` and the framework do not fit",
        "A custom model names the class that loads it, a bento of the team its service and its routes, and no other "
        "model does. The modules of rendered services keep their names.",
        "Add `load: module:Class` and `endpoints`, rename the module, or remove the key.",
        example='spec: {model: {framework: sklearn, load: "ranker:Model"}}',
        instead="spec: {model: {framework: sklearn}}",
    ),
    Code(
        "REF208",
        "error",
        "a reference to a model has no version",
        "A name alone means the newest version on some machine, and MLflow has no stages any more.",
        "Write bentoml:name:version, mlflow:name/version or mlflow:name@alias.",
        example='spec: {model: {ref: "bentoml:ranker"}}',
        instead='spec: {model: {ref: "bentoml:ranker:7"}}',
    ),
    Code(
        "REF209",
        "error",
        "an override is for an unknown environment",
        "It would have no effect.",
        "Correct the name; the message lists the environments.",
        example="spec: {environments: {prod: {replicas: 4}}}",
        instead="spec: {environments: {production: {replicas: 4}}}",
    ),
    Code(
        "REF210",
        "error",
        "a file under `specs/` is not read",
        "A spec is in its team's folder and ends in `.yaml`, with its lock and evidence next to it. Any other file "
        "looks like a model that is released, and is not.",
        "Move, rename or remove it.",
        example="$ cp specs/shop/ranker.yaml specs/ranker.yaml",
    ),
    Code(
        "REF211",
        "error",
        "an environment overrides what must be the same everywhere",
        "The tier and the model reference must be the same in all environments.",
        "Move the value out of the environment, or create another model.",
        example="spec: {environments: {production: {tier: standard}}}",
        instead="spec: {tier: standard}",
    ),
    Code(
        "REF212",
        "error",
        "`metadata` does not match the path of the file",
        "The folder is named after the team and the file after the model, so that a path identifies both.",
        "Correct `metadata`, or move the file.",
        example="metadata: {name: sorter}",
        instead="metadata: {name: ranker}",
    ),
    Code(
        "REF215",
        "error",
        "an expectation suite is not a regular file of the repository",
        "A suite is part of a gate's configuration. A link can lead to any file of the machine that reads it, and a "
        "device or a very large file stops every command.",
        "Put the suite itself into the repository.",
        example="""
# specs/shop/ranker.yaml
spec: {gates: [{name: schema, data: {current: a.csv, suite: expectations/rows.json}}]}
# specs/shop/ranker.lock.yaml
data:
  a.csv:
    digest: sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    resolved: "a.csv#sha256=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
$ mkdir expectations
$ ln -s /etc/hostname expectations/rows.json
$ sluice validate
""",
    ),
    Code(
        "LOCK201",
        "error",
        "a reference is not locked",
        "A movable reference means other bytes tomorrow; what was reviewed must be what is released.",
        _PIN,
        example="$ rm specs/shop/ranker.lock.yaml",
    ),
    Code(
        "LOCK211",
        "error",
        "a list of packages contains something other than packages with hashes",
        "The list decides what the image contains. An option or an address in it would let an index decide.",
        "Run `sluice pin --packages`, which writes the file.",
        example="""
# specs/shop/ranker.requirements.txt
--find-links wheels
numpy==2.4.6
""",
    ),
    Code(
        "LOCK212",
        "error",
        "the list of packages was made for another service",
        "The spec names other packages or another Python than the list has: the image would differ from the spec.",
        "Run `sluice pin --packages`, and review the changes.",
        example="""
# specs/shop/ranker.requirements.txt
# All packages of the service, for Python 3.13 on Linux (x86_64), with the hashes of their files.
bentoml==1.4.39 --hash=sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
""",
    ),
    Code(
        "LOCK213",
        "error",
        "a calibration was edited by hand, or belongs to another model",
        "`plan` shows what the file says about the past next to what the guards promise; a number that was not "
        "measured would be taken for evidence.",
        "Run `sluice calibrate`, or remove the file.",
        example="""
# specs/shop/ranker.calibration.yaml
schema: sluice/calibration/v1
model: shop/ranker
environment: production
start: "2026-10-01T00:00:00Z"
end: "2026-10-31T00:00:00Z"
off_peak_rps: 5000
digest: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
""",
    ),
    Code(
        "LOCK202",
        "error",
        "the lock was made for another reference",
        "The spec was changed and the lock was not: it still has the old model.",
        _PIN,
        example="""
# specs/shop/ranker.yaml
spec: {model: {ref: "bentoml:ranker:8"}}
# specs/shop/ranker.lock.yaml
model: {ref: "bentoml:ranker:7"}
""",
        instead="""
# specs/shop/ranker.yaml
spec: {model: {ref: "bentoml:ranker:8"}}
# specs/shop/ranker.lock.yaml
model: {ref: "bentoml:ranker:8", resolved: "bentoml:ranker:8", version: "8"}
""",
    ),
    Code(
        "LOCK203",
        "error",
        "the digests of the lock and of the spec differ",
        "One of the two names other bytes.",
        "Run `sluice pin`; if they still differ, ask the producer which digest is right.",
        example="""
# specs/shop/ranker.yaml
spec:
  model:
    ref: "https://models.example.com/ranker.onnx"
    sha256: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
    framework: onnx
# specs/shop/ranker.lock.yaml
model: {ref: "https://models.example.com/ranker.onnx"}
""",
    ),
    Code(
        "LOCK204",
        "error",
        "a data set is not locked",
        "Evidence is valid for one data set only: without a digest it can't be known for which.",
        _PIN,
        example="""
spec:
  gates: [{name: drift, drift: {reference: a.csv, current: b.csv, features: [x]}, tool: ks, atMost: 0.1}]
""",
        instead="""
# specs/shop/ranker.yaml
spec:
  gates: [{name: drift, drift: {reference: a.csv, current: b.csv, features: [x]}, tool: ks, atMost: 0.1}]
# specs/shop/ranker.lock.yaml
data:
  a.csv: {digest: "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", resolved: a.csv}
  b.csv: {digest: "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", resolved: b.csv}
""",
    ),
    Code(
        "LOCK205",
        "error",
        "a lock resolves a reference to something else, or to something that can move",
        "CI fetches what `resolved` names: another model, another server, an option of a program, or a branch that "
        "means other bytes tomorrow.",
        "Run `sluice pin`, which writes the scheme, server and name of the reference with a version that can't change.",
        example="""
# specs/shop/ranker.lock.yaml
model: {resolved: "bentoml:other:7"}
""",
        instead="""
# specs/shop/ranker.lock.yaml
model: {resolved: "bentoml:ranker:7"}
""",
    ),
)
