#!/usr/bin/env bash
# What would the destinations receive? Sends events.ndjson through Onward with workspace.yaml to a sink that
# fails half of the requests at first, and compares what arrived with expected.ndjson.
# Needs onward, curl and jq on the PATH, and the ports 9900 and 8990.
set -euo pipefail
cd "$(dirname "$0")"

work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$work"' EXIT

export ONWARD_DATA=$work/data ONWARD_TOKEN=ci-token ONWARD_EGRESS_ALLOW=127.0.0.0/8 ONWARD_LOG_LEVEL=warning
api() { curl -sf -H "authorization: Bearer $ONWARD_TOKEN" "http://127.0.0.1:8990/api$1"; }
until_ok() { for _ in $(seq 300); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; echo "gave up on: $*" >&2; return 1; }

onward sink --port 9900 --out "$work/sink.jsonl" --fail-rate 0.5 --status 503 &
onward apply workspace.yaml --yes
onward serve --port 8990 &
until_ok curl -sf http://127.0.0.1:8990/readyz

onward send events.ndjson --write-key citestkey1 --url http://127.0.0.1:8990

# Done when every event has its outcome.
destination=$(api /destinations | jq -r '.data.destinations[0].id')
settled() { api "/destinations/$destination/delivery" | jq -e '.data.delivery | .received == 4 and .pending == 0'; }
until_ok settled

api "/destinations/$destination/delivery" | jq -c .data.delivery
jq -c 'select(.status == 200) | .body | fromjson' "$work/sink.jsonl" | sort > "$work/arrived.ndjson"
diff expected.ndjson "$work/arrived.ndjson" && echo "as expected"
