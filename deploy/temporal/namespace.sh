#!/bin/sh
# Creates the namespace and the search attributes by which tasks are found in the Temporal Web UI, and waits until the server knows
# them. Can be run again: what is there stays, but for the retention, which becomes what it is told. The temporal program takes the server's address from TEMPORAL_ADDRESS.
set -eu

: "${TEMPORAL_ADDRESS:?is to be the host:port of the frontend}"
: "${TEMPORAL_NAMESPACE:?is to name the namespace}"

retention=${RETENTION:-168h}
attributes="HoldfastApp HoldfastTask HoldfastSession"
attempts=${ATTEMPTS:-60}
pause=${PAUSE:-2}

# eventually WHAT COMMAND…: tries until it succeeds; the last error is shown.
eventually() {
  what=$1
  shift
  attempt=1
  until said=$("$@" 2>&1); do
    if [ "$attempt" -ge "$attempts" ]; then
      echo "gave up waiting for $what: $said" >&2
      exit 1
    fi
    echo "waiting for $what ($attempt of $attempts)"
    attempt=$((attempt + 1))
    sleep "$pause"
  done
  echo "$what: there"
}

healthy() { temporal operator cluster health; }

namespace() {
  if temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE"; then
    temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$retention"
  else
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$retention"
  fi
}

# listed ATTRIBUTE: reports whether the namespace has it.
listed() {
  temporal operator search-attribute list --namespace "$TEMPORAL_NAMESPACE" | grep -qw "$1"
}

# A new attribute is listed only when the server has read its namespaces anew, some seconds later. Until then creating it again
# succeeds and changes nothing.
attribute() {
  listed "$1" || {
    temporal operator search-attribute create --namespace "$TEMPORAL_NAMESPACE" --name "$1" --type Keyword && listed "$1"
  }
}

eventually "Temporal at $TEMPORAL_ADDRESS" healthy
eventually "namespace $TEMPORAL_NAMESPACE" namespace
for name in $attributes; do
  eventually "search attribute $name" attribute "$name"
done
echo "the namespace is ready"
