"""Signs requests to S3 as botocore does, the unchanged package of PyPI, and sends none of them.

Usage: botocore_signer.py FILE. The file has a JSON list of cases; a list of what became of them is printed: the URL, and
the headers that were signed, with the signature. Each case names an operation of botocore and its parameters.
"""
import base64
import datetime
import json
import sys

import botocore.auth
import botocore.awsrequest
import botocore.session
from botocore.config import Config

clients = {}
captured = []
now = None


def client(case):
    """One for each combination of settings."""
    names = ("endpoint", "region", "style", "access_key", "secret_key", "token", "signs_bodies")
    key = tuple(case.get(name) for name in names)
    if key not in clients:
        made = botocore.session.Session().create_client(
            "s3", endpoint_url=case["endpoint"], region_name=case["region"],
            aws_access_key_id=case["access_key"], aws_secret_access_key=case["secret_key"],
            aws_session_token=case.get("token"),
            config=Config(
                signature_version="s3v4", request_checksum_calculation="when_required",
                response_checksum_validation="when_required", retries={"max_attempts": 0},
                s3={"addressing_style": case["style"], "payload_signing_enabled": case["signs_bodies"]}))
        made.meta.events.register_first("before-send.s3", capture)
        clients[key] = made
    return clients[key]


def capture(request, **_):
    captured.append((request.url, {name: text(value) for name, value in request.headers.items()}))
    answer = botocore.awsrequest.AWSResponse(request.url, 200, {}, None)
    answer._content = b""
    return answer


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def sign(case):
    global now
    now = datetime.datetime.fromtimestamp(case["seconds"], datetime.timezone.utc)
    parameters = dict(case["parameters"])
    if "Body" in parameters:
        parameters["Body"] = base64.b64decode(parameters["Body"])
    if case.get("expires"):
        url = client(case).generate_presigned_url(case["operation"], Params=parameters, ExpiresIn=case["expires"])
        return {"url": url, "headers": {}}
    captured.clear()
    getattr(client(case), case["operation"])(**parameters)
    url, headers = captured[0]
    authorization = headers["Authorization"]
    signed = authorization.split("SignedHeaders=")[1].split(",")[0].split(";")
    kept = {name.lower(): value for name, value in headers.items() if name.lower() in signed}
    return {"url": url, "headers": kept, "authorization": authorization}


def main():
    botocore.auth.get_current_datetime = lambda *_, **__: now
    with open(sys.argv[1], encoding="utf-8") as file:
        cases = json.load(file)
    json.dump([sign(case) for case in cases], sys.stdout)


if __name__ == "__main__":
    main()
