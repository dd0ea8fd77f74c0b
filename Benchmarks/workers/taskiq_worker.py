"""A TaskIQ worker whose one task does nothing. Its queue is durable and of the quorum kind."""

import os

from taskiq.serializers import JSONSerializer
from taskiq_aio_pika import AioPikaBroker, Exchange, Queue, QueueType
from taskiq_redis import RedisAsyncResultBackend

NAME = os.environ["BENCH_QUEUE"]
broker = AioPikaBroker(
    os.environ["BENCH_AMQP"], qos=100,
    result_backend=RedisAsyncResultBackend(os.environ["BENCH_REDIS"], serializer=JSONSerializer()),
    exchange=Exchange(name=NAME), task_queues=[Queue(name=NAME, type=QueueType.QUORUM)],
    dead_letter_queue=Queue(name=f"{NAME}.dead_letter"))


@broker.task(task_name="noop")
async def noop() -> None:
    return None
