"""Our .proto files say the same as the official packages: every name, number, type and label."""
import pathlib
import subprocess

import pytest
from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, duration_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"
OFFICIAL = {
    "opentelemetry/proto/collector/metrics/v1/metrics_service.proto": metrics_service_pb2,
    "opentelemetry/proto/common/v1/common.proto": common_pb2,
    "opentelemetry/proto/metrics/v1/metrics.proto": metrics_pb2,
    "opentelemetry/proto/resource/v1/resource.proto": resource_pb2,
    "google/protobuf/any.proto": any_pb2,
    "google/protobuf/duration.proto": duration_pb2,
}


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    target = tmp_path_factory.mktemp("descriptors") / "ours.bin"
    files = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    subprocess.run(["protoc", f"--proto_path={PROTO}", f"--descriptor_set_out={target}", *files],
                   check=True)
    return {file.name: file for file in
            descriptor_pb2.FileDescriptorSet.FromString(target.read_bytes()).file}


def official(module):
    file = descriptor_pb2.FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(file)
    return file


def describe_field(field, message):
    """A proto3 optional field is a oneof of one member; only real oneofs have names that count."""
    alone = field.HasField("oneof_index") and sum(
        other.HasField("oneof_index") and other.oneof_index == field.oneof_index
        for other in message.field) == 1
    oneof = None
    if field.HasField("oneof_index"):
        oneof = "optional" if alone else message.oneof_decl[field.oneof_index].name
    return (field.name, field.number, field.type, field.label, field.type_name, oneof)


def describe_messages(prefix, messages):
    for message in messages:
        name = prefix + "." + message.name
        yield name, {describe_field(field, message) for field in message.field}
        yield from describe_messages(name, message.nested_type)


def describe(file):
    enums = {enum.name: {(value.name, value.number) for value in enum.value}
             for enum in file.enum_type}
    services = {service.name: {(method.name, method.input_type, method.output_type)
                               for method in service.method} for service in file.service}
    return dict(describe_messages(file.package, file.message_type)), enums, services, file.syntax


@pytest.mark.parametrize("name", OFFICIAL)
def test_file_equals_the_official_one(ours, name):
    assert describe(ours[name]) == describe(official(OFFICIAL[name]))


def test_status_and_retry_info_are_those_of_google_rpc(ours):
    """Facts of googleapis google/rpc/status.proto and error_details.proto."""
    pool = descriptor_pool.DescriptorPool()
    for name in ("google/protobuf/any.proto", "google/protobuf/duration.proto",
                 "google/rpc/status.proto", "google/rpc/error_details.proto"):
        pool.Add(ours[name])
    status = pool.FindMessageTypeByName("google.rpc.Status")
    assert {(field.name, field.number, field.type, field.is_repeated) for field in status.fields} \
        == {("code", 1, 5, False), ("message", 2, 9, False), ("details", 3, 11, True)}
    retry = pool.FindMessageTypeByName("google.rpc.RetryInfo")
    assert [(field.name, field.number, field.message_type.full_name) for field in retry.fields] \
        == [("retry_delay", 1, "google.protobuf.Duration")]
