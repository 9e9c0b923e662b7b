#!/bin/sh
# Writes .env from .env.example, with a fresh value for every secret. It never touches a .env that is there.
set -eu
cd "$(dirname "$0")/.."

[ ! -e .env ] || {
  echo "there is a .env already; remove it first, and keep its secrets if there is data that needs them" >&2
  exit 1
}
command -v openssl >/dev/null || {
  echo "openssl is missing; fill in .env by hand, as .env.example says" >&2
  exit 1
}

# fresh NAME: a value for the secret.
fresh() {
  case $1 in
  HOLDFAST_TEMPORAL_ENCRYPTION_KEYS) echo "$(date -u +%Y-%m-%d):$(openssl rand -base64 32)" ;;
  *) openssl rand -hex 32 ;;
  esac
}

umask 077 # it is for the eyes of its owner alone
while IFS= read -r line; do
  case $line in
  '#'* | *=?*) echo "$line" ;;
  *=) echo "$line$(fresh "${line%=}")" ;;
  *) echo "$line" ;;
  esac
done <.env.example >.env.new
mv .env.new .env
echo ".env is written; next: docker compose up -d --build --wait"
