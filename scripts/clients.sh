#!/usr/bin/env bash
# Prints the Python that has TaskIQ, Celery and botocore, the unchanged packages of PyPI.
cd "$(dirname "$0")/.."
exec scripts/venv.sh clients Fixtures/clients/requirements.txt
