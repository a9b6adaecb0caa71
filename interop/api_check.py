"""Reads docs/openapi.json as a stranger would, and holds calls against it.

    python api_check.py openapi.json calls.ndjson

Each line of the second file is a call that was made and its answer: `method`,
`path`, `sent` (the document, or null), `status`, and `answer` or, of a stream,
`lines`. The description must be OpenAPI 3.1 and have each of them: no query
value, no field of a request that was taken, no field and no word of an answer
may be missing in it; and each call it describes must have been tried.
"""

import json
import sys
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from jsonschema import Draft202012Validator
from openapi_spec_validator import validate


class Description:
    def __init__(self, document):
        validate(document)
        self.components = document["components"]
        self.operations = {
            (method.upper(), tuple(path.split("/"))): operation
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        }
        self.tried = set()

    def find(self, method, path):
        given = path.split("/")
        for (known, template), operation in self.operations.items():
            same = known == method and len(template) == len(given)
            if same and all(a == b or a.startswith("{") for a, b in zip(template, given)):
                return operation, template, [unquote(part) for part in given]
        return None

    def problems(self, schema, document):
        """What is wrong with a document, fields that nobody described included."""
        closed = {"allOf": [schema], "unevaluatedProperties": False}
        if schema.get("type") == "array":
            items = {"allOf": [schema["items"]], "unevaluatedProperties": False}
            closed = {**schema, "items": items}
        validator = Draft202012Validator({**closed, "components": self.components})
        return [error.message for error in validator.iter_errors(document)]

    def check(self, call):
        target = urlsplit(call["path"])
        found = self.find(call["method"], target.path)
        if found is None:
            return ["it is not described"]
        operation, template, given = found
        done = call["status"] == 200
        problems = self.given(operation, template, given, parse_qsl(target.query))
        body = operation.get("requestBody")
        if done and body:
            schema = body["content"]["application/json"]["schema"]
            problems += self.problems(schema, call["sent"])
        elif done and call["sent"] not in (None, {}):
            problems.append("a document was taken that is not described")
        return problems + self.answered(operation, call)

    def given(self, operation, template, given, query):
        problems = []
        known = {(one["in"], one["name"]): one for one in operation["parameters"]}
        values = [("path", part[1:-1], value) for part, value in zip(template, given) if part.startswith("{")]
        values += [("query", name, value) for name, value in query]
        for place, name, value in values:
            parameter = known.pop((place, name), None)
            if parameter is None:
                problems.append(f"the {place} value {name} is not described")
            elif parameter["schema"].get("type") in ("integer", "boolean"):
                problems += self.problems(parameter["schema"], json.loads(value))
        missing = [one["name"] for one in known.values() if one["required"]]
        return problems + [f"{name} is described as needed" for name in missing]

    def answered(self, operation, call):
        described = operation["responses"].get(str(call["status"]))
        if described is None:
            return [f"status {call['status']} is not described"]
        [(kind, content)] = described["content"].items()
        if kind == "application/x-ndjson":
            documents = call["lines"]
        else:
            documents = [call["answer"]]
        problems = []
        for document in documents:
            problems += self.problems(content["schema"], document)
        if call["status"] == 200:
            self.tried.add(operation["operationId"])
        elif call["answer"]["error"]["kind"] not in described["description"]:
            problems.append(f"an error of kind {call['answer']['error']['kind']} is not described")
        return problems


def main():
    document, calls = (Path(name).read_text() for name in sys.argv[1:])
    description = Description(json.loads(document))
    problems = []
    calls = [json.loads(line) for line in calls.splitlines()]
    for call in calls:
        where = f"{call['method']} {call['path']} {call['status']}"
        problems += [f"{where}: {problem}" for problem in description.check(call)]
    for operation in description.operations.values():
        if operation["operationId"] not in description.tried:
            problems.append(f"{operation['operationId']}: the walk never did it")
    if problems:
        sys.exit("\n".join(problems))
    print(f"{len(calls)} calls\nok")


if __name__ == "__main__":
    main()
