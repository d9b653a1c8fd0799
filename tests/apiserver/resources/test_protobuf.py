"""Bodies in protobuf: what a real kubectl 1.37 sent (captured), and what nobody should send."""

from __future__ import annotations

import base64
import random

import pytest

from cluster.apimachinery.errors import StatusError
from cluster.apiserver.resources import body, protobuf
from cluster.apiserver.resources.registry import Registry
from cluster.apiserver.resources.schema import decode

# kubectl create deployment web --image=nginx --replicas=2 --port=80
DEPLOYMENT = (
    "azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50ErgBCh8KA3dlYhIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEoYBCAISDAoKCgNhcHASA3dlYhpsChwK"
    "ABIAGgAiACoAMgA4AEIAWgoKA2FwcBIDd2ViEkwSLgoFbmdpbngSBW5naW54KgAyCgoAEAAYUCIAKgBCAGoAcgCAAQCIAQCQAQCiAQAaADIAQgBKAFIA"
    "WABgAGgAggEAigEAmgEAwgEAIgIKACgAOAAaDAgAEAAYACAAKAA4ABoAIgA="
)
# kubectl create secret generic s --from-literal=p=q
SECRET = "azhzAAoMCgJ2MRIGU2VjcmV0Eh0KEQoBcxIAGgAiACoAMgA4AEIAEgYKAXASAXEaABoAIgA="
# kubectl create service nodeport svc --tcp=80:http --node-port=30001
SERVICE = (
    "azhzAAoNCgJ2MRIHU2VydmljZRJtCh8KA3N2YxIAGgAiACoAMgA4AEIAWgoKA2FwcBIDc3ZjEkYKIAoHODAtaHR0cBIDVENQGFAiCggBEAAaBGh0dHAo"
    "seoBEgoKA2FwcBIDc3ZjGgAiCE5vZGVQb3J0OgBCAFIAWgBgAGgAGgIKABoAIgA="
)
# kubectl create pdb p --selector=app=web --min-available=50%
BUDGET = (
    "azhzAAogCglwb2xpY3kvdjESE1BvZERpc3J1cHRpb25CdWRnZXQSOgoRCgFwEgAaACIAKgAyADgAQgASGQoJCAEQABoDNTAlEgwKCgoDYXBwEgN3ZWIa"
    "CggAGAAgACgAMAAaACIA"
)
# kubectl create quota q --hard=pods=3,cpu=1500m
QUOTA = (
    "azhzAAoTCgJ2MRINUmVzb3VyY2VRdW90YRI0ChEKAXESABoAIgAqADIAOABCABIdCg4KA2NwdRIHCgUxNTAwbQoLCgRwb2RzEgMKATMaABoAIgA="
)


def read(text: str) -> dict:
    return body.parse(base64.b64decode(text), protobuf.MEDIA_TYPE)[0]


def field(number: int, value: bytes) -> bytes:
    """A field of length-delimited bytes (shorter than 128)."""
    assert len(value) < 128 and number < 16
    return bytes((number << 3 | 2, len(value))) + value


def wrapped(api_version: str, kind: str, raw: bytes) -> bytes:
    meta = field(1, api_version.encode()) + field(2, kind.encode())
    return protobuf.MAGIC + field(1, meta) + field(2, raw)


def test_a_deployment_as_json_would_have_it():
    deployment = read(DEPLOYMENT)
    assert (deployment["apiVersion"], deployment["kind"]) == ("apps/v1", "Deployment")
    assert deployment["metadata"] == {"name": "web", "labels": {"app": "web"}}
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["selector"] == {"matchLabels": {"app": "web"}}
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    assert container == {"name": "nginx", "image": "nginx", "ports": [{"containerPort": 80}], "resources": {}}
    assert decode(Registry().by_path("apps/v1/deployments"), deployment, field_validation="Strict")[1] == []


def test_bytes_become_base64():
    assert read(SECRET)["data"] == {"p": base64.b64encode(b"q").decode()}


def test_int_or_string_both_ways():
    assert read(SERVICE)["spec"]["ports"] == [
        {"name": "80-http", "protocol": "TCP", "port": 80, "targetPort": "http", "nodePort": 30001}
    ]
    assert read(BUDGET)["spec"]["minAvailable"] == "50%"


def test_quantities():
    assert read(QUOTA)["spec"]["hard"] == {"cpu": "1500m", "pods": "3"}


def test_a_pointer_to_zero_stays_and_a_plain_zero_goes():
    # ReplicaSetSpec: replicas = 1 (a pointer), minReadySeconds = 4 (none).
    spec = bytes((1 << 3, 0, 4 << 3, 0))
    assert protobuf.decode(wrapped("apps/v1", "ReplicaSet", field(2, spec)), "")["spec"] == {"replicas": 0}


def test_negative_numbers_are_twos_complement():
    minus_one = b"\xff" * 9 + b"\x01"
    found = protobuf.decode(wrapped("apps/v1", "ReplicaSet", field(2, bytes((1 << 3,)) + minus_one)), "")
    assert found["spec"] == {"replicas": -1}


def test_embedded_structs_are_flattened():
    # Volume: name = 1, volumeSource = 2 (embedded), in it emptyDir = 2, configMap = 19.
    volume = field(1, b"v") + field(2, field(2, b""))
    pod = field(2, field(1, volume))
    assert protobuf.decode(wrapped("v1", "Pod", pod), "")["spec"]["volumes"] == [{"name": "v", "emptyDir": {}}]


