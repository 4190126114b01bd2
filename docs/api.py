"""Prints docs/api.md from a descriptor set with source info, for docs/generate.sh."""

import sys
import textwrap

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE, METHOD = 6, 2  # field numbers in FileDescriptorProto and ServiceDescriptorProto


def one_paragraph(comment):
    return " ".join(comment.split()).replace("|", "\\|")


def rules_of(files):
    """Reads (isms.options.v1.method), an extension that this program learns from the files themselves."""
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    factory = message_factory.MessageFactory(pool)
    options = factory.GetPrototype(pool.FindMessageTypeByName("google.protobuf.MethodOptions"))
    extension = pool.FindExtensionByName("isms.options.v1.method")
    return lambda method: options.FromString(method.options.SerializeToString()).Extensions[extension]


def needs(rules):
    if rules.internal:
        return "service " + ", ".join(rules.callers)
    return f"`{rules.permission}`" + (", a person" if rules.person else "")


def main():
    with open(sys.argv[1], "rb") as file:
        files = descriptor_pb2.FileDescriptorSet.FromString(file.read())
    rules = rules_of(files)
    print("# The API\n\n<!-- Made by docs/generate.sh; do not edit. -->\n")
    print("The proto files under `proto/` are the API; this is their list of methods. A method that\n"
          "*changes* data takes a `request_id`, a UUID of the caller's, and happens once for it however\n"
          "often it is sent. `needs` is the permission that the caller's roles must hold\n"
          "([roles.md](roles.md)), or the service that alone may call. The deadline is the most that a\n"
          "call is given; a shorter one of the caller's wins. Lanes are explained in\n"
          "[architecture.md](architecture.md).")
    for file in sorted(files.file, key=lambda file: file.package):
        if not file.service or not file.package.startswith("isms."):
            continue
        comments = {tuple(place.path): place.leading_comments for place in file.source_code_info.location}
        print(f"\n## {file.package}")
        for s, service in enumerate(file.service):
            print(f"\n### {service.name}\n")
            about = one_paragraph(comments.get((SERVICE, s), ""))
            if about:
                print(textwrap.fill(about, 112) + "\n")
            print("| method | needs | lane | changes | deadline | what it does |\n|---|---|---|:-:|--:|---|")
            for m, method in enumerate(service.method):
                rule = rules(method)
                lane = rule.DESCRIPTOR.fields_by_name["lane"].enum_type.values_by_number[rule.lane].name
                print(f"| `{method.name}` | {needs(rule)} | {lane.removeprefix('LANE_').lower()} "
                      f"| {'yes' if rule.write else ''} | {rule.deadline_ms / 1000:g} s "
                      f"| {one_paragraph(comments.get((SERVICE, s, METHOD, m), ''))} |")


if __name__ == "__main__":
    main()
