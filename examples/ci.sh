#!/usr/bin/env bash
# Publishes an image under a name of your own: logs in, pulls, tags, pushes, copies, inspects, logs out.
#
#   REGISTRY_USER=ci REGISTRY_PASSWORD=… examples/ci.sh SOURCE REPOSITORY VERSION
#   REGISTRY_USER=ci REGISTRY_PASSWORD=… examples/ci.sh alpine:3.20 registry.example.com/base/alpine 3.20
#
# Stdout has the results and nothing else, as lines of NAME=VALUE, so that a later step can read them:
#
#   image=registry.example.com/base/alpine@sha256:…
#   platform=linux/amd64
#   published=true, or false where this version was there already
#
# The exit status is that of the command that failed; docs/exit-codes.md lists them.
set -euo pipefail

if (($# != 3)); then
  echo "usage: $0 SOURCE REPOSITORY VERSION" >&2
  exit 2
fi
source=$1 repository=$2 version=$3
registry=${repository%%/*}
target=$repository:$version
: "${REGISTRY_USER:?is not set: the user to log in with}"
: "${REGISTRY_PASSWORD:?is not set: the password or token of that user}"

# Jobs that run side by side on one machine would log each other out. Only this job sees the credentials, and they go
# with the directory. A credential helper of the machine is not asked then: leave this out to use one.
work=$(mktemp -d)
export DOCKER_CONFIG=$work/docker
mkdir -m 700 "$DOCKER_CONFIG"
logged_in=false
finish() {
  local status=$?
  if $logged_in; then ocictl logout "$registry" >&2 || true; fi
  rm -rf "$work"
  exit "$status"
}
trap finish EXIT

# Not as an argument: every process of the machine can read those. With pipefail a failed login ends the script.
printf '%s' "$REGISTRY_PASSWORD" | ocictl login --username "$REGISTRY_USER" --password-stdin "$registry" >&2
logged_in=true
unset REGISTRY_PASSWORD

# A version is published once. That it is not there yet is no failure here, so its message is kept back until it is
# known to be another one: a registry that does not answer must not look like a version that is free.
status=0
ocictl digest "$target" >"$work/digest" 2>"$work/errors" || status=$?
case $status in
  0)
    published=false
    ;;
  3)
    # All platforms, so that what arrives has the digest of the source. What the store has is not fetched again.
    ocictl pull --quiet --platform all "$source" >&2
    ocictl tag "$source" "$target"
    ocictl push --quiet "$target" >&2
    published=true
    ;;
  *)
    cat "$work/errors" >&2
    exit "$status"
    ;;
esac

# Inside one registry this moves a name and no data.
ocictl copy --quiet "$target" "$repository:latest" >&2

# Results come last and in one piece: what failed before has printed nothing.
digest=$(ocictl digest "$target")
platform=$(ocictl inspect --no-tags --format '{{.Os}}/{{.Architecture}}' "$repository@$digest")
printf '%s\n' "image=$repository@$digest" "platform=$platform" "published=$published"
