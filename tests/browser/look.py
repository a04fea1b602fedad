"""Take pictures of a report in a real browser, and tell what it asked of the network and wrote to the console.

python -m tests.browser.look results/report.html FOLDER
"""

import base64
import sys
from pathlib import Path

from tests.browser.chromium import Browser

VIEWS = (
    ("desk-light", 1280, False),
    ("desk-dark", 1280, True),
    ("phone-light", 390, False),
    ("phone-dark", 390, True),
)


def main(report: Path, folder: Path) -> int:
    """Pictures of the whole page in slices, for each view; 1 where the page was not quiet."""
    folder.mkdir(parents=True, exist_ok=True)
    with Browser() as browser:
        for name, width, dark in VIEWS:
            browser.look(width, dark=dark, scale=1 if width > 600 else 2)
            browser.open(report)
            height = browser.value("document.documentElement.scrollHeight")
            for number, top in enumerate(range(0, height, 1500)):
                clip = {"x": 0, "y": top, "width": width, "height": min(1500, height - top), "scale": 1}
                told = browser.ask(
                    "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip
                )
                (folder / f"{name}-{number}.png").write_bytes(base64.b64decode(told["data"]))
        others = [address for address in browser.requests() if address != report.resolve().as_uri()]
        complaints = browser.complaints()
    print(f"pictures in {folder}; other requests: {others or 'none'}; console: {complaints or 'quiet'}")
    return 1 if others or complaints else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
