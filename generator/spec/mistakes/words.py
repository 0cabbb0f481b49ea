"""Words of other tools for the words of the spec language."""

from __future__ import annotations

from typing import Final

_WORDS: Final = {
    "sklearn": "scikit scikit-learn sk-learn sk skl scikit-learn-1 joblib pickle sklearn-pipeline",
    "xgboost": "xgb xg-boost xgbclassifier",
    "lightgbm": "lgbm lgb light-gbm lightgbm-sklearn",
    "onnx": "onnxruntime onnx-runtime ort",
    "mlflow": "pyfunc mlflow-pyfunc mlflow-model",
    "custom": ("python bentoml tensorflow tf spark prophet triton other own"),
    "pytorch": "torch torchscript pt2 libtorch",
    "transformers": "huggingface hf hugging-face",
    "canary": (
        "progressive gradual rolling rolling-update rollingupdate rolling-canary "
        "incremental linear ab-test a/b-test ab a/b "
        "canary-release weighted traffic-split shift rollout"
    ),
    "blue-green": (
        "bluegreen blue/green bg b/g red-black redblack switch recreate none off direct replace instant all-at-once "
        "big-bang immediate"
    ),
    "hpa": "horizontal horizontalpodautoscaler cpu kubernetes",
    "keda": "scaledobject rps requests",
    "error-rate": (
        "errors errorrate error failures failure-rate http-errors 5xx error-ratio success-rate "
        "request-success-rate availability errors-rate error-percentage"
    ),
    "slow-rate": (
        "latency p50 p90 p95 p99 p999 duration response-time request-duration slow slowness latency-p99 "
        "latency-p95 p99-latency p95-latency slo tail-latency"
    ),
    "champion": "production prod baseline stable current previous live incumbent latest",
    "fail": "abort error rollback stop failure reject block",
    "pause": "wait hold inconclusive ask manual human",
    "pass": "ignore success continue ok succeed skip go-on proceed",
    "higher": "up increase more max maximize maximise high greater asc rise true",
    "lower": "down decrease less min minimize minimise low smaller desc drop false",
    "string": "str text varchar char category categorical enum enumeration choice object date datetime uuid",
    "number": "float double decimal float16 float32 float64 numeric real numerical",
    "integer": "int int8 int16 int32 int64 uint8 uint16 uint32 uint64 long bigint count",
    "boolean": "bool flag bit true/false",
    "demographic-parity-difference": "demographic-parity dpd parity statistical-parity statistical-parity-difference",
    "equalised-odds-difference": "equalized-odds-difference equalised-odds equalized-odds eod odds",
    "demographic-parity-ratio": "disparate-impact dpr four-fifths impact-ratio disparate-impact-ratio",
    "ks": "two-sample ks2 kolmogorow kolmogorov kolmogorov-smirnov ks-test kstest scipy ks-2samp ks2samp ks-2-sample",
    "chi2": "chi-square chi-squared chisquare chi",
    "psi": "population-stability stability-index population-stability-index stability",
    "alibi-detect": "alibi alibidetect",
    "great-expectations": "gx ge greatexpectations expectations",
    "shap": "shapley treeshap",
    "gateway-api": "gateway gatewayapi httproute k8s-gateway gateways",
    "ratio": "rate share proportion binary conversion percentage probability",
    "tests": "unit-test pytests test unit-tests junit pytest",
    "metric": "metrics quality accuracy",
    "data": "data-validation validation dataset expectation great-expectations gx data-quality expectations",
    "explain": "explainer explanation explanations explainability-check shapley lime explainability shap attribution",
    "fairness": "equity bias-check fair-learn parity bias fairlearn equality disparity",
    "drift": "data-drift-check datadrift distribution-shift data-drift psi ks shift",
    "git": "repository repo",
    "cluster": "kubernetes argo workflow",
    "deny": "enforce block refuse strict",
    "warn": "audit warning report",
    "none": "off disabled no",
}
WORDS: Final[dict[str, frozenset[str]]] = {ours: frozenset(theirs.split()) for ours, theirs in _WORDS.items()}
"""Other tools' words for each word of the spec language, in lower case with dashes."""

_SHADOW: Final = ("canary", "with `shadow: {hold: 24h}`: copies of requests come before its first step")
INSTEAD: Final = {
    "shadow": _SHADOW,
    "mirror": _SHADOW,
    "dark-launch": _SHADOW,
    "evidently": ("ks", "Evidently's test of numeric columns"),
    "evidently-ai": ("ks", "Evidently's test of numeric columns"),
    "nannyml": ("ks", "NannyML's test of continuous columns"),
    "whylogs": ("psi", "the stability index"),
    "deepchecks": ("psi", "the stability index"),
    "wasserstein": ("ks", "a test of numeric columns"),
    "jensen-shannon": ("psi", "the stability index"),
    "js": ("psi", "the stability index"),
    "kl": ("psi", "the stability index"),
    "aif360": ("fairlearn", "it computes the same measures"),
    "lime": ("shap", "attributions of SHAP"),
    "captum": ("shap", "attributions of SHAP"),
    "pandera": ("great-expectations", "the suites of Great Expectations"),
    "soda": ("great-expectations", "the suites of Great Expectations"),
    "deequ": ("great-expectations", "the suites of Great Expectations"),
    "tfdv": ("great-expectations", "the suites of Great Expectations"),
    "dbt": ("great-expectations", "the suites of Great Expectations"),
}
"""Programs without support here: our word for what is closest, and what that is."""

NEEDS: Final = {"custom": " and the class that loads the model: `load: module:Class`"}
"""The keys that a word needs next to it."""
