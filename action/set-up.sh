#!/usr/bin/env bash
# What action.yml runs: installs ocictl for the rest of the job, and logs in where a registry is given.
#
# Read from the environment: OCICTL_VERSION; OCICTL_REGISTRY, OCICTL_USERNAME and OCICTL_PASSWORD for a login.
# The runner gives RUNNER_TEMP, which is emptied after the job, and the files GITHUB_PATH and GITHUB_OUTPUT.
set -euo pipefail

fail() {
  printf '::error title=ocictl::%s\n' "$1"
  exit 2
}

version=${OCICTL_VERSION:-} registry=${OCICTL_REGISTRY:-} username=${OCICTL_USERNAME:-} password=${OCICTL_PASSWORD:-}
# No program that runs from here on has it in its environment.
unset OCICTL_PASSWORD

# A range or a tag may mean something else tomorrow.
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || fail "version: name an exact one, such as 1.2.3"
if [[ -n $registry ]]; then
  [[ -n $username ]] || fail "username: is missing, to log in to $registry"
  [[ -n $password ]] || fail "password: is empty, to log in to $registry; secrets are empty in pull requests of forks"
elif [[ -n $username || -n $password ]]; then
  fail "registry: is missing, to log in as a user; Docker Hub is docker.io"
fi
command -v npm >/dev/null || fail "npm is not on PATH: run actions/setup-node first, with Node 20.19 or newer"

prefix=$RUNNER_TEMP/ocictl-$version
# Without the optional packages: a runner has no keychain. Not --global, for which npm installs them all the same.
npm install --prefix "$prefix" --omit=optional --ignore-scripts --no-audit --no-fund --loglevel=error "ocictl@$version"
bin=$prefix/node_modules/.bin
export PATH=$bin:$PATH
installed=$(ocictl --version)
printf '%s\n' "$bin" >>"$GITHUB_PATH"
printf 'version=%s\n' "$installed" >>"$GITHUB_OUTPUT"
printf 'ocictl %s is installed\n' "$installed"

if [[ -n $registry ]]; then
  # Not as an argument: every process of the machine can read those.
  printf '%s' "$password" | ocictl login --username "$username" --password-stdin "$registry"
fi
