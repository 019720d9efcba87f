"""A real browser for the tests."""

import shutil

WITHOUT = (
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable",
    "LensOverlay",
    "MediaRouter",
    "PaintHolding",
    "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "TcpPortRandomizationWin",
    "OptimizationHints",
    "NetworkTimeServiceQuerying",
    "AimEnabled",
    "PreconnectToSearch",
    "WebUIOmniboxPopup",
    "WebUIOmniboxFullPopup",
    "WebUIOmniboxAimPopup",
)
"""What Playwright switches off, whose list this one takes the place of; and the address bar's suggestions, which Chromium
keeps ready as pages of their own beside each window: more work than most of our pages are."""
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    f"--disable-features={','.join(WITHOUT)}",
]


def chromium() -> str:
    """The system's Chromium; `make test` installs it."""
    return _first("chromium", "chromium-browser", "google-chrome")


def without_windows() -> str:
    """The same browser built without windows, which starts and draws in four fifths of the time; Chromium where there is none."""
    return _first("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def _first(*names: str) -> str:
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        raise RuntimeError("Chromium is missing: scripts/system-packages installs it")
    return found
