"""Prints docs/service-config-hedging.json from service-config.json and a descriptor set, for docs/generate.sh."""

import copy
import json
import sys

from google.protobuf import descriptor_pb2

from api import rules_of

HEDGES = {"maxAttempts": 2, "hedgingDelay": "0.2s"}


def main():
    with open(sys.argv[1], "rb") as file:
        files = descriptor_pb2.FileDescriptorSet.FromString(file.read())
    with open(sys.argv[2], encoding="utf-8") as file:
        config = json.load(file)
    rules = rules_of(files)
    reads = [{"service": f"{file.package}.{service.name}", "method": method.name}
             for file in files.file if file.package.startswith("isms.")
             for service in file.service for method in service.method
             if not (rules(method).write or rules(method).internal or method.server_streaming)]
    hedged = copy.deepcopy(config["methodConfig"][0])
    retries = hedged.pop("retryPolicy")
    hedged["name"] = reads
    hedged["hedgingPolicy"] = {**HEDGES, "nonFatalStatusCodes": retries["retryableStatusCodes"]}
    config["methodConfig"].append(hedged)
    print(json.dumps(config, indent=2))


if __name__ == "__main__":
    main()
