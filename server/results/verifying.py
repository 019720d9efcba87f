"""Checking a release document from its file alone: signature, then everything the document can show by itself."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from analysis.document import canonical, verify_document
from surveys.public.questionnaires import questionnaire_of
from surveys.public.signing import is_signed
from surveys.public.waves import WaveRecord


def read_json(text: str) -> Any:
    """What somebody gave as JSON.

    Raises
    ------
    ValueError
        If it is none, or a name stands twice in an object: one value would be read, the other checked.
    RecursionError
    """
    return json.loads(text, object_pairs_hook=_each_once)


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def frozen_of(wave: WaveRecord) -> dict[str, Any]:
    """What was frozen when a wave of ours opened, as its page gives it out: whoever keeps it can hold a later release against it."""
    questionnaire = questionnaire_of(wave)
    return {
        "wave": wave.id,
        "opened": str(wave.opened),
        "k": dict(wave.rules["k"]),
        "plan": dict(wave.plan),
        "headcounts": dict(wave.headcount_bands),
        "questionnaire": {"id": questionnaire.id, "version": questionnaire.version, "sha256": questionnaire.sha256()},
    }


def verify(document: Mapping[str, Any], expected_key: str = "", frozen: Mapping[str, Any] | None = None) -> list[str]:
    """List what is wrong with a document; empty if nothing is.

    `expected_key` is the installation's public key as published; without it the document's own key is only compared
    with its signature. `frozen` is what the wave's page gave out as its plan after opening.
    """
    problems = []
    key, signature = str(document.get("key", "")), str(document.get("signature", ""))
    unsigned = {name: part for name, part in document.items() if name != "signature"}
    if not is_signed(key, canonical(unsigned), signature):
        problems.append("the signature is not of this document")
    if expected_key and key != expected_key:
        problems.append("the key is not the installation's")
    if frozen is not None:
        problems += _other_than_frozen(document, frozen)
    return problems + verify_document({name: part for name, part in unsigned.items() if name != "key"})


def _other_than_frozen(document: Mapping[str, Any], frozen: Mapping[str, Any]) -> list[str]:
    """What differs from the plan that was frozen at opening: groups, headcounts, questions; thresholds may only rise."""
    plan, rules = document["plan"], document["rules"]
    problems = [
        f"the {part} of the plan is not as it was when the wave opened"
        for part in ("dimensions", "views")
        if plan[part] != frozen["plan"][part]
    ]
    if plan["headcounts"] != frozen["headcounts"]:
        problems.append("the headcounts are not as they were when the wave opened")
    if dict(document["questionnaire"]) != dict(frozen["questionnaire"]) or document["wave"]["id"] != frozen["wave"]:
        problems.append("the document is of another wave or questionnaire")
    if "opened" in frozen and frozen["opened"] != document["wave"]["opened"]:
        problems.append("the document says another day of opening than its plan")
    problems += [
        f"the smallest group for {family} was lowered"
        for family, k in frozen["k"].items()
        if rules["k"].get(family, 0) < k
    ]
    return problems
