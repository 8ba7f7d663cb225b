#!/bin/sh
mosquitto_sub -h "$1" -p "$2" -i centre-shell -c -q 1 -t 'karaul1/+/+/+/+/alert/#' |
  jq --unbuffered -r '[.sequence, .data.incident.phase, .data.incident.severity, .subject, .data.text[]] | join("  ")'
