#!/usr/bin/env bash
# SQL files and migrations: the tenant is named, in every statement and in every key.
exec python3 -B "$(dirname "$0")/sql.py"
