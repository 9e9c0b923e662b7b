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

# fresh NAME: puts a value for the secret into "value". Each command stands alone: the failure of one within echo "$(…)" would go unseen, and
# leave an empty secret.
fresh() {
  case $1 in
  HOLDFAST_TEMPORAL_ENCRYPTION_KEYS)
    value=$(openssl rand -base64 32)
    value=$(date -u +%Y-%m-%d):$value
    ;;
  *) value=$(openssl rand -hex 32) ;;
  esac
}

umask 077 # it is for the eyes of its owner alone
trap 'rm -f .env.new' EXIT
while IFS= read -r line; do
  case $line in
  '#'* | *=?*) echo "$line" ;;
  *=)
    fresh "${line%=}"
    [ -n "${value#*:}" ] || {
      echo "openssl gave nothing for ${line%=}" >&2
      exit 1
    }
    echo "$line$value"
    ;;
  *) echo "$line" ;;
  esac
done <.env.example >.env.new
mv .env.new .env
echo ".env is written; next: docker compose up -d --build --wait"
