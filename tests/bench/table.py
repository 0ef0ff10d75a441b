#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""table: medians over the rounds of a benchmark, and their ratios to the kernel's, as Markdown."""

import json
import statistics
import sys

# metric: (what it is, decimals, may be compared as "more is better")
METRICS = {
    "tcp-out": ("TCP, one stream, out, Gbit/s", 1, True),
    "tcp-in": ("TCP, one stream, in, Gbit/s", 1, True),
    "udp-out": ("64-byte UDP, peak with < 1 % loss, out, kpps", 0, True),
    "udp-in": ("64-byte UDP, peak with < 1 % loss, in, kpps", 0, True),
    "rr": ("TCP request/response, transactions a second", 0, True),
    "rr-p50": ("... p50, us", 0, False),
    "rr-p99": ("... p99, us", 0, False),
    "crr": ("connect + request + close a second, 32 in parallel", 0, True),
    "crr-failed": ("... failed", 0, None),
    "udp-new": ("new UDP flows a second", 0, True),
    "udp-new-lost": ("... lost", 0, None),
    "alive-1k-p50": ("1,000 flows alive, latency over them, p50 us", 0, False),
    "alive-50k": ("50,000 flows opened, still alive at the end", 0, None),
    "alive-50k-p50": ("... latency over them, p50 us", 0, False),
    "plain-out": ("plain uplink (no TSO/GRO), out, Gbit/s", 1, True),
    "plain-in": ("plain uplink (no TSO/GRO), in, Gbit/s", 1, True),
    "first": ("start to first packet through, ms", 0, False),
}


def medians(lines):
    """{metric: {gateway: median}}, gateways in order of appearance."""
    values = {}
    for line in lines:
        result = json.loads(line)
        if result["value"] is not None:
            by_gateway = values.setdefault(result["metric"], {})
            by_gateway.setdefault(result["gateway"], []).append(result["value"])
    return {m: {g: statistics.median(v) for g, v in by.items()} for m, by in values.items()}


def cell(table, metric, gateway):
    value = table[metric].get(gateway)
    if value is None:
        return "-"
    _, decimals, comparable = METRICS[metric]
    text = f"{value:,.{decimals}f}"
    kernel = table[metric].get("kernel")
    if gateway != "kernel" and kernel and comparable is not None:
        text += f" ({value / kernel:.2f})"
    return text


def main():
    with open(sys.argv[1], encoding="utf-8") as results:
        lines = results.readlines()
    table = medians(lines)
    gateways = list(dict.fromkeys(json.loads(line)["gateway"] for line in lines))
    rounds = max((json.loads(line)["round"] for line in lines), default=0)
    print(f"Medians of {rounds} rounds; in brackets the ratio to the kernel's masquerade.\n")
    print("| what | " + " | ".join(gateways) + " |")
    print("|---|" + "---|" * len(gateways))
    for metric, (text, _, _) in METRICS.items():
        if metric in table:
            print(f"| {text} | " + " | ".join(cell(table, metric, g) for g in gateways) + " |")


if __name__ == "__main__":
    main()
