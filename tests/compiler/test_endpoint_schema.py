"""The operations of endpoints, as routing by operation needs them."""

from __future__ import annotations

import pytest

from catalog.compiler.component.endpoint_schema import endpoint_operations
from catalog.compiler.component.openapi_operations import openapi_operations
from catalog.compiler.component.protobuf_methods import protobuf_methods
from catalog.compiler.errors import CompilerError

OPENAPI = """
openapi: 3.0.3
info: {title: books, version: "1"}
paths:
  /books/{id}:
    parameters: [{$ref: '#/components/parameters/id'}]
    get: {responses: {}}
    delete: {responses: {}}
  /books:
    post: {responses: {}}
  /alias: {$ref: '#/paths/~1books'}
  x-internal: {get: {}}
components:
  parameters:
    id: {name: id, in: path, schema: {type: string}}
"""

PROTO = """
syntax = "proto3"; // greeting
package demo.v1;
import "google/protobuf/empty.proto";
option go_package = "x/y;z";
/* a message with a field called message */
message Hello { string message = 1; map<string, Inner> more = 2; message Inner { oneof a { int32 b = 1; } } }
enum Kind { UNKNOWN = 0; }
service Greeter {
  option deprecated = true;
  rpc Say (Hello) returns (stream Hello.Inner) { option (google.api.http) = { get: "/v1/{name}" }; }
  rpc Stop (google.protobuf.Empty) returns (.demo.v1.Hello);
}
"""


def test_openapi_gives_one_operation_for_each_path_and_verb() -> None:
    assert sorted((item["path"], item["method"]) for item in openapi_operations(OPENAPI)) == [
        ("/alias", "POST"),
        ("/books", "POST"),
        ("/books/{id}", "DELETE"),
        ("/books/{id}", "GET"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "paths: []",
        "paths: {/a: {$ref: '#/nowhere'}}",
        "paths: {/a: {$ref: 'other.yaml#/x'}}",
        "paths: {/a: {get: {requestBody: {$ref: 'https://example.com/x'}}}}",
        "a: [",
    ],
)
def test_openapi_that_does_not_load_is_an_error(content: str) -> None:
    with pytest.raises(CompilerError):
        openapi_operations(content)


def test_proto_gives_the_methods_of_services_by_full_name() -> None:
    assert protobuf_methods(PROTO) == [
        {"kind": "gRPC", "service": "demo.v1.Greeter", "method": "Say"},
        {"kind": "gRPC", "service": "demo.v1.Greeter", "method": "Stop"},
    ]


@pytest.mark.parametrize(
    "content",
    [
        'import "other.proto";',
        "service S { rpc M (Unknown) returns (Unknown); }",
        "message M {",
        "service S { rpc M }",
        "nonsense",
        "message M {} service S { rpc A (M) returns (M) ]",
        "message § {}",
    ],
)
def test_proto_that_does_not_compile_is_an_error(content: str) -> None:
    with pytest.raises(CompilerError):
        protobuf_methods(content)


def test_the_type_of_the_schema_is_inferred_from_the_endpoint() -> None:
    warnings: list[str] = []
    found = endpoint_operations(
        {
            "http": {"type": "HTTP", "schema": {"content": OPENAPI}},
            "grpc": {"type": "gRPC", "schema": {"content": PROTO}},
            "named": {"type": "TCP", "schema": {"type": " OAS3 ", "content": OPENAPI}},
            "tcp": {"type": "TCP", "schema": {"content": OPENAPI}},
            "none": {"type": "HTTP"},
        },
        warnings,
    )
    assert sorted(found) == ["grpc", "http", "named"]
    assert found["http"][0] == {"kind": "HTTP", "method": "POST", "path": "/alias"}
    assert found["http"] == found["named"]
    assert warnings == []


def test_a_schema_that_cannot_be_read_warns_and_leaves_its_endpoint_out() -> None:
    warnings: list[str] = []
    endpoints = {
        "broken": {"type": "HTTP", "schema": {"content": "[]"}},
        "graph": {"type": "GraphQL", "schema": {"content": "type Query { a: Int }"}},
        "odd": {"type": "HTTP", "schema": {"type": "wsdl", "content": "x"}},
    }
    assert endpoint_operations(endpoints, warnings) == {}
    assert [warning.split(":")[0] for warning in warnings] == ["endpoint broken", "endpoint graph", "endpoint odd"]
