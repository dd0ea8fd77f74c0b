"""Sends tasks with Celery as a back end does, and prints what comes back.

Reads one JSON object a line from a file:
  {"task": "render", "id": "a1", "args": [], "kwargs": {}, "options": {"priority": 3}, "wait": 20}
and prints one for each, in their order. "link" in a request adds a callback, which is canvas. Nothing of Celery is changed
or imitated here.
"""

import argparse
import json

from celery import Celery
from celery.exceptions import TimeoutError as CeleryTimeout


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amqp", required=True)
    parser.add_argument("--redis", required=True)
    parser.add_argument("--queue", default="celery")
    parser.add_argument("--requests", help="without it only what the client declares is declared")
    return parser.parse_args()


def answer_to(result, wait):
    steps = []

    def on_message(body):
        if body["status"] not in ("SUCCESS", "FAILURE", "REVOKED"):
            steps.append({"status": body["status"], "result": body["result"]})

    answer = {"id": result.id}
    try:
        value = result.get(timeout=wait, propagate=False, on_message=on_message)
        answer["state"] = result.state
        if isinstance(value, BaseException):
            answer["error"] = {"type": type(value).__name__, "args": list(value.args)}
        else:
            answer["value"] = value
    except CeleryTimeout:
        answer["client_error"] = "timeout"
    answer["steps"] = steps
    return answer


def main():
    options = arguments()
    app = Celery("clients", broker=options.amqp, backend=options.redis)
    app.conf.task_default_queue = options.queue
    if not options.requests:
        with app.connection_for_write() as connection, connection.channel() as channel:
            app.amqp.queues[options.queue].bind(channel).declare()
        return
    with open(options.requests) as lines:
        requests = [json.loads(line) for line in lines]
    for request in requests:
        extra = dict(request.get("options", {}))
        if "id" in request:
            extra["task_id"] = request["id"]
        if "link" in request:
            extra["link"] = app.signature(request["link"])
        result = app.send_task(request["task"], args=request.get("args"), kwargs=request.get("kwargs"), **extra)
        answer = answer_to(result, request["wait"]) if request.get("wait") else {"id": result.id}
        print(json.dumps(answer), flush=True)


main()
