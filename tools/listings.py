"""Make `onward/destinations/listings.json`: facts from the data of Segment's documentation.

    python tools/listings.py FOLDER

FOLDER is `src/_data/catalog` of a checkout of github.com/segmentio/segment-docs (CC BY 4.0). Only facts are
taken: no descriptions, settings or mappings. `listings_more.yml` beside this file has what that data lacks.
"""

import json
import sys
from pathlib import Path
from typing import Any

import yaml

OUT = Path(__file__).parent.parent / "onward/destinations/listings.json"
MORE = Path(__file__).parent / "listings_more.yml"
SOURCE = "github.com/segmentio/segment-docs, src/_data/catalog/destinations.yml and overrides.yml, CC BY 4.0"

METHODS = ("track", "identify", "page", "screen", "group", "alias")
PLATFORMS = {"browser": "web", "mobile": "mobile", "server": "server", "warehouse": "warehouse"}
NO_WEBSITE = ("http://www.segment.com", "https://www.segment.com")
"""What the data has where nobody gave one."""
DEVICES = ("web", "mobile", "server")

Json = dict[str, Any]


def listing(entry: Json, patch: Json) -> Json:
    """One line of the file. What has the value that most have is left out (`listings.Facts`)."""
    modes = patch.get("connection_modes", entry["connection_modes"])
    cloud = [name for name in DEVICES if modes["cloud"][name]]
    device = [name for name in DEVICES if modes["device"][name]]
    if not device and entry["actions"] and all(each["platform"] == "WEB" for each in entry["actions"]):
        # The data has these as cloud mode, but a WEB action runs in the browser and nowhere else.
        cloud, device = [], ["web"]
    names = [entry["display_name"], *entry["previous_names"], *patch.get("previous_names", ())]
    line: Json = {
        "id": entry["id"],
        "slug": entry["slug"],
        "names": list(dict.fromkeys(name.strip() for name in names)),
        "categories": entry["categories"],
        "methods": [name for name in METHODS if entry["methods"][name]],
        "sources": [ours for theirs, ours in PLATFORMS.items() if entry["platforms"][theirs]],
        "cloud": cloud,
        "website": "" if entry["website"] in NO_WEBSITE else entry["website"].removesuffix("/?ref=segment"),
    }
    if device:
        line["device"] = device
    if sorted(entry["regions"]) != ["eu-west-1", "us-west-2"]:
        line["regions"] = entry["regions"]
    if entry["endpoints"] != ["US"]:
        line["endpoints"] = sorted(entry["endpoints"], reverse=True)
    if entry["status"] != "PUBLIC":
        line["status"] = entry["status"]
    if entry["partnerOwned"]:
        line["partner_owned"] = True
    return line


def more(entry: Json, known: dict[str, Json]) -> Json:
    """A destination that the data lacks: like another of the same maker, or with its own categories."""
    like = known[entry["like"]] if "like" in entry else {}
    return {
        "id": entry["id"],
        "slug": entry["slug"],
        "names": [entry["name"]],
        "categories": entry.get("categories", like.get("categories", [])),
        "website": entry.get("website", like.get("website", "")),
        "status": "PUBLIC_BETA",
    }


def main(folder: Path) -> None:
    data = yaml.load((folder / "destinations.yml").read_text(), Loader=yaml.CSafeLoader)["items"]
    overrides = yaml.safe_load((folder / "overrides.yml").read_text())["items"]
    patches = {each["id"]: each for each in overrides}
    known = {each["slug"]: listing(each, patches.get(each["id"], {})) for each in data}
    ours = yaml.safe_load(MORE.read_text())
    for entry in ours["without_category"]:
        line, own = known[entry["slug"]], more(entry | {"id": "", "name": ""}, known)
        if line["categories"]:
            sys.exit(f"{entry['slug']} has categories by now")
        line |= {"categories": own["categories"], "website": line["website"] or own["website"]}
    added = [more(each, known) for each in ours["destinations"]]
    lines = sorted([*known.values(), *added], key=lambda line: line["slug"])
    for kind in ("id", "slug"):
        if len({line[kind] for line in lines}) != len(lines):
            sys.exit(f"two entries have the same {kind}")
    body = ",\n".join(json.dumps(line, ensure_ascii=False, separators=(",", ":")) for line in lines)
    OUT.write_text(f'{{"source":{json.dumps(SOURCE)},"listings":[\n{body}\n]}}\n')
    print(f"{OUT.name}: {len(known)} of the documentation, {len(added)} of {MORE.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
