#!/usr/bin/env bash
# What may use what: layers, the libraries behind them, headers that stand alone.
exec python3 -B "$(dirname "$0")/layers.py"
