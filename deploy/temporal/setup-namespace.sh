#!/bin/sh
# Makes the namespace and the search attributes that runs are found by, as far as they are not there yet.
# TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE say where.
set -eu

temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1 ||
  temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention 30d

for attribute in MusterConsortium MusterSite MusterStatus; do
  # A namespace that was made a moment ago is not known everywhere yet.
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    if temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE" | grep -q "^ *$attribute "; then
      continue 2
    fi
    temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$attribute" --type Keyword || sleep "$attempt"
  done
  echo "The search attribute $attribute could not be made." >&2
  exit 1
done
