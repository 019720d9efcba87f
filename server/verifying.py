"""Checking a release document from its file alone: signature, then everything the document can show by itself."""

from collections.abc import Mapping
from typing import Any

from analysis.document import canonical, verify_document
from surveys.public.signing import is_signed


def verify(document: Mapping[str, Any], expected_key: str = "") -> list[str]:
    """List what is wrong with a document; empty if nothing is.

    `expected_key` is the installation's public key as published; without it the document's own key is only compared
    with its signature.
    """
    problems = []
    key, signature = str(document.get("key", "")), str(document.get("signature", ""))
    unsigned = {name: part for name, part in document.items() if name != "signature"}
    if not is_signed(key, canonical(unsigned), signature):
        problems.append("the signature is not of this document")
    if expected_key and key != expected_key:
        problems.append("the key is not the installation's")
    return problems + verify_document({name: part for name, part in unsigned.items() if name != "key"})
