"""`make bench`: every figure beside its bar. Arguments choose parts: phone answers blind spend rates concerns release
sizes audit coverage nulls suppression tables start stir strangers crashes simulator backups machines."""

import asyncio
import sys
import tempfile
from pathlib import Path

from tests.benchmarks import (
    answers,
    audits,
    backups,
    beliefs,
    blind,
    concerns,
    corpus,
    coverage,
    crashes,
    machines,
    nulls,
    phone,
    rates,
    releases,
    simulator,
    sizes,
    spending,
    starting,
    stirring,
    strangers,
    suppression,
    tables,
)

PARTS = {
    "phone": phone.measure,
    "answers": answers.measure,
    "blind": blind.measure,
    "spend": spending.measure,
    "rates": rates.measure,
    "concerns": concerns.measure,
    "release": releases.measure,
    "sizes": sizes.measure,
    "audit": audits.measure,
    "corpus": corpus.measure,
    "belief": beliefs.measure,
    "coverage": coverage.measure,
    "nulls": nulls.measure,
    "suppression": suppression.measure,
    "tables": tables.measure,
    "start": starting.measure,
    "stir": stirring.measure,
    "strangers": strangers.measure,
    "crashes": crashes.measure,
    "simulator": simulator.measure,
    "backups": backups.measure,
    "machines": machines.measure,
}


def main() -> None:
    chosen = sys.argv[1:] or list(PARTS)
    if unknown := [part for part in chosen if part not in PARTS]:
        sys.exit(f"no such part: {', '.join(unknown)}. There are: {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory(prefix="ascolto-bench-") as folder:
        for part in chosen:
            print(f"\n{part}", flush=True)
            for what, figure, bar in asyncio.run(PARTS[part](Path(folder) / part)):
                print(f"  {what:<66}{figure:>22}   {bar}", flush=True)


main()
