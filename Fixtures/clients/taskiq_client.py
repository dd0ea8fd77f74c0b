"""Sends tasks with TaskIQ as a back end does, and prints what comes back.

Reads one JSON object a line from a file:
  {"task": "render", "id": "a1", "args": [], "kwargs": {}, "labels": {"priority": 3}, "wait": 20, "progress": true}
and prints one for each, in the order in which results come, while all wait at once. Nothing of TaskIQ is changed or imitated here.
"""

import argparse
import asyncio
import json

from taskiq.kicker import AsyncKicker
from taskiq.serializers import JSONSerializer, PickleSerializer
from taskiq_aio_pika import AioPikaBroker, Exchange, Queue
from taskiq_redis import RedisAsyncResultBackend


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--amqp", required=True)
    parser.add_argument("--redis", required=True)
    parser.add_argument("--queue", default="taskiq")
    parser.add_argument("--delay-queue")
    parser.add_argument("--serializer", choices=["json", "pickle"], default="pickle")
    parser.add_argument("--prefix")
    parser.add_argument("--requests", help="without it only what the client declares is declared")
    return parser.parse_args()


def make_broker(options):
    serializer = JSONSerializer() if options.serializer == "json" else PickleSerializer()
    backend = RedisAsyncResultBackend(options.redis, serializer=serializer, prefix_str=options.prefix)
    names = {}
    if options.queue != "taskiq":
        names = {
            "exchange": Exchange(name=options.queue),
            "task_queues": [Queue(name=options.queue)],
            "dead_letter_queue": Queue(name=f"{options.queue}.dead_letter"),
        }
    if options.delay_queue:
        names["delay_queue"] = Queue(name=options.delay_queue)
    return AioPikaBroker(options.amqp, result_backend=backend, **names)


async def watch(task, steps):
    while True:
        progress = await task.get_progress()
        if progress is not None:
            step = {"state": str(getattr(progress.state, "value", progress.state)), "meta": progress.meta}
            if step not in steps:
                steps.append(step)
        await asyncio.sleep(0.02)


async def result_of(task, request):
    steps = []
    watching = asyncio.create_task(watch(task, steps)) if request.get("progress") else None
    result = await task.wait_result(check_interval=0.05, timeout=request["wait"])
    answer = {"is_err": result.is_err, "value": result.return_value, "labels": result.labels}
    answer["seconds"] = result.execution_time
    if result.error is not None:
        answer["error"] = {"type": type(result.error).__name__, "args": list(result.error.args)}
        try:
            result.raise_for_error()
        except BaseException as raised:
            answer["raised"] = type(raised).__name__
    if watching:
        # The last progress is written after the result.
        for _ in range(200):
            if steps and steps[-1]["state"] in ("SUCCESS", "FAILURE"):
                break
            await asyncio.sleep(0.05)
        watching.cancel()
        answer["steps"] = steps
    return answer


async def run(broker, request):
    answer = {"id": request.get("id")}
    try:
        kicker = AsyncKicker(task_name=request["task"], broker=broker, labels={})
        kicker = kicker.with_labels(**request.get("labels", {}))
        if "id" in request:
            kicker = kicker.with_task_id(request["id"])
        task = await kicker.kiq(*request.get("args", []), **request.get("kwargs", {}))
        answer["id"] = task.task_id
        if request.get("wait"):
            answer |= await result_of(task, request)
    except Exception as error:
        answer["client_error"] = f"{type(error).__name__}: {error}"
    print(json.dumps(answer), flush=True)


async def main():
    options = arguments()
    broker = make_broker(options)
    await broker.startup()
    if options.requests:
        with open(options.requests) as lines:
            requests = [json.loads(line) for line in lines]
        await asyncio.gather(*(run(broker, request) for request in requests))
    await broker.shutdown()


asyncio.run(main())
