"""boto3's transfer manager, as it is: down or up, one object. Prints the seconds of the transfer alone.

    boto3_transfer.py down|up s3://bucket/key FILE
"""

import json
import sys
import time

import boto3

direction, uri, file = sys.argv[1:]
bucket, key = uri.removeprefix("s3://").split("/", 1)
client = boto3.client("s3", region_name="us-east-1")
started = time.perf_counter()
if direction == "up":
    client.upload_file(file, bucket, key)
else:
    with open(file, "wb") as output:
        client.download_fileobj(bucket, key, output)
print(json.dumps({"seconds": time.perf_counter() - started}))