def test_times():
    # ObjectMeta: deletionTimestamp = 9, creationTimestamp = 8 (the zero time: an empty message).
    meta = field(9, bytes((1 << 3, 0x80, 0xA8, 0x03))) + field(8, b"")
    found = protobuf.decode(wrapped("v1", "ConfigMap", field(1, meta)), "")
    assert found["metadata"] == {"deletionTimestamp": "1970-01-01T15:04:32Z"}


def test_a_time_long_ago_has_four_digits_of_a_year():
    # Two seconds after Go's zero time, as negative seconds since 1970 (a varint of ten bytes).
    seconds = (1 << 64) - 62135596798
    varint = bytes(seconds >> 7 * at & 0x7F | 0x80 * (at < 9) for at in range(10))
    meta = field(9, bytes((1 << 3,)) + varint)
    found = protobuf.decode(wrapped("v1", "ConfigMap", field(1, meta)), "")
    assert found["metadata"] == {"deletionTimestamp": "0001-01-01T00:00:02Z"}


def test_a_map_of_lists():
    # SubjectAccessReviewSpec: extra = 5 (map of ExtraValue).
    entry = field(1, b"scopes") + field(2, field(1, b"a") + field(1, b"b"))
    review = wrapped("authorization.k8s.io/v1", "SubjectAccessReview", field(2, field(5, entry)))
    assert protobuf.decode(review, "")["spec"]["extra"] == {"scopes": ["a", "b"]}


def test_a_schema_in_a_custom_resource_definition():
    # JSONSchemaProps: type = 5, properties = 29, default = 8 (JSON), items = 28 (JSONSchemaPropsOrArray).
    from cluster.apiserver.resources.nodes import root

    name = "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps"
    numbers = {told.name: number for number, told in protobuf._table()[name].items()}

    def long(label: str, value: bytes) -> bytes:
        return protobuf_key(numbers[label]) + bytes((len(value),)) + value

    def protobuf_key(number: int) -> bytes:
        key = number << 3 | 2
        return bytes((key,)) if key < 128 else bytes((key & 127 | 128, key >> 7))

    leaf = long("type", b"string") + long("default", field(1, b'"x"'))
    inner = long("type", b"array") + long("items", field(1, leaf))
    entry = field(1, b"names") + field(2, inner)
    data = long("type", b"object") + long("properties", entry)
    assert protobuf._message(root(name), name, data, 0) == {
        "type": "object",
        "properties": {"names": {"type": "array", "items": {"type": "string", "default": "x"}}},
    }


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "expected prefix"),
        (b"{}", "expected prefix"),
        (protobuf.MAGIC, 'no kind ""'),
        (wrapped("v1", "Nothing", b""), 'no kind "Nothing" is registered for version "v1"'),
        (wrapped("v1", "Pod", b"\x0a"), "unexpected EOF"),
        (wrapped("v1", "Pod", b"\x0a\x05ab"), "unexpected EOF"),
        (wrapped("v1", "Pod", b"\xff" * 12), "unexpected EOF"),
        (wrapped("v1", "Pod", b"\x0b"), "illegal wireType 3"),
        (wrapped("v1", "Pod", b"\x02\x00"), "illegal tag 0"),
        (wrapped("v1", "Pod", field(1, field(1, b"\xff"))), "can't decode byte"),
    ],
)
def test_what_is_no_message_is_refused(data, told):
    with pytest.raises(StatusError) as caught:
        body.parse(data, protobuf.MEDIA_TYPE, kind="Pod")
    assert caught.value.code == 400
    assert told in caught.value.message


def test_a_number_of_the_wrong_size_and_schemas_without_end_are_refused():
    # CustomResourceDefinition: spec = 2; versions = 7, schema = 4, openAPIV3Schema = 1; maximum = 9 (a double), not = 28.
    def crd(schema: bytes) -> bytes:
        def long(number: int, value: bytes) -> bytes:
            size, length = b"", len(value)
            while length > 127:
                size, length = size + bytes((length & 127 | 128,)), length >> 7
            return bytes((number << 3 | 2,)) + size + bytes((length,)) + value

        meta = field(1, b"apiextensions.k8s.io/v1") + field(2, b"CustomResourceDefinition")
        return protobuf.MAGIC + field(1, meta) + long(2, long(2, long(7, long(4, long(1, schema)))))

    def nested(depth: int) -> bytes:
        data = b""
        for _ in range(depth):
            size, length = b"", len(data)
            while length > 127:
                size, length = size + bytes((length & 127 | 128,)), length >> 7
            data = b"\xe2\x01" + size + bytes((length,)) + data
        return data

    for schema in (field(9, b"abc"), nested(5000)):
        with pytest.raises(StatusError) as caught:
            protobuf.decode(crd(schema), "CustomResourceDefinition")
        assert caught.value.code == 400
    assert protobuf.decode(crd(nested(20)), "")["kind"] == "CustomResourceDefinition"


def test_noise_is_refused_or_read_but_never_an_error_of_ours():
    noise = random.Random(7)
    whole = base64.b64decode(DEPLOYMENT)
    for _ in range(2000):
        data = bytearray(whole)
        for _ in range(noise.randint(1, 6)):
            data[noise.randrange(4, len(data))] = noise.randrange(256)
        try:
            protobuf.decode(bytes(data[: noise.randint(5, len(data))]), "Deployment")
        except StatusError as error:
            assert error.code == 400


def test_an_eviction_of_the_version_before_is_read_like_the_present_one():
    raw = field(1, field(1, b"web-0"))
    found = protobuf.decode(wrapped("policy/v1beta1", "Eviction", raw), "Eviction")
    assert found == {"apiVersion": "policy/v1beta1", "kind": "Eviction", "metadata": {"name": "web-0"}}
